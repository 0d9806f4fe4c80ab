"""Drives `flatbook simulate` with clients that others wrote: ccxt for three exchanges, python-okx for OKX.

Run by scripts/check-simulator. Talks to loopback only and ends only the process that it started. What the clients do is
judged by what the simulated exchange holds afterwards: it fails if a position survives.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import ccxt

BINARY = os.environ["FLATBOOK_BINARY"]
EXCHANGES = ("bitget", "okx", "bingx")
PATIENCE = 15
COINS = ("BTC", "ETH", "XRP", "SOL", "ADA", "LTC")


class Simulator:
    def __init__(self, directory):
        self.directory = directory
        counts = ",".join(f"{name}=3" for name in (sys.argv[1:] or EXCHANGES))
        self.process = subprocess.Popen(
            [BINARY, "simulate", "--accounts", counts, "--positions", "4", "--seed", "11", "--out", directory],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.base = f"http://127.0.0.1:{self.port}"
        with open(os.path.join(directory, "secrets.json")) as file:
            self.secrets = json.load(file)

    def state(self):
        with urllib.request.urlopen(self.base + "/_simulator/state") as reply:
            return json.load(reply)

    def open(self, account):
        return [p for p in self.state()["positions"] if p["name"] == account]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)


def say(text):
    print("--", text, flush=True)


def fail(text):
    sys.exit("FAILED: " + text)


def wait(what, condition):
    """Closes are asynchronous: asks until true, for a bounded time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    fail(what)


def client(simulator, exchange, account, secret=None, **options):
    fields = simulator.secrets[account]
    made = getattr(ccxt, exchange)({
        "apiKey": fields["key"], "secret": secret or fields["secret"], "password": fields.get("passphrase", ""),
        "enableRateLimit": options.pop("paced", True), "options": {"defaultType": "swap", **options}})
    suffix = "/openApi" if exchange == "bingx" else ""
    made.urls["api"] = {name: simulator.base + suffix for name in made.urls["api"]}
    # Coins and their networks are of no use here, and not simulated.
    made.has["fetchCurrencies"] = False
    if exchange == "bitget":
        made.options["fetchMarkets"] = {"types": ["swap"]}
    # ccxt goes exactly as fast as it believes is allowed: a loaded machine needs some room. At BingX the simulator takes the
    # stricter of the documented limits, 5 a second of one endpoint.
    made.rateLimit = 250 if exchange == "bingx" else made.rateLimit * 1.5
    if exchange == "okx":
        made.options["fetchMarkets"] = {"types": ["swap", "future"]}
    return made


def accounts(simulator, exchange):
    """The exchange's accounts, those with most positions first."""
    names = [name for name in simulator.secrets if name.startswith(exchange + "-")]
    return sorted(names, key=lambda name: -len(simulator.open(name)))


def products(exchange):
    return {"bitget": [{"productType": p} for p in ("USDT-FUTURES", "USDC-FUTURES", "COIN-FUTURES")],
            "okx": [{}], "bingx": [{}]}[exchange]


def positions(api, exchange):
    rows = []
    if exchange == "bingx":
        # The linear and the inverse contracts are two lists there.
        for sub_type in ("linear", "inverse"):
            rows += api.fetch_positions(None, {"subType": sub_type})
    else:
        for params in products(exchange):
            # ccxt asks for one margin coin at a time; of coin-margined contracts each has its own.
            coins = COINS if params.get("productType") == "COIN-FUTURES" else [None]
            for coin in coins:
                rows += api.fetch_positions(None, {**params, "marginCoin": coin} if coin else params)
    return [row for row in rows if row["contracts"]]


def reduce(api, exchange, row):
    """Closes one position the way this client does it."""
    if exchange == "bitget":
        side = row["side"] if row["hedged"] else None
        return api.close_position(row["symbol"], side)
    if exchange == "okx":
        params = {"mgnMode": row["marginMode"], "autoCxl": True}
        if row["hedged"]:
            params["posSide"] = row["side"]
        if row["info"]["instType"] == "MARGIN":
            params["ccy"] = row["info"]["ccy"]
        return api.private_post_trade_close_position({"instId": row["info"]["instId"], **params})
    if row["info"].get("symbol", "").endswith("-USD"):
        return api.cswap_v1_private_post_trade_closeallpositions({"symbol": row["info"]["symbol"]})
    return api.swap_v1_private_post_trade_closeposition({"positionId": row["info"]["positionId"]})


def check_account(simulator, exchange):
    name = accounts(simulator, exchange)[0]
    api = client(simulator, exchange, name)
    markets = api.load_markets()
    if not markets:
        fail(f"{exchange}: ccxt sees no markets")
    drift = abs(api.fetch_time() - time.time() * 1000)
    if drift > 5000:
        fail(f"{exchange}: the exchange's clock is {drift} ms off")
    shown, real = positions(api, exchange), simulator.open(name)
    if exchange == "okx":
        shown_count = len({row["info"]["posId"] for row in shown})
    elif exchange == "bingx":
        shown_count = len({row["info"]["positionId"] for row in shown})
    else:
        shown_count = len(shown)
    if shown_count != len(real):
        fail(f"{exchange}: ccxt sees {shown_count} positions of {name}, the exchange holds {len(real)}: "
             f"{[row['symbol'] for row in shown]}, {[(p['symbol'], p['productType']) for p in real]}")
    say(f"{exchange}: {len(markets)} markets, {len(real)} positions of {name} seen by ccxt")
    cancel_all(api, exchange, name)
    row = shown[0]
    reduce(api, exchange, row)
    wait(f"{exchange}: one position of {name} was closed by ccxt and survives",
         lambda: len(simulator.open(name)) == len(real) - 1)
    say(f"{exchange}: one position closed ({row['symbol']} {row['side']})")


def cancel_all(api, exchange, name):
    cancelled = 0
    if exchange == "bingx":
        rows = api.fetch_open_orders()
        for symbol in sorted({row["symbol"] for row in rows}):
            api.cancel_all_orders(symbol)
            cancelled += 1
    elif exchange == "okx":
        rows = api.fetch_open_orders()
        for symbol in sorted({row["symbol"] for row in rows}):
            ids = [row["id"] for row in rows if row["symbol"] == symbol]
            cancelled += len(api.cancel_orders(ids, symbol))
    else:
        for params in products(exchange):
            for row in api.fetch_open_orders(None, None, None, params):
                api.cancel_order(row["id"], row["symbol"], params)
                cancelled += 1
    say(f"{exchange}: {cancelled} orders of {name} cancelled")


def close_all(simulator, exchange):
    for name in accounts(simulator, exchange):
        api = client(simulator, exchange, name)
        cancel_all(api, exchange, name)
        if exchange == "bitget":
            for params in products(exchange):
                try:
                    api.close_all_positions(params)
                except ccxt.ExchangeError as error:
                    if "22002" not in str(error):
                        raise
        elif exchange == "bingx":
            for sub_type in ("linear", "inverse"):
                if positions_of(api, sub_type):
                    api.close_all_positions({"subType": sub_type})
        else:
            for row in positions(api, exchange):
                reduce(api, exchange, row)
        wait(f"{exchange}: positions of {name} survive a close of everything: {simulator.open(name)}",
             lambda: not simulator.open(name))
    say(f"{exchange}: everything closed by ccxt")


def positions_of(api, sub_type):
    return [row for row in api.fetch_positions(None, {"subType": sub_type}) if row["contracts"]]


def wrong_secret(simulator, exchange):
    name = accounts(simulator, exchange)[0]
    api = client(simulator, exchange, name, secret="0" * 32)
    try:
        positions(api, exchange)
    except ccxt.AuthenticationError as error:
        return say(f"{exchange}: a wrong secret is {type(error).__name__}")
    fail(f"{exchange}: a wrong secret was accepted")


def too_fast(simulator, exchange):
    name = accounts(simulator, exchange)[-1]
    api = client(simulator, exchange, name, paced=False)
    api.load_markets()
    for _ in range(60):
        try:
            api.fetch_positions(None, products(exchange)[0])
        except ccxt.OperationFailed as error:
            # ccxt has no class of its own for BingX's throttle code.
            if isinstance(error, (ccxt.RateLimitExceeded, ccxt.DDoSProtection)) or "100410" in str(error):
                return say(f"{exchange}: too fast is {type(error).__name__}")
            raise
    fail(f"{exchange}: 60 reads without pause were all answered")


def official_okx(simulator, name):
    from okx import Account, Trade
    fields = simulator.secrets[name]
    keys = (fields["key"], fields["secret"], fields["passphrase"], False, "0")
    account = Account.AccountAPI(*keys, domain=simulator.base)
    trade = Trade.TradeAPI(*keys, domain=simulator.base)
    rows = account.get_positions()["data"]
    if len(rows) != len(simulator.open(name)):
        fail(f"python-okx sees {len(rows)} positions of {name}, the exchange holds {simulator.open(name)}")
    for row in rows:
        side = row["posSide"] if row["posSide"] != "net" else ""
        reply = trade.close_positions(row["instId"], row["mgnMode"], posSide=side, ccy=row["ccy"], autoCxl="true")
        if reply["code"] != "0":
            fail(f"python-okx cannot close {row['instId']}: {reply}")
    wait(f"python-okx: positions of {name} survive", lambda: not simulator.open(name))
    say(f"okx: {len(rows)} positions of {name} closed by python-okx")


def main():
    wanted = sys.argv[1:] or EXCHANGES
    with tempfile.TemporaryDirectory() as work:
        simulator = Simulator(os.path.join(work, "sim"))
        try:
            for exchange in wanted:
                wrong_secret(simulator, exchange)
                check_account(simulator, exchange)
                if exchange == "okx":
                    official_okx(simulator, accounts(simulator, "okx")[0])
                close_all(simulator, exchange)
                too_fast(simulator, exchange)
            state = simulator.state()
            left = [p for p in state["positions"] if p["exchange"] in wanted]
            if left:
                fail(f"positions survive: {left}")
            if state["exposureIncreases"]:
                fail(f"{state['exposureIncreases']} orders increased exposure")
        finally:
            simulator.close()
    print("third-party clients closed everything on " + ", ".join(wanted))


main()
