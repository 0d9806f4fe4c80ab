package import FlatbookCore

/// Holds requests back from an exchange, or for an account, that mostly fails (`reliability.md` §2.5).
///
/// Per account: while more than a fifth of its requests of the last 30 s failed (5xx, timeouts, cut or refused
/// connections), it sends at most twice as many as were answered, which is the adaptive throttling of the SRE book without its
/// dice, and repeats at most a tenth of its first attempts; one probe goes every five seconds. The first good answer
/// ends it. Per exchange: where most of its accounts are in that state, they share one probe.
///
/// An account whose own requests are answered is never held back, whatever the others meet. A pure value: time comes in.
package struct CircuitBreaker: Sendable {
    package static let window = TimeSpan.seconds(30)
    package static let probeInterval = TimeSpan.seconds(5)
    /// Fewer requests than this say nothing.
    package static let fewest = 10

    /// What was sent for one account within the window.
    private struct Health {
        /// Ends of requests, oldest first.
        var ends: [(at: Instant, isGood: Bool)] = []
        /// Failures of requests sent before this belong to the trouble that ended then.
        var since = Instant(nanoseconds: .min)
        var isOpen = false
        var probedAt: Instant?
        /// Sends while open: first attempts and repeats.
        var firsts = 0
        var repeats = 0

        var failures: Int { ends.count { !$0.isGood } }
        var isFailing: Bool { ends.count >= CircuitBreaker.fewest && failures * 5 > ends.count }
    }

    private var accounts: [String: Health] = [:]
    private var probedAt: Instant?

    package init() {}

    /// A request ended.
    ///
    /// - Parameters:
    ///   - isGood: the exchange answered at all; its "no" is an answer.
    ///   - sentAt: when it was dispatched.
    package mutating func note(_ account: String, isGood: Bool, sentAt: Instant, at now: Instant) {
        var health = accounts[account] ?? Health()
        guard isGood || sentAt >= health.since else { return }
        if isGood, health.isOpen {
            // It is back: what failed before says nothing of now.
            health = Health()
            health.since = now
            // The exchange may be back as well: the next account need not wait for its turn to find out.
            probedAt = nil
        }
        health.ends.append((now, isGood))
        health.ends.removeAll { now - $0.at > Self.window }
        if !isGood, health.isFailing { health.isOpen = true }
        accounts[account] = health
    }

    /// The account has ended: what it met says nothing of the others any more.
    package mutating func forget(_ account: String) { accounts[account] = nil }

    /// Whether most accounts that were heard of lately fail: then it is the exchange.
    package func isExchangeFailing(at now: Instant) -> Bool {
        let recent = accounts.values.filter { $0.ends.last.map { now - $0.at <= Self.window } ?? false || $0.isOpen }
        return recent.count >= 2 && recent.count(where: \.isOpen) * 2 > recent.count
    }

    /// When a request of this account may go; nil = now.
    package func holdsBack(_ account: String, isRepeat: Bool, at now: Instant) -> Instant? {
        guard let health = accounts[account], health.isOpen else { return nil }
        let probed = isExchangeFailing(at: now) ? probedAt : health.probedAt
        guard let probed else { return nil }
        let next = probed + Self.probeInterval
        if next <= now { return nil }
        let recent = health.ends.filter { now - $0.at <= Self.window }
        let good = recent.count { $0.isGood }
        let isWithinThrottle = recent.count + 1 <= 2 * good
        let isWithinBudget = !isRepeat || (health.repeats + 1) * 10 <= health.firsts
        return isWithinThrottle && isWithinBudget ? nil : next
    }

    /// A request of this account goes out.
    package mutating func sent(_ account: String, isRepeat: Bool, at now: Instant) {
        guard var health = accounts[account], health.isOpen else { return }
        if isRepeat { health.repeats += 1 } else { health.firsts += 1 }
        let isShared = isExchangeFailing(at: now)
        let probed = isShared ? probedAt : health.probedAt
        if probed.map({ $0 + Self.probeInterval <= now }) ?? true {
            health.probedAt = now
            if isShared { probedAt = now }
        }
        accounts[account] = health
    }
}

/// Counts equal "no"s of one endpoint for one account. Exchanges punish failing calls: BingX closes an endpoint after more
/// than 20 of one code within 480 s (`bingx.md` §4).
package struct ErrorTally: Sendable {
    package static let most = 20
    package static let window = TimeSpan.seconds(480)

    private var ends: [String: [Instant]] = [:]

    package init() {}

    /// Notes a "no".
    ///
    /// - Returns: true once there were ``most`` of this route and code within the window: one more would be punished.
    package mutating func note(route: String, code: String, at now: Instant) -> Bool {
        let key = route + " " + code
        var times = ends[key] ?? []
        times.removeAll { now - $0 > Self.window }
        times.append(now)
        ends[key] = times
        return times.count >= Self.most
    }
}
