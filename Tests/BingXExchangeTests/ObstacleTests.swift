import ExchangeKit
import FlatbookCore
import Testing

@testable import BingXExchange

@Suite("What stands in the way of a close at BingX")
struct ObstacleTests {
    /// Classes that can end a leg as residual or refused.
    private static let ending: Set<ErrorClass> = [.market, .conflict, .adapt, .fatalCall, .fatalAccount, .fatalVenue]

    @Test("every code that can end a leg open says what the operator can do")
    func actions() {
        for row in BingXErrorTable.rows where Self.ending.contains(row.errorClass) {
            #expect(!(row.action ?? "").isEmpty, "\(row.codes)")
        }
    }

    @Test("every code of class market, conflict or adapt has a reason by name")
    func reasons() {
        for row in BingXErrorTable.rows where [.market, .conflict, .adapt].contains(row.errorClass) {
            #expect(row.obstacle != nil, "\(row.codes)")
        }
    }

    @Test("a reason fits its class: a size adapts, held size is a conflict, what passes by itself is tried again")
    func classes() {
        for row in BingXErrorTable.rows {
            switch row.obstacle {
            case .tooLarge, .tooSmall, .step: #expect(row.errorClass == .adapt, "\(row.codes)")
            case .held: #expect(row.errorClass == .conflict, "\(row.codes)")
            case .suspended, .delivery, .adl, .liquidation, .illiquid:
                #expect(row.errorClass == .market || row.errorClass == .retry, "\(row.codes)")
            case .barred, .delisted, .riskControl, .rules, .mode, .margin, .copyTrading, nil: continue
            }
        }
    }
}
