import ExchangeKit
import FlatbookCore
import FlatbookTestKit
import Testing

@testable import BingXExchange

@Suite("What stands in the way of a close at BingX")
struct ObstacleTests {
    @Test("every code that can end a leg open has an action and a reason by name")
    func table() {
        let rows = BingXErrorTable.rows.map {
            ErrorTableContract.Row(
                codes: "\($0.codes)", errorClass: $0.errorClass, obstacle: $0.obstacle, action: $0.action)
        }
        #expect(rows.count > 20)
        #expect(ErrorTableContract.problems(rows).isEmpty, "\(ErrorTableContract.problems(rows))")
    }
}
