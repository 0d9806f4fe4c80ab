import FlatbookConfiguration
import Testing

@Suite("Spelling") struct SpellingTests {
    @Test(
        "The nearest spelling is the one a person meant",
        arguments: [
            ("enviroment", ["environment", "exchange"], "environment"),
            ("acounts", ["account", "accounts"], "accounts"),
            ("tga", ["tag", "xyz"], "tag"),
            ("BTC/USDT", ["BTC/USDC:USDC", "BTC/USDT:USDT", "BTC/USDT:USDT-260327"], "BTC/USDT:USDT"),
            ("btc/usdt:usdt", ["ETH/USDT:USDT", "BTC/USDT:USDT"], "BTC/USDT:USDT"),
            ("BTC/USTD:USDT", ["BTC/USDT:USDT", "BTC/USDC:USDC"], "BTC/USDT:USDT"),
            ("desk-a-1", ["desk-a-19", "desk-a-12"], "desk-a-12"),
        ])
    func nearestIsMeant(word: String, candidates: [String], expected: String) {
        #expect(nearest(word, in: candidates) == expected)
        #expect(nearest(word, in: candidates.reversed()) == expected)
    }

    @Test("Nothing is suggested for what is far from everything", arguments: ["", "zebra", "ab", "sequencelinked"])
    func farIsNothing(word: String) {
        #expect(nearest(word, in: ["accounts", "sequence", "xyz"]) == nil)
    }

    @Test("A word is no suggestion for itself")
    func notItself() {
        #expect(nearest("orders", in: ["orders"]) == nil)
    }
}
