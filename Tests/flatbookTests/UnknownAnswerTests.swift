import Foundation
import Testing

/// F5–F15, F59–F62: whatever comes back for a close, it is unknown, nothing is called flat or closed twice beyond what
/// `reliability.md` §1.3 allows, and the run finds out by reading.
@Suite struct UnknownAnswerTests {
    private static let html = "<html><body><h1>Error</h1></body></html>"

    /// Answers after which the exchanges go on.
    static let faults: [AnswerFault] = [
        .cut("closed before the head", .close) { _ in Data() },
        .cut("reset before the head", .reset) { _ in Data() },
        .cut("closed in the head", .close) { _ in Data("HTTP/1.1 200 OK\r\ncontent-le".utf8) },
        .cut("closed in the body", .close) { body in
            AnswerFault.head("200 OK", length: body.count) + body.prefix(body.count / 2)
        },
        .cut("reset in the body", .reset) { body in AnswerFault.head("200 OK", length: body.count) + body.prefix(3) },
        .cut("a length that is too large", .close) { body in AnswerFault.head("200 OK", length: body.count + 50) + body
        },
        .cut("a length that is too small", .close) { body in
            AnswerFault.head("200 OK", length: body.count / 2) + body.prefix(body.count / 2)
        },
        .cut("chunks cut short", .close) { body in
            AnswerFault.head("200 OK", ["transfer-encoding: chunked"], length: nil)
                + Data((String(body.count, radix: 16) + "\r\n").utf8) + body + Data("\r\n".utf8)
        },
        .cut("a body byte by byte", .drip) { body in AnswerFault.head("200 OK", length: body.count + 5_000) + body },
        .cut("silence", .drip) { _ in Data() },
        .page(
            "500 with JSON", "500 Internal Server Error", #"{"code":"50000","msg":"?"}"#,
            headers: ["content-type: application/json"]),
        .page("502 with HTML", "502 Bad Gateway", html),
        .page("503 with text", "503 Service Unavailable", "unavailable", headers: ["content-type: text/plain"]),
        .page("504 without a body", "504 Gateway Time-out", ""),
        .page("502 that never reached the exchange", "502 Bad Gateway", html, executes: false),
        AnswerFault(description: "closed as it was sent", executes: false) { _, _ in Data() },
        .page("200 with HTML", "200 OK", html), .page("200 without a body", "200 OK", ""),
        .page("301", "301 Moved", "", headers: ["location: http://127.0.0.1:1/"]),
        .page("302", "302 Found", "", headers: ["location: http://127.0.0.1:1/"]),
        .page("307", "307 Temporary Redirect", "", headers: ["location: http://127.0.0.1:1/"]),
        .page("308", "308 Permanent Redirect", "", headers: ["location: http://127.0.0.1:1/"]),
        .page("gzip cut short", "200 OK", "\u{1F}\u{8B}\u{8}", headers: ["content-encoding: gzip"]),
        .page("gzip that is none", "200 OK", #"{"code":"00000"}"#, headers: ["content-encoding: gzip"]),
        .page("deflate that is none", "200 OK", "broken", headers: ["content-encoding: deflate"]),
        .page(
            "a bomb by its head", "200 OK", String(repeating: "\u{0}", count: 200_000),
            headers: ["content-encoding: gzip"]),
        .page("a body beyond every limit", "200 OK", String(repeating: " ", count: 9_000_000), headers: []),
        .page(
            "an unmapped code", "200 OK", #"{"code":"987654","msg":"new","data":null}"#,
            headers: ["content-type: application/json"]),
        .changed("a byte order mark") { body, _ in Data([0xEF, 0xBB, 0xBF]) + body },
        .changed("a key twice") { body, _ in Data(#"{"code":"00000","#.utf8) + body.dropFirst() },
        .changed("JSON with a tail") { body, _ in body + Data("}".utf8) },
        .changed("JSON cut short") { body, _ in body.dropLast() },
    ]

    /// Answers by which an exchange may tell that the address is shut out: the accounts may stay open, but are told as such.
    static let bans: [AnswerFault] = [
        .page("403 with HTML", "403 Forbidden", html), .page("418 with HTML", "418 I'm a teapot", html),
        .page("429 without the envelope", "429 Too Many Requests", html),
    ]

    private func open(
        _ fault: AnswerFault, positions: Int = 2, seed: Int = 8, plan more: String,
        _ test: (Desk, FaultyRelay, String) async throws -> Void
    ) async throws {
        try await Desk.open(fleet: "bitget=1,okx=1,bingx=1", positions: positions, seed: seed) { desk in
            let relay = try FaultyRelay(to: desk.port, fault)
            defer { relay.stop() }
            try desk.replace("accounts/simulated.yaml", "127.0.0.1:\(desk.port)", "127.0.0.1:\(relay.port)")
            try await test(desk, relay, try desk.plan(more))
        }
    }

    /// What holds whatever was answered.
    private func expectTruth(
        _ desk: Desk, _ relay: FaultyRelay, _ outcome: Outcome, location: SourceLocation = #_sourceLocation
    ) async throws -> ExchangeState {
        #expect(Set(relay.spoiltExchanges) == ["bitget", "okx", "bingx"], sourceLocation: location)
        let unknown = outcome.stderr.split(separator: "\n").count {
            $0.contains(#""type":"call_end""#) && $0.contains(#""effect":"unknown""#)
        }
        #expect(unknown == 3, "not every spoilt answer was unknown:\n\(outcome.stderr)", sourceLocation: location)
        let state = try await desk.state()
        #expect(state.exposureIncreases == 0, sourceLocation: location)
        let report = try desk.report()
        #expect(report.run.exitCode == Int(outcome.code), sourceLocation: location)
        let sent = state.receipts.filter { $0.route.hasPrefix("POST") || $0.route.hasPrefix("DELETE") }
        #expect(
            sent.count + relay.withheld.count == report.calls.count, "receipts and intents", sourceLocation: location)
        for leg in report.legs where leg.state == "flat" {
            let isOpen = state.positions.contains {
                $0.name == leg.account && $0.symbol == leg.instrument && $0.side == leg.side
            }
            #expect(!isOpen, "\(leg.instrument) of \(leg.account) is called flat and is open", sourceLocation: location)
        }
        return state
    }

    @Test("a spoilt answer to a close is unknown; the run reads, closes what is open and ends flat", arguments: faults)
    func endsFlat(_ fault: AnswerFault) async throws {
        try await open(fault, plan: "guards: {deadline: 90s}\nverify: {interval: 300ms}") { desk, relay, plan in
            let outcome = try await desk.flatbook("run", plan, "--yes", "--progress", "json", within: 150)
            #expect(outcome.code == 0, "\(outcome.all)")
            let state = try await expectTruth(desk, relay, outcome)
            #expect(state.openPositions == 0)
            // The lost one, and at most one early repeat of it.
            let closes = Dictionary(grouping: state.receipts.filter { $0.executed && $0.route.contains("lose") }) {
                let body = $0.body.replacing(#/"clOrdId":"[^"]*"/#, with: "")
                return $0.uid + $0.route + body
            }
            #expect(closes.values.allSatisfy { $0.count <= 2 })
        }
    }

    @Test("what may be a ban is unknown too; the exit code is true, whatever stays open", arguments: bans)
    func endsTruly(_ fault: AnswerFault) async throws {
        try await open(fault, plan: "guards: {deadline: 15s}\nverify: {interval: 300ms, timeout: 5s}") {
            desk, relay, plan in
            let outcome = try await desk.flatbook("run", plan, "--yes", "--progress", "json", within: 120)
            let state = try await expectTruth(desk, relay, outcome)
            #expect([0, 11, 14, 15].contains(outcome.code), "\(outcome.all)")
            #expect((outcome.code == 0) == (state.openPositions == 0) || outcome.code == 11 || outcome.code == 15)
        }
    }

    struct SizedCase: Sendable, CustomStringConvertible {
        /// A fleet of which, with this side selected, these exchanges need sized orders.
        var seed: Int
        var side: String
        /// Seconds that a signed request can live at each (`reliability.md` §1.2).
        var lives: [String: Double]
        var executes: Bool
        var description: String { "\(lives.keys.sorted()), \(executes ? "executed" : "withheld")" }
    }

    static let sizedCases = [true, false].flatMap { executes in
        [
            SizedCase(seed: 4, side: "short", lives: ["bitget": 30, "bingx": 5], executes: executes),
            SizedCase(seed: 3, side: "long", lives: ["okx": 30], executes: executes),
        ]
    }

    /// A sized order may be sent again only when the lost one cannot execute any more (§1.3, I3).
    @Test("after a lost sized order no second one goes before the first is dead", arguments: sizedCases)
    func sizedOrders(_ lost: SizedCase) async throws {
        let fault = AnswerFault(description: "lost", executes: lost.executes) { _, _ in Data() }
        let more = "sides: [\(lost.side)]\nguards: {deadline: 120s}\nverify: {interval: 300ms}"
        try await open(fault, positions: 3, seed: lost.seed, plan: more) { desk, relay, plan in
            let outcome = try await desk.flatbook("run", plan, "--yes", "--progress", "json", within: 180)
            #expect(outcome.code == 0, "\(outcome.all)")
            let state = try await desk.state()
            #expect(state.exposureIncreases == 0)
            #expect(!state.positions.contains { $0.side == lost.side })
            for (exchange, life) in lost.lives {
                #expect(relay.spoiltExchanges.contains(exchange))
                let orders = Self.sizedOrders(in: outcome.stderr).filter { $0.exchange == exchange }
                // The first is the one that was lost; positions that only an id tells apart share their target.
                let first = try #require(orders.first, "no sized order at \(exchange): choose another seed")
                let repeats = orders.filter { $0.attempt > 1 && $0.target == first.target }
                #expect(lost.executes || !repeats.isEmpty, "what was withheld was never sent again")
                for order in repeats { #expect(order.at.timeIntervalSince(first.at) >= life, "\(orders)") }
            }
        }
    }

    /// The orders with a size among the progress lines.
    private static func sizedOrders(
        in progress: String
    ) -> [(exchange: String, target: String, attempt: Int, at: Date)] {
        progress.split(separator: "\n").compactMap { line in
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                object["type"] as? String == "call_start", let operation = object["operation"] as? String,
                operation.hasSuffix(".order") || operation.hasSuffix(".place-order"),
                let account = object["account"] as? String, let target = object["target"] as? String,
                let text = object["at"] as? String, let attempt = object["attempt"] as? Int,
                let at = try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
            else { return nil }
            return (String(operation.prefix { $0 != "." }), account + " " + target, attempt, at)
        }
    }
}
