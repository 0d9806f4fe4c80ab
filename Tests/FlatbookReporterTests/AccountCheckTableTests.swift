import FlatbookCore
import Testing

@testable import FlatbookReporter

@Suite("accounts check as table and JSON")
struct AccountCheckTableTests {
    static let nasty = "=a\"b\\\n\u{1B}[2J\u{202E}台🙂"

    private var checks: [AccountCheck] {
        var open = AccountCheck(
            account: Account(
                name: "a-1", exchange: ExchangeID("okx"), environment: .demo,
                source: SourceLocation(file: "accounts/a.yaml", line: 7)))
        open.identity = Identity(uid: "447", mayTrade: true, boundIPs: [], positionMode: .oneWay)
        open.clockOffset = -3
        open.notRead = [.init(silo: "copy", reason: Self.nasty)]
        open.judge(expected: [])
        var refused = AccountCheck(
            account: Account(name: "b-1", exchange: ExchangeID("bingx"), environment: .demo, uid: "9"))
        refused.findings = [.init(.identity, .fail, "100413 Incorrect apiKey")]
        refused.refuse("check the key")
        return [open, refused]
    }

    @Test("the table names what is wrong and what to do, printable")
    func table() {
        let text = AccountCheckTable.render(checks, width: 200, pin: false)
        #expect(text.contains("1 of 2 accounts passed"))
        #expect(text.contains("100413 Incorrect apiKey") && text.contains("→ check the key"))
        #expect(!text.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
    }

    @Test("--pin prints lines for the accounts file, and only for accounts that are not pinned")
    func pins() {
        let text = AccountCheckTable.pins(checks)
        #expect(text == "# accounts/a.yaml\n  - name: a-1\n    uid: \"447\"\n")
    }

    @Test("JSON is one document with every finding; unsaid things are null")
    func json() throws {
        let value = try JSONValue.parse(Array(AccountCheckTable.json(checks, exitCode: 77, pin: true).utf8))
        #expect(value["exitCode"]?.text == "77")
        let accounts = try #require(value["accounts"]?.elements)
        #expect(accounts.count == 2)
        #expect(accounts[0]["mayWithdraw"]?.isNull == true)
        #expect(accounts[0]["checks"]?.elements?.count == AccountCheck.Finding.Kind.allCases.count)
        #expect(accounts[1]["state"]?.text == "refused")
        #expect(value["pin"]?.elements?.count == 1)
    }
}
