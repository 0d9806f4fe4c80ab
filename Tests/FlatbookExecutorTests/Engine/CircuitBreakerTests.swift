import FlatbookCore
import FlatbookExecutor
import Testing

@Suite("Circuit breaker")
struct CircuitBreakerTests {
    private func at(_ ms: Int64) -> Instant { Instant(nanoseconds: ms * 1_000_000) }

    /// `good` answers and then `bad` failures, one a millisecond from `start`.
    private func feed(_ breaker: inout CircuitBreaker, _ name: String, good: Int, bad: Int, from start: Int64 = 0) {
        for index in 0..<(good + bad) {
            let ms = start + Int64(index)
            breaker.note(name, isGood: index < good, sentAt: at(ms), at: at(ms))
        }
    }

    @Test(
        "opens where more than a fifth of at least ten requests failed, never at exactly a fifth",
        arguments: [(0, 9, false), (0, 10, true), (8, 2, false), (7, 3, true), (40, 10, false), (39, 11, true)])
    func threshold(good: Int, bad: Int, isOpen: Bool) {
        var breaker = CircuitBreaker()
        feed(&breaker, "a", good: good, bad: bad)
        breaker.sent("a", isRepeat: true, at: at(100))
        #expect((breaker.holdsBack("a", isRepeat: true, at: at(100)) != nil) == isOpen)
    }

    @Test("one probe goes every five seconds, to the millisecond")
    func probes() {
        var breaker = CircuitBreaker()
        feed(&breaker, "a", good: 0, bad: 10)
        #expect(breaker.holdsBack("a", isRepeat: false, at: at(10)) == nil)
        breaker.sent("a", isRepeat: false, at: at(10))
        #expect(breaker.holdsBack("a", isRepeat: false, at: at(5_009)) == at(5_010))
        #expect(breaker.holdsBack("a", isRepeat: false, at: at(5_010)) == nil)
    }

    @Test("failures older than thirty seconds count no more")
    func window() {
        var breaker = CircuitBreaker()
        feed(&breaker, "a", good: 0, bad: 9)
        breaker.note("a", isGood: false, sentAt: at(30_100), at: at(30_100))
        breaker.sent("a", isRepeat: false, at: at(30_101))
        #expect(breaker.holdsBack("a", isRepeat: false, at: at(30_101)) == nil)
    }

    @Test("while some are answered, at most twice as many go out")
    func throttles() {
        var breaker = CircuitBreaker()
        feed(&breaker, "a", good: 8, bad: 3)
        breaker.sent("a", isRepeat: false, at: at(20))
        #expect(breaker.holdsBack("a", isRepeat: false, at: at(21)) == nil)
        feed(&breaker, "a", good: 0, bad: 5, from: 30)
        #expect(breaker.holdsBack("a", isRepeat: false, at: at(40)) == at(5_020))
    }

    @Test("repeats are at most a tenth of the first attempts")
    func repeatBudget() {
        var breaker = CircuitBreaker()
        feed(&breaker, "a", good: 30, bad: 8)
        breaker.sent("a", isRepeat: false, at: at(50))
        for _ in 0..<8 { breaker.sent("a", isRepeat: false, at: at(51)) }
        #expect(breaker.holdsBack("a", isRepeat: true, at: at(52)) != nil)
        breaker.sent("a", isRepeat: false, at: at(53))
        #expect(breaker.holdsBack("a", isRepeat: true, at: at(54)) == nil)
        breaker.sent("a", isRepeat: true, at: at(54))
        #expect(breaker.holdsBack("a", isRepeat: true, at: at(55)) != nil)
    }

    @Test("the first good answer ends it, and late failures of the same trouble do not bring it back")
    func recovers() {
        var breaker = CircuitBreaker()
        feed(&breaker, "a", good: 0, bad: 20)
        breaker.sent("a", isRepeat: false, at: at(100))
        breaker.note("a", isGood: true, sentAt: at(100), at: at(140))
        for ms in 141..<170 { breaker.note("a", isGood: false, sentAt: at(30), at: at(Int64(ms))) }
        #expect(breaker.holdsBack("a", isRepeat: true, at: at(171)) == nil)
    }

    @Test("an account that is answered is never held back, whatever the others meet")
    func healthy() {
        var breaker = CircuitBreaker()
        feed(&breaker, "well", good: 10, bad: 0)
        for name in ["a", "b", "c"] {
            feed(&breaker, name, good: 0, bad: 20)
            breaker.sent(name, isRepeat: false, at: at(30))
        }
        #expect(breaker.isExchangeFailing(at: at(31)))
        #expect(breaker.holdsBack("well", isRepeat: true, at: at(31)) == nil)
        #expect(breaker.holdsBack("unheard", isRepeat: false, at: at(31)) == nil)
    }

    @Test("accounts of a failing exchange share one probe; one sick account is no failing exchange")
    func shares() {
        var breaker = CircuitBreaker()
        feed(&breaker, "a", good: 0, bad: 20)
        feed(&breaker, "well", good: 20, bad: 0)
        #expect(!breaker.isExchangeFailing(at: at(31)))
        feed(&breaker, "b", good: 0, bad: 20)
        #expect(breaker.isExchangeFailing(at: at(31)))
        breaker.sent("a", isRepeat: false, at: at(40))
        #expect(breaker.holdsBack("b", isRepeat: false, at: at(41)) == at(5_040))
    }

    @Test("twenty equal errors of one route within eight minutes stop it; others and older ones do not count")
    func tally() {
        var tally = ErrorTally()
        func note(_ route: String, _ code: String, _ ms: Int64) -> Bool {
            tally.note(route: route, code: code, at: at(ms))
        }
        for index in 0..<19 {
            let isStopped = note("r", "1", Int64(index))
            #expect(!isStopped)
        }
        let others = [note("r", "2", 30), note("s", "1", 30)]
        #expect(others == [false, false])
        let early = tally
        let last = note("r", "1", 479_999)
        #expect(last)
        tally = early
        let late = note("r", "1", 480_001)
        #expect(!late)
    }
}
