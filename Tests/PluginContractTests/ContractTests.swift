import ExchangeKit
import FlatbookCore
import FlatbookTestKit
import Testing

/// Every exchange of this package, in the order of the documentation.
let everyExchange = [bitgetUnderTest, okxUnderTest, bingxUnderTest]

@Suite("The plugin contract")
struct ContractTests {
    @Test("holds on recorded data", arguments: everyExchange, PluginContract.Case.allCases.filter { !$0.needsStage })
    func pure(exchange: ExchangeUnderTest, number: PluginContract.Case) async {
        for problem in await PluginContract.problems(number, of: exchange) {
            Issue.record("\(exchange), \(number): \(problem)")
        }
    }

    @Test("holds on the simulator", arguments: everyExchange, PluginContract.Case.allCases.filter(\.needsStage))
    func staged(exchange: ExchangeUnderTest, number: PluginContract.Case) async {
        for problem in await PluginContract.problems(number, of: exchange) {
            Issue.record("\(exchange), \(number): \(problem)")
        }
    }

    /// Cases 1 to 9 prove themselves on the made-up exchange, these on a right plugin with one thing wrong.
    @Test("finds each defect on the simulator", arguments: Careless.Defect.allCases)
    func wrong(defect: Careless.Defect) async {
        var exchange = bitgetUnderTest
        exchange.plugin = Careless(right: exchange.plugin, defect: defect)
        let problems = await PluginContract.problems(defect.foundBy, of: exchange)
        let isFound = problems.contains { $0.contains(defect.says) }
        #expect(isFound, "\(defect) is not found by \(defect.foundBy), which says \(problems)")
    }

    @Test("has stable numbers and a title for each")
    func numbers() {
        #expect(PluginContract.Case.allCases.map(\.rawValue) == Array(1...19))
        #expect(Set(PluginContract.Case.allCases.map(\.title)).count == 19)
    }
}
