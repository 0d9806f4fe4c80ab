import FlatbookCore
import Testing

@Suite("What accounts check makes of an exchange's answers")
struct AccountCheckTests {
    private func check(
        _ identity: Identity, uid: String? = "1", offset: Int64? = 12, expected: [String] = []
    ) -> AccountCheck {
        var check = AccountCheck(
            account: Account(
                name: "a", exchange: ExchangeID("okx"), environment: .production, uid: uid,
                source: SourceLocation(file: "accounts/a.yaml", line: 3)))
        check.identity = identity
        check.clockOffset = offset
        check.judge(expected: expected)
        return check
    }

    private func state(_ check: AccountCheck, _ kind: AccountCheck.Finding.Kind) -> AccountCheck.Finding.State? {
        check.findings.first { $0.kind == kind }?.state
    }

    static let good = Identity(
        uid: "1", mayTrade: true, mayWithdraw: false, boundIPs: ["203.0.113.0/24", "198.51.100.7"],
        positionMode: .hedge, accountKind: "futures")

    @Test("a good key passes every check")
    func passes() {
        let check = check(Self.good, expected: ["203.0.113.9", "198.51.100.7"])
        #expect(check.state == .passed && check.action == nil)
        #expect(check.findings.allSatisfy { $0.state == .pass })
        #expect(Set(check.findings.map(\.kind)) == Set(AccountCheck.Finding.Kind.allCases))
    }

    @Test("another account's key, no right to trade and a foreign address refuse the account")
    func refuses() {
        #expect(check(Self.good, uid: "2").state == .refused)
        var noTrade = Self.good
        noTrade.mayTrade = false
        #expect(check(noTrade).state == .refused && state(check(noTrade), .trade) == .fail)
        let elsewhere = check(Self.good, expected: ["203.0.114.9"])
        #expect(elsewhere.state == .refused && state(elsewhere, .ip) == .fail)
    }

    @Test("the right to withdraw, no bound address, an unpinned uid and a strange clock warn and pass")
    func warns() {
        var powerful = Self.good
        powerful.mayWithdraw = true
        #expect(check(powerful).state == .passed && state(check(powerful), .withdraw) == .warn)
        var unbound = Self.good
        unbound.boundIPs = []
        #expect(check(unbound).state == .passed && state(check(unbound), .ip) == .warn)
        let unpinned = check(Self.good, uid: nil)
        #expect(unpinned.state == .passed && state(unpinned, .identity) == .warn)
        #expect(unpinned.action?.contains("uid: \"1\"") == true)
        let skewed = check(Self.good, offset: -45_000)
        #expect(skewed.state == .passed && state(skewed, .clock) == .warn)
    }

    @Test("what an exchange does not say is unknown, never passed")
    func unknown() {
        let silent = check(Identity(), offset: nil)
        #expect(silent.state == .passed)
        for kind in [AccountCheck.Finding.Kind.identity, .trade, .withdraw, .ip, .clock, .positionMode, .kind] {
            #expect(state(silent, kind) == .unknown)
        }
    }
}
