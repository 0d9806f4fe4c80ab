import FlatbookCore
import Testing

@Suite("The sizes of orders that close in parts")
struct SizeLimitTests {
    private func amount(_ text: String?) throws -> Amount? { try text.map { try Amount($0) } }

    struct Case: Sendable {
        var quantity: String
        var cap: String?
        var step: String?
        var minimum: String?
        var refused: String?
        var isWhole = false
        var parts: [String]?
    }

    @Test(
        "cuts by the cap, rounded down to the step, the last one exact",
        arguments: [
            Case(quantity: "7", cap: "2", step: "1", parts: ["2", "2", "2", "1"]),
            Case(quantity: "6", cap: "2", step: "1", parts: ["2", "2", "2"]),
            Case(quantity: "2", cap: "2", step: "1", parts: ["2"]),
            Case(quantity: "4.3209", cap: "1.23456", step: "0.0001", parts: ["1.2345", "1.2345", "1.2345", "0.6174"]),
            // The rest is exact even where it is no multiple of the step.
            Case(quantity: "2.55", cap: "1", step: "0.1", parts: ["1", "1", "0.55"]),
            Case(quantity: "5", parts: ["5"]),
            Case(quantity: "5", step: "1", isWhole: true, parts: ["2", "1", "1", "1"]),
            Case(quantity: "8", cap: "10", step: "1", refused: "4", parts: ["2", "2", "2", "2"]),
            Case(quantity: "8", cap: "1", step: "1", refused: "4", parts: [String](repeating: "1", count: 8)),
            // What is left must not be below the smallest order.
            Case(quantity: "2.3", cap: "1", step: "0.1", minimum: "0.5", parts: ["1", "0.5", "0.8"]),
            Case(quantity: "0.3", cap: "1", step: "0.1", minimum: "0.5", parts: ["0.3"]),
            // No order fits: below the step, below the smallest one, or nothing at all.
            Case(quantity: "5", cap: "0.4", step: "1", parts: nil),
            Case(quantity: "5", cap: "0.4", minimum: "0.5", parts: nil),
            Case(quantity: "0", cap: "1", parts: nil),
        ])
    func parts(test: Case) throws {
        let limit = SizeLimit(
            cap: try amount(test.cap), step: try amount(test.step), minimum: try amount(test.minimum),
            refused: try amount(test.refused), isWholeRefused: test.isWhole)
        var left = try Amount(test.quantity)
        var parts: [String] = []
        while let part = limit.part(of: left), parts.count < 50 {
            parts.append(part.description)
            left = try left.adding(part.negated)
        }
        // A whole that was refused is halved each time it is looked at, until the rest is one step.
        if test.isWhole {
            #expect(parts.first == "2" && parts.count >= 3)
        } else {
            #expect(parts == test.parts ?? [])
            #expect(test.parts == nil || left.isZero)
        }
    }

    @Test("never asks for more than there is, nor for more than the cap", arguments: 0..<400)
    func bounds(seed: Int) throws {
        let quantity = try Amount("\(seed * 7919 % 10_007 + 1)e-3")
        let cap = try Amount("\(seed * 104_729 % 4_001 + 1)e-3")
        let step = try Amount(["0.001", "0.01", "0.1", "1"][seed % 4])
        let limit = SizeLimit(cap: cap, step: step, minimum: seed % 3 == 0 ? step : nil)
        guard let part = limit.part(of: quantity) else {
            #expect(cap < step, "\(quantity) \(cap) \(step)")
            return
        }
        #expect(part <= quantity && (part <= cap || quantity <= cap) && !part.isZero)
        #expect(try part == quantity || part.roundedDown(to: step) == part)
    }

    @Test(
        "counts the parts of a whole",
        arguments: [("7", "2", 4), ("6", "2", 3), ("0.3", "0.1", 3), ("0", "1", 0)] as [(String, String, Int?)]
            + [("1", "0", nil)])
    func count(whole: String, part: String, expected: Int?) throws {
        #expect(try Amount(whole).parts(of: Amount(part)) == expected)
    }
}

@Suite("Obstacles")
struct ObstacleTests {
    @Test("every obstacle has words of its own, and what passes by itself is no matter of size or rules")
    func words() {
        #expect(Set(Obstacle.allCases.map(\.reason)).count == Obstacle.allCases.count)
        #expect(Obstacle.allCases.allSatisfy { !$0.reason.isEmpty })
        #expect(Obstacle.allCases.filter(\.passes) == [.suspended, .delivery, .adl, .liquidation, .illiquid])
        #expect(Obstacle.allCases.compactMap(\.closer) == [.delivery, .adl, .liquidation])
    }
}
