import ExchangeSimulator
import Testing

private struct OKXVector: Sendable, CustomTestStringConvertible {
    var name: String
    var stamp: String
    var target: String
    var body: String?
    var sign: String
    var testDescription: String { name }
}

private let compact = #"{"instId":"BTC-USDT-SWAP","mgnMode":"cross"}"#
private let spaced = #"{"instId": "BTC-USDT-SWAP", "mgnMode": "cross"}"#
private let everyField =
    #"{"instId":"BTC-USDT-SWAP","mgnMode":"isolated","posSide":"long","autoCxl":true,"clOrdId":"flt20260921000001","tag":"flatten"}"#
private let twoOrders =
    #"[{"instId":"BTC-USDT-SWAP","ordId":"590908157585625111"},{"instId":"BTC-USDT-SWAP","ordId":"590908544950571222"}]"#

/// The sheet's (§2.4).
private let right = [
    OKXVector(
        name: "A", stamp: "2026-09-21T14:13:20.000Z", target: "/api/v5/account/config",
        sign: "HH63wiWTHLFVni4+PxpclV741p1kmc0dGqXCV5x7eyM="),
    OKXVector(
        name: "A without milliseconds", stamp: "2026-09-21T14:13:20Z", target: "/api/v5/account/config",
        sign: "+MKVc+gk2TqHi+Frygvmu9HPp+jd0dgtFPKMt9ZRMyg="),
    OKXVector(
        name: "B", stamp: "2026-09-21T14:13:20.123Z", target: "/api/v5/account/positions?instType=SWAP",
        sign: "kcwn5dWY2UPHTh2RS0st8ozz+x6w4P8XYjUsmRMgXYk="),
    OKXVector(
        name: "C", stamp: "2026-09-21T14:13:20.456Z",
        target: "/api/v5/account/positions?instId=BTC-USDT-SWAP%2CETH-USDT-SWAP",
        sign: "6JWo33Blxu2PNum62DHpF1Jx7LyGl08Ko134exw+FZs="),
    OKXVector(
        name: "C with a raw comma", stamp: "2026-09-21T14:13:20.456Z",
        target: "/api/v5/account/positions?instId=BTC-USDT-SWAP,ETH-USDT-SWAP",
        sign: "CQOAM1YI4O9oB6nIwsLBSJLN8HegTDO7+pYnBEyIEiM="),
    OKXVector(
        name: "D", stamp: "2026-09-21T14:13:21.000Z", target: OKXBench.closePath, body: compact,
        sign: "5VuUXKPHwoqO1aJ+QQ5qjV1T+zw0YTdWLM6PEUuid6g="),
    OKXVector(
        name: "D with spaces", stamp: "2026-09-21T14:13:21.000Z", target: OKXBench.closePath, body: spaced,
        sign: "yhjRnpaORbgE2JeyRy+1m3j73F69OKc2Sni71dTMQns="),
    OKXVector(
        name: "E", stamp: "2026-09-21T14:13:21.001Z", target: OKXBench.closePath, body: everyField,
        sign: "Tbmqd/M7e6ZP9kqexem2vqg+im6wYfj1xndQVm6uJx4="),
    OKXVector(
        name: "F", stamp: "2026-09-21T14:13:22.000Z", target: "/api/v5/trade/cancel-batch-orders", body: twoOrders,
        sign: "3pyB1v/2mkLwzSFaqoJ7OupvzZ/Ud00BfAObs0x2NNM="),
    OKXVector(
        name: "G", stamp: "2026-09-21T14:13:23.005Z",
        target: "/api/v5/trade/order?instId=BTC-USDT-SWAP&clOrdId=flt20260921000001",
        sign: "RWs/M5ePnbI2/vkQCQAbpc83qtIZj/1Kc2lO58tPVro="),
]

private let wrong = [
    OKXVector(
        name: "B over its path alone", stamp: "2026-09-21T14:13:20.123Z",
        target: "/api/v5/account/positions?instType=SWAP", sign: "Kooxl4aRujRiNiU4kLzsFrIrRKqmDECwVncmgcn3CAA="),
    OKXVector(
        name: "D over the spaced body", stamp: "2026-09-21T14:13:21.000Z", target: OKXBench.closePath, body: compact,
        sign: "yhjRnpaORbgE2JeyRy+1m3j73F69OKc2Sni71dTMQns="),
    OKXVector(
        name: "C over the raw comma", stamp: "2026-09-21T14:13:20.456Z",
        target: "/api/v5/account/positions?instId=BTC-USDT-SWAP%2CETH-USDT-SWAP",
        sign: "CQOAM1YI4O9oB6nIwsLBSJLN8HegTDO7+pYnBEyIEiM="),
    OKXVector(
        name: "A of another time", stamp: "2026-09-21T14:13:20.001Z", target: "/api/v5/account/config",
        sign: "HH63wiWTHLFVni4+PxpclV741p1kmc0dGqXCV5x7eyM="),
    OKXVector(name: "no base64", stamp: "2026-09-21T14:13:20.000Z", target: "/api/v5/account/config", sign: "AAAA"),
]

@Suite struct OKXSignatureTests {
    private func code(_ vector: OKXVector) -> String {
        var bench = OKXBench()
        let identity = OKXBench.identity
        return bench.send(
            SimulatedRequest(
                method: vector.body == nil ? "GET" : "POST", target: vector.target,
                headers: [
                    ("OK-ACCESS-KEY", identity.key), ("OK-ACCESS-SIGN", vector.sign),
                    ("OK-ACCESS-TIMESTAMP", vector.stamp), ("OK-ACCESS-PASSPHRASE", identity.passphrase),
                    ("Content-Type", "application/json"),
                ], body: Array((vector.body ?? "").utf8))
        ).code
    }

    @Test("#11 accepts the sheet's signatures", arguments: right)
    fileprivate func accepts(_ vector: OKXVector) {
        // What comes after the signature may refuse; the call itself was understood.
        let expected = ["D": "51023", "D with spaces": "51023", "E": "51000", "F": "1", "G": "51603"]
        #expect(code(vector) == expected[vector.name] ?? "0")
    }

    @Test("#11 refuses a signature of anything else", arguments: wrong)
    fileprivate func refuses(_ vector: OKXVector) { #expect(code(vector) == "50113") }

    @Test(
        "#6 reads timestamps with and without milliseconds, and nothing else",
        arguments: [
            ("2026-09-21T14:13:20.000Z", "0"), ("2026-09-21T14:13:20Z", "0"), ("2026-09-21T14:13:50.000Z", "0"),
            ("2026-09-21T14:12:50.000Z", "0"), ("2026-09-21T14:13:50.001Z", "50102"),
            ("2026-09-21T14:12:49.999Z", "50102"), ("1790000000000", "50112"), ("2026-09-21 14:13:20.000Z", "50112"),
            ("2026-09-21T14:13:20.000+00:00", "50112"), ("2026-13-21T14:13:20.000Z", "50112"),
        ])
    func timestamps(_ stamp: String, _ code: String) {
        var bench = OKXBench()
        let answer = bench.send(OKXBench.signed("GET", "/api/v5/account/config", stamp: stamp))
        #expect(answer.code == code)
        if code != "0" {
            #expect(answer.status == 401)
            #expect(answer.json["data"] == nil)
        }
    }
}
