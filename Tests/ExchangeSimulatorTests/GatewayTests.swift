import ExchangeKit
import ExchangeSimulator
import Testing

private let closePath = "/api/v2/mix/order/close-positions"
private let closeBody = #"{"productType":"USDT-FUTURES"}"#

@Suite struct GatewayTests {
    private func changed(_ edit: (inout SimulatedRequest) -> Void, offset: Int64 = 0) -> Bench.Answer {
        var bench = Bench(clockOffsetMs: offset)
        var request = Bench.signed("POST", closePath, "", closeBody, at: Bench.epoch)
        edit(&request)
        return Bench.Answer(bench.send(request))
    }

    @Test(
        "#3 #4 answers a missing header with its code",
        arguments: [
            ("ACCESS-KEY", "40006"), ("ACCESS-SIGN", "40002"), ("ACCESS-TIMESTAMP", "40005"),
            ("ACCESS-PASSPHRASE", "40011"), ("Content-Type", "40007"),
        ])
    func missingHeader(_ name: String, _ code: String) {
        let answer = changed { $0.headers.removeAll { $0.name == name } }
        #expect(answer.code == code)
        #expect(answer.status == 400)
    }

    @Test(
        "#5 #6 #8 #9 #10 answers a wrong header with its code, key before signature",
        arguments: [
            ("ACCESS-KEY", "nobody", "40037"), ("ACCESS-SIGN", "AAAA", "40009"), ("ACCESS-TIMESTAMP", "12x", "40005"),
            ("ACCESS-PASSPHRASE", "wrong", "40012"),
        ])
    func wrongHeader(_ name: String, _ value: String, _ code: String) {
        let answer = changed { request in
            request.headers.removeAll { $0.name == name }
            request.headers.append((name, value))
        }
        #expect(answer.code == code)
    }

    @Test("#6 refuses the demo header for a live key") func demoHeader() {
        #expect(changed { $0.headers.append(("paptrading", "1")) }.code == "40099")
    }

    @Test(
        "#8 accepts a clock within thirty seconds and not beyond",
        arguments: [(30_000, "22002"), (-30_000, "22002"), (30_001, "40008"), (-30_001, "40008")])
    func clockWindow(_ offset: Int64, _ code: String) {
        #expect(changed({ _ in }, offset: offset).code == code)
    }

    @Test("#7 refuses a key bound to another address") func boundAddress() {
        var bench = Bench { $0.edit(0) { $0.boundAddresses = ["203.0.113.9"] } }
        #expect(bench.close().code == "40018")
    }

    @Test("#11 names the missing permission") func permission() {
        var bench = Bench { $0.edit(0) { $0.authorities = ["cpor"] } }
        let answer = bench.close()
        #expect(answer.code == "40014")
        #expect(answer.text.contains("cpow"))
    }

    @Test("#12 tells the account kinds apart") func accountKinds() {
        var unified = Bench { $0.edit(0) { $0.isUnified = true } }
        #expect(unified.close().code == "40085")
        var classic = Bench()
        #expect(classic.get("/api/v3/account/settings").code == "40084")
    }

    @Test("#2 answers unknown paths as the gateway does") func unknownPaths() {
        var bench = Bench()
        let inside = bench.get("/api/v2/mix/nothing")
        #expect(inside.status == 400)
        #expect(inside.code == "40404")
        let outside = bench.get("/other")
        #expect(outside.status == 404)
        #expect(outside.text.contains("<html>"))
    }

    @Test("#13 allows exactly the capacity in a second and refuses one more", arguments: [WindowKind.sliding, .fixed])
    func limit(_ window: WindowKind) {
        var switches = BitgetSwitches()
        switches.window = window
        var bench = Bench(switches: switches)
        for _ in 0..<5 {
            #expect(bench.get("/api/v2/mix/position/all-position", "productType=USDT-FUTURES").status == 200)
        }
        bench.wait(999)
        let refused = bench.get("/api/v2/mix/position/all-position", "productType=USDT-FUTURES")
        #expect(refused.status == 429)
        #expect(refused.code == "429")
        #expect(refused.delivery.reply?.header("x-mbx-used-remain-limit") == "0")
        bench.wait(1)
        #expect(bench.open().isEmpty)
        #expect(bench.simulation.truth.limitViolations.count == 1)
        #expect(bench.simulation.truth.rateLimitRejections == 1)
    }

    @Test("#36 records a violation that it does not refuse") func recordsViolation() {
        var switches = BitgetSwitches()
        switches.enforcesLimits = false
        var bench = Bench(switches: switches)
        _ = bench.close()
        #expect(bench.close().status == 400)
        #expect(bench.simulation.truth.limitViolations.count == 1)
        #expect(bench.simulation.truth.rateLimitRejections == 0)
    }

    @Test("scales the limits") func scaledLimits() {
        var bench = Bench(limitsScale: 3)
        for _ in 0..<3 { #expect(bench.close().code == "22002") }
        #expect(bench.close().code == "429")
    }

    @Test("#1 locks an address for five minutes after 6000 requests in a minute") func addressLock() {
        var bench = Bench()
        let request = SimulatedRequest(method: "GET", target: "/other")
        for _ in 0..<6_000 { #expect(bench.send(request).reply?.status == 404) }
        #expect(bench.send(request).reply?.status == 429)
        bench.wait(299_999)
        #expect(bench.send(request).reply?.status == 429)
        bench.wait(1)
        #expect(bench.send(request).reply?.status == 404)
    }

    @Test(
        "#14 refuses bad parameters with their codes",
        arguments: [
            ("{", "40017"), ("{}", "40019"), (#"{"productType":"FUTURES"}"#, "40020"),
            (#"{"productType":"USDT-FUTURES","symbol":"NOPEUSDT"}"#, "40034"),
            (#"{"productType":"USDT-FUTURES","symbol":"BTCPERP"}"#, "22012"),
            (#"{"productType":"usdt-futures","symbol":"btcusdt"}"#, "22002"),
        ])
    func parameters(_ body: String, _ code: String) {
        var bench = Bench()
        #expect(bench.close(body).code == code)
    }

    @Test("#34 gives the time of its own clock to anyone") func time() {
        var bench = Bench(clockOffsetMs: 45_000)
        let answer = Bench.Answer(bench.send(SimulatedRequest(method: "GET", target: "/api/v2/public/time")))
        #expect(answer.data["serverTime"] as? String == String(Bench.epoch + 45_000))
    }

    @Test("#37 records a call that a flattener must never make") func neverCalls() {
        var bench = Bench()
        _ = bench.post("/api/v2/mix/account/set-position-mode", closeBody)
        #expect(bench.simulation.truth.neverCalls == ["POST /api/v2/mix/account/set-position-mode"])
    }
}
