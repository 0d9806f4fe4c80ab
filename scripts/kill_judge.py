"""Judges a run by what the simulated exchanges saw, what the journal holds and what the report claims."""
import collections
import copy
import hashlib
import json
import urllib.parse

# A read may show what was this long ago, in seconds: the simulator's largest lag, and a fill on its way.
LAG = {"heavy": 1.7, "stale": 3.2}


class Evidence:
    """Three witnesses of one world that shall agree.

    state: of `GET /_simulator/state` · journal(query): rows · report(run): `report.json` · code: exit code of the process
    that closed the run · excluded(leg): whether the plan leaves a leg of the state out.
    """

    def __init__(self, state, journal, report, code, profile, excluded):
        self.state, self.code, self.profile, self.excluded = state, code, profile, excluded
        rows = journal("SELECT t_mono, body FROM event ORDER BY seq")
        self.entries = [(at, json.loads(body)["event"]) for at, body in rows]
        self.runs = journal("SELECT id, status, exit_code FROM run")
        self.report = report(self.runs[0][0]) if self.runs else None


class Judge:
    """Compares what the exchange knows with what the journal and the report say."""

    def __init__(self, evidence):
        self.evidence, self.state = evidence, evidence.state
        self.violations, self.figures = [], collections.Counter()
        self.results, self.intents = {}, []
        for at, event in evidence.entries:
            if "intent" in event:
                self.intents.append((at, event["intent"]["_0"]))
            elif "outcome" in event:
                self.results[event["outcome"]["_0"]["id"]] = event["outcome"]["_0"]

    def complain(self, text):
        self.violations.append(text)

    def verdict(self):
        """What is wrong; empty where everything holds."""
        self.world()
        if self.ended():
            self.receipts()
            self.sized()
            self.bans()
            self.claims()
        return self.violations

    def blind_spots(self):
        """Lies that this judge would believe: each changes the evidence so that it must complain."""
        def repeated(lie):
            # Of a request that was intended as often as it arrived: a lost twin of it would explain one receipt more.
            intended = collections.Counter(intent["requestDigest"] for _, intent in self.intents)
            mutations = [r for r in lie.state["receipts"] if r["mutation"]]
            arrived = collections.Counter(map(self.digest, mutations))
            sent = next((r for r in mutations if arrived[self.digest(r)] == intended[self.digest(r)]), None)
            return sent and lie.state["receipts"].append(sent) is None

        def forgotten(lie):
            written = [index for index, (_, event) in enumerate(lie.entries) if "intent" in event]
            return written and lie.entries.pop(written[0])

        def overfilled(lie):
            closed = next((leg for leg in lie.state["legs"] if float(leg["closedByClient"])), None)
            return closed and closed.update(isSound=False) is None

        def outside(lie):
            lie.excluded = lambda leg: True
            return any(float(leg["closedByClient"]) for leg in lie.state["legs"])

        def left_open(lie):
            flat = {a["name"] for a in lie.report["accounts"] if a["state"] == "flat"}
            leg = next((leg for leg in lie.state["legs"] if leg["name"] in flat and not self.evidence.excluded(leg)), None)
            return leg and leg.update(open="1", openSinceNs=None) is None

        blind = []
        for change in (repeated, forgotten, overfilled, outside, left_open):
            lie = copy.copy(self.evidence)
            lie.state, lie.entries, lie.report = (copy.deepcopy(x) for x in (lie.state, lie.entries, lie.report))
            if change(lie) and not Judge(lie).verdict():
                blind.append(f"the judge did not see what was wrong: {change.__name__}")
        return blind

    def world(self):
        for name in ("exposureIncreases", "unprotectedOrders", "limitViolations", "rateLimitRejections"):
            # This profile locks the whole address: its refusals are no fault of the client.
            isLocked = name == "rateLimitRejections" and self.evidence.profile == "penalty"
            if self.state[name] and not isLocked:
                self.complain(f"{name}: {self.state[name]}")
        if self.state["neverCalls"]:
            self.complain(f"calls that must never be made: {self.state['neverCalls']}")
        for leg in self.state["legs"]:
            if not leg["isSound"]:
                self.complain(f"more closed than there was: {leg}")
            if self.evidence.excluded(leg) and float(leg["closedByClient"]):
                self.complain(f"closed outside the selection: {leg}")
            self.figures["legs closed"] += bool(float(leg["closedByClient"]))

    def ended(self):
        if len(self.evidence.runs) != 1 or self.evidence.runs[0][1] is None:
            self.complain(f"not one closed run: {self.evidence.runs}")
            return False
        code = self.evidence.code
        said = self.evidence.runs[0][2], self.evidence.report["run"]["exitCode"]
        if said != (code, code):
            self.complain(f"exit code {code}, but journal and report say {said}")
        if code not in (0, 10, 11, 14, 15, 75, 77):
            self.complain(f"exit code {code}")
        told = [call["id"] for call in self.evidence.report["calls"]]
        if sorted(told) != sorted(intent["id"] for _, intent in self.intents):
            self.complain("the report's calls are not the journal's intents")
        for _, intent in self.intents:
            if intent["id"] not in self.results:
                self.complain(f"{intent['id']} has no outcome in the journal")
        self.figures[f"exit {code}"] += 1
        self.figures["intents"] += len(self.intents)
        return True

    def receipts(self):
        """Every receipt belongs to one intent that was durable before it, no intent has two (I1, I2)."""
        waiting, received = collections.defaultdict(list), set()
        for at, intent in self.intents:
            result = self.results.get(intent["id"])
            end = at + intent["life"]
            if result:
                effect = result["outcome"]["effect"]
                if effect == "none" and "sentAt" not in result:
                    continue  # It says that nothing was written.
                if "sentAt" in result:
                    end = result["answeredAt"]
            waiting[intent["requestDigest"]].append((at, end, intent["id"]))
        for receipt in self.state["receipts"]:
            if not receipt["mutation"]:
                continue
            arrival = self.state["startBootNs"] + receipt["arrivalNs"]
            fitting = [pair for pair in waiting[self.digest(receipt)] if pair[0] <= arrival <= pair[1]]
            self.figures["receipts"] += 1
            if fitting:
                taken = min(fitting, key=lambda pair: pair[1])
                waiting[self.digest(receipt)].remove(taken)
                received.add(taken[2])
            else:
                self.complain(f"a receipt without an intent of its own: {receipt}")
        for name, result in self.results.items():
            if result["outcome"]["code"] == "process-ended":
                self.figures[f"calls cut off {'after' if name in received else 'before'} the send"] += 1

    @staticmethod
    def digest(receipt):
        """As the engine's: of the unsigned request. BingX is signed with two more parameters and sent encoded."""
        query = urllib.parse.unquote(receipt["query"]) if "/openApi/" in receipt["route"] else receipt["query"]
        pairs = [p for p in query.split("&") if p.split("=")[0] not in ("timestamp", "signature")]
        method, path = receipt["route"].split(" ", 1)
        text = f"{method}\n{path}\n{'&'.join(pairs)}\n{receipt['body']}"
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    def sized(self):
        """No sized order while an earlier one of its leg may still execute; at most one early repeat of any call (§1.3)."""
        dead, repeated = {}, collections.Counter()
        for at, intent in self.intents:
            outcome = self.results.get(intent["id"], {})
            self.figures["unknown outcomes"] += outcome.get("outcome", {}).get("effect") == "unknown"
            if intent.get("repeats"):
                repeated[intent["repeats"]] += 1
            if "close" not in intent["mutation"] or not intent["mutation"]["close"]["_0"]["method"]["isSized"]:
                continue
            self.figures["sized orders"] += 1
            for leg in intent["mutation"]["close"]["_0"]["legs"]:
                key = json.dumps(leg, sort_keys=True)
                if at < dead.get(key, 0):
                    self.complain(f"{intent['id']}: a sized order before the lost one was dead")
                dead[key] = outcome.get("deadAt", 0)
        self.figures["early repeats"] += sum(repeated.values())
        for call, times in repeated.items():
            if times > 1:
                self.complain(f"{call} was repeated early {times} times")

    def bans(self):
        """Nobody asks an exchange that has banned the address, whichever process was told (I15)."""
        paths = {"bitget": "/api/v2/", "okx": "/api/v5/", "bingx": "/openApi/"}
        arrivals = [(self.state["startBootNs"] + r["arrivalNs"], r["route"]) for r in self.state["receipts"]]
        for at, event in self.evidence.entries:
            if "penalty" not in event or event["penalty"]["_0"]["bucket"]["scope"] != "ip=default":
                continue
            self.figures["bans"] += 1
            path, until = paths[event["penalty"]["exchange"]], event["penalty"]["_0"]["until"]
            # What was under way when the ban was told may still arrive.
            asked = [route for when, route in arrivals if at + 5e8 < when < until and path in route]
            if asked:
                self.complain(f"{len(asked)} requests during a ban, first {asked[0]}: {event['penalty']}")

    def claims(self):
        """Nothing is called flat that was open when it was last read."""
        last = {}
        for _, event in self.evidence.entries:
            for kind in ("snapshot", "observed"):
                if kind in event:
                    last[event[kind]["_0"]["account"]] = event[kind]["_0"]["sentAt"]
        flat = {account["name"] for account in self.evidence.report["accounts"] if account["state"] in ("flat", "already-flat")}
        legs = {}
        for leg in self.evidence.report["legs"]:
            # Rows that only silo or position id tell apart are one leg in the exchange's books.
            key = leg["account"], leg["instrument"], leg["side"]
            legs[key] = legs.get(key, True) and leg["state"] in ("flat", "already-flat")
        lag = LAG.get(self.evidence.profile, 0.2) * 1e9
        self.figures["accounts flat"] += len(flat)
        for leg in self.state["legs"]:
            name = leg["name"]
            isTold = name in flat or legs.get((name, leg["symbol"], leg["side"]), False)
            if not float(leg["open"]) or self.evidence.excluded(leg) or not isTold:
                continue
            since = leg["openSinceNs"]
            if since is None or self.state["startBootNs"] + since < last[name] - lag:
                self.complain(f"called flat and open: {leg}")
            else:
                self.figures["opened after proof"] += 1
