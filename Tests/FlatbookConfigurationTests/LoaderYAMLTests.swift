import FlatbookCore
import Foundation
import Testing

@testable import FlatbookConfiguration

@Suite("YAML of the configuration files")
struct LoaderYAMLTests {
    @Test(
        "refuses what YAML would read otherwise than a person",
        arguments: [
            ("accounts: [a, !b]", 4, "starts with !"), ("accounts:\n  - a\n  - !b", 6, "starts with !"),
            ("accounts: [*]", 4, "starts with *"), ("accounts: *x", 4, "starts with *"),
            ("verify: &v {reads: 2}", 4, "anchor"), ("verify:\n  ? &v reads\n  : 2", 5, "anchor"),
            ("symbols: [&a x, 'it''s, *x', *a]", 4, "anchor"),
            ("sides: long\nsides: short", 5, "is given twice; the first is on line 4"),
            ("verify:\n  reads: 2\n  # reads: 4\n\n  \"reads\": 3", 8, "is given twice; the first is on line 5"),
            ("verify: {reads: 2, reads: 3}", 4, "is given twice"), ("? [a]\n: b", 4, "has a key that is no word"),
            ("sides: [long", 4, "is not valid YAML"), ("\tsides: long", 4, "is not valid YAML"),
            ("sides: \"long", 4, "is not valid YAML"), ("sides: @long", 4, "is not valid YAML"),
            ("---\nversion: 1", 4, "is not valid YAML"), ("sides: a\u{7}b", 4, "is not valid YAML"),
        ])
    func refuses(_ extra: String, _ line: Int, _ words: String) throws {
        let bench = try LoaderBench()
        try bench.write("p.yaml", "version: 1\nname: x\nsymbols2: y\n\(extra)\n")
        let (plans, diagnostics) = LoaderBench.loader.loadPlans(paths: [bench.root + "/p.yaml"])
        #expect(plans.isEmpty)
        #expect(diagnostics.contains { $0.line == line && $0.message.contains(words) }, "\(diagnostics)")
    }

    @Test("takes signs inside quotes, comments and words")
    func takesSigns() throws {
        let (plan, problems) = try LoaderBench.plan(
            """
            version: 1  # &a *b !c
            name: x
            accounts: ["!a", '*', 'it''s', a&b, a*, "x\\", *y"]
            symbols:
            - "*"   # "
            - bitget:BTC*
            """)
        #expect(problems == ["p.yaml:3: accounts[5]: is \"x\", *y\", which is no pattern."])
        #expect(plan == nil)
    }

    @Test("a bomb of aliases is refused at once")
    func refusesBomb() throws {
        var text = "version: 1\na: &a [x, x, x, x, x, x, x, x, x]\n"
        for (name, last) in zip("bcdefghijklm", "abcdefghijkl") {
            text += "\(name): &\(name) [\(Array(repeating: "*\(last)", count: 9).joined(separator: ", "))]\n"
        }
        text += "? *m\n: y\n"
        let (_, problems) = try LoaderBench.plan(text)
        #expect(problems.first?.hasPrefix("p.yaml:2: has a YAML anchor or alias") == true)
        #expect(problems.count <= 20)
    }

    @Test("nesting is bounded", arguments: ["[", "{a: ", "- "])
    func boundsNesting(_ opening: String) throws {
        for depth in [20, 900, 100_000] {
            let (plan, problems) = try LoaderBench.plan(
                "version: 1\nname:\n  " + String(repeating: opening, count: depth))
            #expect(plan == nil)
            #expect(!problems.isEmpty)
        }
    }

    @Test("refuses bytes that are no text, with their line, and files that are too large")
    func refusesBytes() throws {
        let bench = try LoaderBench()
        try bench.write("a.yaml", Data("version: 1\nname: ".utf8) + Data([0xFF, 0x0A]))
        try bench.write("b.yaml", Data(repeating: 0x20, count: 1024 * 1024 + 1))
        let (_, diagnostics) = LoaderBench.loader.loadPlans(paths: ["/a.yaml", "/b.yaml"].map { bench.root + $0 })
        #expect(bench.relative(diagnostics) == ["a.yaml:2: is not UTF-8 text.", "b.yaml: is larger than 1 MiB."])
    }

    /// Found by fuzzing: the parser puts an empty document on the line behind the file.
    @Test("no problem names a line that the file does not have", arguments: ["---", "--- ", "a: 1\n---", "?"])
    func namesOwnLines(text: String) throws {
        let bench = try LoaderBench()
        try bench.write("p.yaml", Data(text.utf8))
        let (_, problems) = LoaderBench.loader.loadPlans(paths: [bench.root + "/p.yaml"])
        #expect(!problems.isEmpty)
        #expect(problems.allSatisfy { ($0.line ?? 1) <= text.split(separator: "\n").count })
    }

    @Test("a file with thousands of faults gives a bounded answer")
    func boundsProblems() throws {
        let text = "version: 1\n" + (0..<5_000).map { "k\($0): 1\n" }.joined()
        let (_, problems) = try LoaderBench.plan(text)
        #expect(problems.count == 500)
    }

    @Test("a message shows hostile text harmlessly and bounded")
    func showsHarmlessly() throws {
        let long = String(repeating: "x", count: 5000)
        let (_, problems) = try LoaderBench.plan(
            "version: 1\nname: \"a\\e[31m\\u202E\"\naccounts: \"*\"\n\(long): 1\n".replacing(
                "\(long): 1", with: "? \(long)\n: 1"))
        #expect(problems.first == "p.yaml:2: name: is \"a?[31m?\", but must be 1 to 40 of a-z, 0-9 and \"-\".")
        #expect(problems.allSatisfy { $0.count < 300 })
    }

    @Test("text cut at any seventh byte, or with a byte changed, never traps", arguments: 0..<7)
    func survivesDamage(_ offset: Int) throws {
        for text in [LoaderAccountsTests.contract, LoaderPlanTests.contract] {
            let bench = try LoaderBench()
            let bytes = Array(text.utf8)
            for cut in stride(from: offset, through: bytes.count, by: 7) {
                var damaged = bytes
                if cut < bytes.count { damaged[cut] = [0x00, 0x22, 0x26, 0x3A, 0x5B, 0x7D, 0xC3][offset] }
                for version in [Array(bytes[..<cut]), damaged] {
                    try bench.write("a.yaml", Data(version))
                    let accounts = LoaderBench.loader.loadAccounts(directory: bench.root)
                    let plans = LoaderBench.loader.loadPlans(paths: [bench.root + "/a.yaml"])
                    // An accounts file is no plan and the other way round: one of the two must object.
                    #expect(!accounts.diagnostics.isEmpty || !plans.diagnostics.isEmpty)
                    #expect(plans.diagnostics.isEmpty == !plans.plans.isEmpty)
                }
            }
        }
    }
}
