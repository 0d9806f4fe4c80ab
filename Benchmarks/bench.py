"""Figures of flatbook, each as a ratio in one run: against a limit, a raw client, or a bound.

    scripts/bench-limits      20 accounts x 40 symbols, granularity symbol, default limits
    scripts/bench-fleet       200 accounts x 6 legs, granularity auto
    scripts/bench-mixed       60 accounts on three exchanges x 4 legs, copy followers and unified accounts included
    scripts/bench-start       process start to the first request on the wire, against curl
    scripts/bench-journal     durable intents a second, against one transaction per entry

Needs a release build (scripts/build-release). Talks to loopback only; ends only processes that it started.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.environ.get("FLATBOOK_BINARY", os.path.join(ROOT, ".build/release/flatbook"))


class Simulator:
    def __init__(self, work, *options):
        self.directory = os.path.join(work, "sim")
        self.process = subprocess.Popen(
            [BINARY, "simulate", "--out", self.directory, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def state(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_simulator/state") as reply:
            return json.load(reply)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)


def run_plan(directory, plan, environment):
    """Runs a plan; returns its report and the peak resident memory of the process in MB."""
    process = subprocess.Popen(
        [BINARY, "run", plan, "--yes", "--progress", "none", "--format", "json"], cwd=directory, env=environment,
        stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return json.loads(output), usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


def environment(work):
    return {**os.environ, "XDG_STATE_HOME": os.path.join(work, "state")}


def closes(state):
    return sorted(r["arrivalNs"] for r in state["receipts"] if r["route"].endswith("/order/close-positions"))


def limits():
    accounts, symbols = 20, 40
    with tempfile.TemporaryDirectory() as work, Simulator(
            work, "--accounts", f"bitget={accounts}", "--positions", str(symbols), "--uniform") as simulator:
        plan = os.path.join(simulator.directory, "plans/symbols.yaml")
        with open(plan, "w") as file:
            file.write('version: 1\nname: symbols\naccounts: ["*"]\nsymbols: ["*"]\ngranularity: symbol\n')
        report, memory, cpu = run_plan(simulator.directory, plan, environment(work))
        state = simulator.state()
    sent = closes(state)
    makespan = (sent[-1] - sent[0]) / 1e9
    bound = float(symbols - 1)
    print(f"{accounts} accounts x {symbols} symbols: {len(sent)} closes, first to last {makespan:.2f} s, bound {bound:.0f} s, "
          f"ratio {makespan / bound:.3f} (at most 1.10)")
    print(f"rejections {state['rateLimitRejections']}, violations {state['limitViolations']}, open {state['openPositions']}, "
          f"status {report['run']['status']}, requests {state['receiptCount']}, peak memory {memory:.0f} MB, cpu {cpu:.1f} s")
    return (makespan / bound <= 1.10 and state["rateLimitRejections"] == 0 and state["openPositions"] == 0
            and report["run"]["exitCode"] == 0)


def fleet():
    accounts, legs = 200, 6
    with tempfile.TemporaryDirectory() as work, Simulator(
            work, "--accounts", f"bitget={accounts}", "--positions", str(legs)) as simulator:
        report, memory, cpu = run_plan(simulator.directory, "plans/all.yaml", environment(work))
        state = simulator.state()
    sent = closes(state)
    totals = report["totals"]
    print(f"{accounts} accounts, {totals['legs']} legs: {len(sent)} closes, first to last {(sent[-1] - sent[0]) / 1e9:.2f} s, "
          f"all proven after {totals['secondsToFlat']} s, bound for the calls {totals['lowerBoundSeconds']} s")
    print(f"requests {state['receiptCount']}, rejections {state['rateLimitRejections']}, open {state['openPositions']}, "
          f"status {report['run']['status']}, peak memory {memory:.0f} MB (at most 80), cpu {cpu:.1f} s")
    return memory <= 80 and state["rateLimitRejections"] == 0 and report["run"]["exitCode"] == 0


CLOSING = ("close-positions", "close-position", "closeAllPositions", "closePosition")


def mixed():
    counts = "bitget=12,bitget-copy=4,bitget-unified=4,okx=20,bingx=20"
    with tempfile.TemporaryDirectory() as work, Simulator(
            work, "--accounts", counts, "--positions", "4") as simulator:
        report, memory, cpu = run_plan(simulator.directory, "plans/all.yaml", environment(work))
        state = simulator.state()
    totals = report["totals"]
    sent = sorted(r["arrivalNs"] for r in state["receipts"] if r["route"].split("/")[-1] in CLOSING)
    by_exchange = {}
    for call in report["calls"]:
        if call["operation"].split(".")[-1] not in ("batch-cancel-orders",):
            by_exchange[call["operation"]] = by_exchange.get(call["operation"], 0) + 1
    print(f"{totals['accounts']} accounts, {totals['legs']} legs: {totals['accountsFlat']} accounts proven flat, "
          f"{len(sent)} closes, first to last {(sent[-1] - sent[0]) / 1e9:.2f} s, bound {totals['lowerBoundSeconds']} s, "
          f"all proven after {totals['secondsToFlat']} s")
    print(", ".join(f"{name} {count}" for name, count in sorted(by_exchange.items())))
    print(f"requests {state['receiptCount']}, rejections {state['rateLimitRejections']}, violations {state['limitViolations']}, "
          f"open {state['openPositions']}, exposure increases {state['exposureIncreases']}, status {report['run']['status']}, "
          f"peak memory {memory:.0f} MB, cpu {cpu:.1f} s")
    return (report["run"]["exitCode"] == 0 and state["rateLimitRejections"] == 0 and state["openPositions"] == 0
            and totals["accountsFlat"] == 60)


def first_byte(port, command, env, cwd):
    """Seconds from starting a command to the first byte that reaches the port."""
    # A listener of its own for each start: connections that an earlier process left in the backlog do not count.
    listener = socket.create_server(("127.0.0.1", port))
    seen = []

    def accept():
        connection, _ = listener.accept()
        connection.recv(1)
        seen.append(time.monotonic())
        connection.close()

    thread = threading.Thread(target=accept)
    thread.start()
    began = time.monotonic()
    process = subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    thread.join(timeout=10)
    process.kill()
    process.wait()
    listener.close()
    return seen[0] - began


def start():
    with tempfile.TemporaryDirectory() as work:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        os.makedirs(os.path.join(work, "accounts"))
        with open(os.path.join(work, "accounts/one.yaml"), "w") as file:
            file.write(f"version: 1\naccounts:\n  - name: one\n    uid: \"1\"\n    exchange: bitget\n    environment: simulated\n"
                       f"    endpoint: http://127.0.0.1:{port}\n    credentials: {{key: k, secret: s, passphrase: p}}\n")
        plan = os.path.join(work, "plan.yaml")
        with open(plan, "w") as file:
            file.write('version: 1\nname: one\naccounts: ["*"]\n')
        command = [BINARY, "run", plan, "--yes", "--progress", "none"]
        ours = sorted(first_byte(port, command, environment(work), work) for _ in range(15))
        curl = sorted(
            first_byte(port, ["curl", "-s", f"http://127.0.0.1:{port}/"], os.environ, work) for _ in range(15))
    median, peer = ours[7] * 1000, curl[7] * 1000
    print(f"process start to first request: median {median:.0f} ms (at most 100), worst of 15 {ours[-1] * 1000:.0f} ms; "
          f"curl {peer:.0f} ms; ratio {median / peer:.1f}")
    return median <= 100


def journal():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as work:
        return subprocess.call([BINARY, "bench-journal", "--directory", work]) == 0


if __name__ == "__main__":
    sys.exit(0 if {"limits": limits, "fleet": fleet, "mixed": mixed, "start": start, "journal": journal}[sys.argv[1]]() else 1)
