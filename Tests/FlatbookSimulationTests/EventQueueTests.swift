import Testing

@testable import FlatbookSimulation

@Suite("The order of simulated events")
struct EventQueueTests {
    @Test("the earliest comes first, equal times in the order they were put in", arguments: 1...20)
    func ordered(seed: UInt64) {
        var random = TestRandom(seed: seed)
        var queue = EventQueue<Int>()
        var expected: [(at: Int64, event: Int)] = []
        for event in 0..<200 {
            let at = random.next(in: 0...20)
            queue.push(event, at: at)
            expected.append((at, event))
        }
        expected.sort { ($0.at, $0.event) < ($1.at, $1.event) }
        var seen: [Int] = []
        while let next = queue.pop() { seen.append(next.event) }
        #expect(seen == expected.map(\.event))
    }
}
