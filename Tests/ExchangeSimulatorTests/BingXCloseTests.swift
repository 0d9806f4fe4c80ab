import ExchangeKit
import ExchangeSimulator
import Foundation
import Testing

@Suite struct BingXCloseTests {
    private func two(_ fleet: inout FleetBuilder) {
        fleet.position(0, "BTC-USDT", product: "swap", side: .long, quantity: "0.5", id: "1792480725958881281")
        fleet.position(0, "ETH-USDT", product: "swap", side: .short, quantity: "3", id: "1792480725958881282")
    }

    @Test("closes everything, with ids as bare digits beyond what a Double holds") func closeAll() {
        var bench = BingXBench(two)
        let answer = bench.post(BingXBench.closeAll)
        #expect(
            answer.text
                == #"{"code":0,"msg":"","data":{"success":[1735924831603391125,1735924831603391128],"failed":null}}"#)
        #expect(bench.open.isEmpty)
        #expect(bench.simulation.truth.executedCloses.count == 2)
    }

    @Test("closes both sides of one symbol and leaves the others") func closeSymbol() {
        var bench = BingXBench {
            two(&$0)
            $0.position(0, "BTC-USDT", product: "swap", side: .short, quantity: "0.1")
        }
        #expect(bench.post(BingXBench.closeAll, ["symbol": "BTC-USDT"]).code == 0)
        #expect(Set(bench.open.keys) == ["1792480725958881282"])
    }

    @Test(
        "writes its lists in every form", arguments: BingXListForm.allCases, BingXListForm.allCases)
    func forms(_ success: BingXListForm, _ failed: BingXListForm) {
        var switches = BingXSwitches()
        switches.closeSuccess = success
        switches.closeFailed = failed
        switches.failures = ["ETH-USDT": SymbolFailure(.row, code: "101219", times: 1)]
        var bench = BingXBench(switches: switches, two)
        let answer = bench.post(BingXBench.closeAll)
        #expect(answer.code == 0)
        let (done, missed) = ("1735924831603391125", "1792480725958881282")
        let expected =
            switch success {
            case .numbers: "[\(done)]"
            case .texts: "[\"\(done)\"]"
            case .objects: "[\"\(done)\"]"
            case .emptyList: "[]"
            case .null: "null"
            }
        #expect(answer.text.contains("\"success\":\(expected)"))
        switch failed {
        case .numbers: #expect(answer.text.contains("\"failed\":[\(missed)]"))
        case .texts: #expect(answer.text.contains("\"failed\":[\"\(missed)\"]"))
        // Failures are never hidden behind an empty list.
        default: #expect(answer.text.contains(#""failed":[{"positionId":"1792480725958881282","errCode":101219"#))
        }
        #expect(Set(bench.open.keys) == [missed])
        #expect(bench.post(BingXBench.closeAll).code == 0)
        #expect(bench.open.isEmpty)
    }

    @Test(
        "answers a flat account in each of its ways",
        arguments: [
            (BingXFlatAnswer.emptyList, 0, #""success":[]"#), (.null, 0, #""success":null"#),
            (.noPosition, 101_205, "No position to close"), (.positionMissing, 109_420, "position not exist"),
        ])
    func flat(_ way: BingXFlatAnswer, _ code: Int, _ text: String) {
        var switches = BingXSwitches()
        switches.flatAnswer = way
        var bench = BingXBench(switches: switches)
        let answer = bench.post(BingXBench.closeAll)
        #expect(answer.code == code)
        #expect(answer.text.contains(text))
    }

    @Test("fails as a whole, or passes a symbol over in silence") func otherFailures() {
        var switches = BingXSwitches()
        switches.failures = ["ETH-USDT": SymbolFailure(.call, code: "109403", times: 1)]
        var whole = BingXBench(switches: switches, two)
        #expect(whole.post(BingXBench.closeAll).code == 109_403)
        #expect(whole.open.count == 2)
        switches.failures = ["ETH-USDT": SymbolFailure(.omitted, times: 1)]
        var silent = BingXBench(switches: switches, two)
        let answer = silent.post(BingXBench.closeAll)
        #expect(answer.text.contains(#""failed":null"#))
        #expect(silent.open.count == 1)
    }

    @Test("refuses the same target within a second, if it is so set", arguments: [true, false])
    func repeated(_ refuses: Bool) {
        var switches = BingXSwitches()
        switches.refusesRepeats = refuses
        var bench = BingXBench(switches: switches, two)
        bench.post(BingXBench.closeAll, ["symbol": "BTC-USDT"])
        bench.wait(999)
        #expect(bench.post(BingXBench.closeAll, ["symbol": "BTC-USDT"]).code == (refuses ? 109_201 : 0))
        #expect(bench.post(BingXBench.closeAll, ["symbol": "ETH-USDT"]).code == 0)
        bench.wait(1)
        #expect(bench.post(BingXBench.closeAll, ["symbol": "BTC-USDT"]).code == 0)
    }

    @Test("closes exactly the position named, of two on one side") func closeOne() {
        var bench = BingXBench(fillDelayMs: 50) { fleet in
            fleet.edit(0) { $0.bingx.marginType = "SEPARATE_ISOLATED" }
            for (id, size) in [("1769649551460794368", "0.2"), ("1769649551460794369", "0.7")] as [(String, Fixed)] {
                fleet.position(
                    0, "BTC-USDT", product: "swap", side: .long, quantity: size, marginMode: "isolated", id: id)
            }
        }
        let answer = bench.post(BingXBench.closeOne, ["positionId": "1769649551460794369"])
        #expect(answer.code == 0)
        #expect(answer.data["side"] as? String == "Ask")
        #expect(answer.data["positionSide"] as? String == "Long")
        #expect(answer.data["origQty"] as? String == "0.7")
        #expect(answer.text.contains(#""orderId":1735924831603391125,"#))
        #expect(bench.open.count == 2)
        // Accepted already: there is nothing left to close.
        #expect(bench.post(BingXBench.closeOne, ["positionId": "1769649551460794369"]).code == 109_420)
        bench.wait(50)
        bench.simulation.advance(toNs: bench.now)
        #expect(bench.open == ["1769649551460794368": "0.2"])
        #expect(bench.post(BingXBench.closeOne, ["positionId": "7"]).code == 109_420)
    }

    @Test("the band leaves a rest of the first close") func band() {
        var switches = BingXSwitches()
        switches.bandSymbols = ["BTC-USDT"]
        var bench = BingXBench(switches: switches, two)
        #expect(bench.post(BingXBench.closeAll).code == 0)
        #expect(bench.open == ["1792480725958881281": "0.25"])
        #expect(bench.post(BingXBench.closeAll).code == 0)
        #expect(bench.open.isEmpty)
    }

    @Test(
        "does with a held part as it is set",
        arguments: [
            (BingXHeldBehaviour.closesWhole, nil as Fixed?), (.closesAvailable, "0.2"), (.refuses, "0.5"),
        ])
    func held(_ behaviour: BingXHeldBehaviour, _ left: Fixed?) {
        var switches = BingXSwitches()
        switches.held = behaviour
        var bench = BingXBench(switches: switches) {
            two(&$0)
            $0.resting(0, "BTC-USDT", product: "swap", leg: .long, closes: true, size: "0.2")
        }
        #expect(bench.get(BingXBench.positions).text.contains(#""availableAmt":"0.3""#))
        #expect(bench.post(BingXBench.closeAll).code == 0)
        #expect(bench.open["1792480725958881281"] == left)
    }

    @Test(
        "says why a symbol cannot be closed",
        arguments: [("maintain", 109_415), ("restrictedAPI", 101_415), ("off", 109_418), ("listed", 109_425)])
    func barred(_ status: String, _ code: Int) {
        var bench = BingXBench(two)
        bench.simulation.perform(
            .setStatus(product: "swap", symbol: "BTC-USDT", status: status), uid: "16844999", atNs: 0)
        #expect(bench.post(BingXBench.closeOne, ["positionId": "1792480725958881281"]).code == code)
        bench.simulation.perform(
            .setStatus(product: "swap", symbol: "BTC-USDT", status: "limit_open"), uid: "16844999", atNs: 0)
        #expect(bench.get("/openApi/swap/v2/quote/premiumIndex", ["symbol": "BTC-USDT"]).code == 109_415)
        #expect(bench.post(BingXBench.closeOne, ["positionId": "1792480725958881281"]).code == 0)
    }

    @Test("numbers its errors in the old way, the new way and both", arguments: BingXNumbering.allCases)
    func numbering(_ numbering: BingXNumbering) {
        var switches = BingXSwitches()
        switches.numbering = numbering
        var bench = BingXBench(switches: switches)
        var codes: Set<Int> = []
        for _ in 0..<18 {
            codes.insert(bench.post(BingXBench.closeOne, ["positionId": "7"]).code)
            bench.wait(1_000)
        }
        let expected: Set<Int> =
            switch numbering {
            case .new: [109_420]
            case .old: [80_017]
            case .mixed: [109_420, 80_017]
            }
        #expect(codes == expected)
    }

    @Test("closes coin-margined contracts apart, with ids as text") func coin() {
        var bench = BingXBench {
            two(&$0)
            $0.position(0, "BTC-USD", product: "cswap", side: .short, quantity: "7")
        }
        let rows = bench.get("/openApi/cswap/v1/user/positions").rows
        #expect(rows.count == 1)
        #expect(rows[0]["positionAmt"] as? String == "7")
        #expect(rows[0]["currency"] as? String == "BTC")
        let answer = bench.post("/openApi/cswap/v1/trade/closeAllPositions")
        #expect(answer.data["success"] as? [String] == ["1735924831603391125"])
        #expect(bench.open.count == 2)
        #expect(bench.send(SimulatedRequest(method: "GET", target: "/openApi/cswap/v1/market/contracts")).status == 400)
        let listed = bench.send(
            SimulatedRequest(method: "GET", target: "/openApi/cswap/v1/market/contracts?timestamp=1"))
        #expect(listed.rows.count == 5)
    }
}
