import ExchangeSimulator
import Testing

private struct Vector: Sendable, CustomTestStringConvertible {
    var name: String
    var stamp: Int64
    var method: String
    var target: String
    var body: String = ""
    var sign: String
    var isRight = true
    var testDescription: String { name }
}

private let path = "/api/v2/mix/"
private let lobster = "%E9%BE%99%E8%99%BEUSDT"
private let orderBody =
    #"{"symbol":"龙虾USDT","productType":"USDT-FUTURES","marginMode":"crossed","marginCoin":"USDT","size":"0.5","side":"sell","orderType":"market","reduceOnly":"YES","clientOid":"a#1+b_2"}"#
private let vectors = [
    Vector(
        name: "B", stamp: 1_790_000_000_123, method: "GET",
        target: path + "position/all-position?marginCoin=USDT&productType=USDT-FUTURES",
        sign: "SNqECIXAGpOE0NQ3mIMwegCEfjNkL4jgFdbJJCUBFCA="),
    Vector(
        name: "C", stamp: 1_790_000_001_000, method: "POST", target: path + "order/close-positions",
        body: #"{"productType":"USDT-FUTURES"}"#, sign: "uoFg+ftw2SE/FyxeFkMyuORj4pCqa4trsy6JBsfa8lo="),
    Vector(
        name: "D", stamp: 1_790_000_001_000, method: "POST", target: path + "order/close-positions",
        body: #"{"productType":"USDT-FUTURES","symbol":"BTCUSDT","holdSide":"long"}"#,
        sign: "uVO3vKt3w5L9VHeNj0z66jRVO89DfvS+VhUG1Wnlk9s="),
    Vector(
        name: "E", stamp: 1_790_000_002_000, method: "GET",
        target: path + "position/single-position?marginCoin=USDT&productType=USDT-FUTURES&symbol=" + lobster,
        sign: "dEU6gdgmgml2tc2rz7NU3cM2STk24n4zigzjOOARYHA="),
    Vector(
        name: "F", stamp: 1_790_000_002_000, method: "GET",
        target: path + "order/detail?clientOid=a%231%2Bb_2&productType=USDT-FUTURES&symbol=BTCUSDT",
        sign: "e07gobtPlYL4rlVb7paZuyUEnTv1mp+vkJwOzTKgfkQ="),
    Vector(
        name: "G", stamp: 1_790_000_003_000, method: "POST", target: path + "order/place-order", body: orderBody,
        sign: "+BUuJplmHTG7nehb3XDJTZ1kGMvGS698LIINPNVYIcw="),
    Vector(
        name: "E over the encoded query", stamp: 1_790_000_002_000, method: "GET",
        target: path + "position/single-position?marginCoin=USDT&productType=USDT-FUTURES&symbol=" + lobster,
        sign: "qHJyP3Ye19oIH0/BAlFRFiBrwpT4IP81pM8RYD3igCY=", isRight: false),
    Vector(
        name: "C over another layout", stamp: 1_790_000_001_000, method: "POST", target: path + "order/close-positions",
        body: #"{"productType":"USDT-FUTURES"}"#, sign: "ddBFKH+bxd8+vVvHHf/8v7cYX/53Bz/ohRoZN51vXC8=",
        isRight: false),
    Vector(
        name: "B in another order", stamp: 1_790_000_000_123, method: "GET",
        target: path + "position/all-position?marginCoin=USDT&productType=USDT-FUTURES",
        sign: "TXXU2/8cLu5+K1CT8SbpeYjBuorD7Z+QusoD0Ao8fn4=", isRight: false),
    Vector(
        name: "B in that order, sent so", stamp: 1_790_000_000_123, method: "GET",
        target: path + "position/all-position?productType=USDT-FUTURES&marginCoin=USDT",
        sign: "TXXU2/8cLu5+K1CT8SbpeYjBuorD7Z+QusoD0Ao8fn4="),
]

@Suite struct SignatureTests {
    @Test("#9 judges each signature vector of the sheet", arguments: vectors)
    fileprivate func judgesVector(_ vector: Vector) {
        let identity = FleetBuilder.Identity(
            name: "sheet", uid: "1", key: "bg_0123456789abcdef0123456789abcdef",
            secret: "7f3c9a1be25d48f06a9b8c7d6e5f40312233445566778899aabbccddeeff0011", passphrase: "Flatten2026")
        var fleet = FleetBuilder(seed: 1)
        fleet.add(identity)
        var simulation = ExchangeSimulation(SimulationConfiguration(seed: 1, accounts: fleet.accounts))
        let request = SimulatedRequest(
            method: vector.method, target: vector.target,
            headers: [
                ("access-key", identity.key), ("access-sign", vector.sign),
                ("access-timestamp", String(vector.stamp)), ("access-passphrase", identity.passphrase),
                ("content-type", "application/json"),
            ], body: Array(vector.body.utf8))
        let answer = Bench.Answer(simulation.receive(request, atMs: vector.stamp + 29_000, arrivalNs: 0))
        #expect((answer.code == "40009") == !vector.isRight, "\(answer.text)")
        #expect(!answer.code.isEmpty)
    }
}
