public import FlatbookCore

/// What every plugin's error table must say of the codes that can leave a leg open.
public enum ErrorTableContract {
    /// One row of a table, as far as it is judged.
    public struct Row: Sendable {
        public var codes: String
        public var errorClass: ErrorClass
        public var obstacle: Obstacle?
        public var action: String?
        public init(codes: String, errorClass: ErrorClass, obstacle: Obstacle?, action: String?) {
            self.codes = codes
            self.errorClass = errorClass
            self.obstacle = obstacle
            self.action = action
        }
    }

    /// Empty where every code that can end a leg says what the operator can do, every "not like this" has a reason by name,
    /// and the reasons fit their classes: a size adapts, held size is a conflict, what passes by itself is tried again.
    public static func problems(_ rows: [Row]) -> [String] {
        rows.flatMap { row -> [String] in
            var problems: [String] = []
            if endsLegs(row.errorClass), (row.action ?? "").isEmpty { problems.append("\(row.codes): no action") }
            if [.market, .conflict, .adapt].contains(row.errorClass), row.obstacle == nil {
                problems.append("\(row.codes): no reason by name")
            }
            if let obstacle = row.obstacle, !fits(obstacle, row.errorClass) {
                problems.append("\(row.codes): \(obstacle.rawValue) with class \(row.errorClass.rawValue)")
            }
            return problems
        }
    }

    private static func endsLegs(_ errorClass: ErrorClass) -> Bool {
        [.market, .conflict, .adapt, .fatalCall, .fatalAccount, .fatalVenue].contains(errorClass)
    }

    private static func fits(_ obstacle: Obstacle, _ errorClass: ErrorClass) -> Bool {
        switch obstacle {
        case .tooLarge, .tooSmall, .step: errorClass == .adapt
        case .held: errorClass == .conflict
        case .suspended, .delivery, .adl, .liquidation, .illiquid: errorClass == .market || errorClass == .retry
        case .barred, .delisted, .riskControl, .rules, .mode, .margin, .copyTrading: true
        }
    }
}
