import ExchangeKit
import FlatbookCore
import FlatbookHTTP
import NIOCore
import NIOPosix
import Testing

@Suite(.timeLimit(.minutes(1)))
struct FailureTests {
    @Test func aKeptConnectionThatClosesOnTheSecondOrderGetsThatOrderOnce() async throws {
        let server = try await LoopbackServer { number, _, channel in
            if number == 1 { channel.reply("{}") } else { channel.close(promise: nil) }
        }
        let error = try await withTransport { transport in
            _ = try await transport.mutate(order(server.base, target: "/first"), timeout: .seconds(10))
            return try await transport.failure(order(server.base, target: "/second"))
        }
        #expect(error.code == .closed)
        #expect(error.wasWritten)
        #expect(server.log.accepted == 1)
        #expect(server.log.requests.filter { $0.hasPrefix("POST /second ") }.count == 1)
        #expect(server.log.requests.count == 2)
        try await server.stop()
    }

    @Test func aClosedPortRefusesBeforeAnythingIsWritten() async throws {
        let server = try await LoopbackServer { _, _, _ in }
        let base = server.base
        try await server.stop()
        let error = try await withTransport { try await $0.failure(order(base)) }
        #expect(error.code == .refused)
        #expect(!error.wasWritten)
    }

    @Test func anUnknownHostIsADNSErrorAndNothingIsWritten() async throws {
        let error = try await withTransport { try await $0.failure(order("https://no-such-host.invalid")) }
        #expect(error.code == .dns)
        #expect(!error.wasWritten)
    }

    @Test(arguments: [301, 302, 303, 307, 308]) func aRedirectIsNotFollowed(status: Int) async throws {
        let thief = try await LoopbackServer { _, _, channel in channel.reply("{}") }
        let location = thief.base
        let server = try await LoopbackServer { _, _, channel in
            channel.send("HTTP/1.1 \(status) Go\r\nlocation: \(location)/order\r\ncontent-length: 0\r\n\r\n")
        }
        let error = try await withTransport { try await $0.failure(order(server.base)) }
        #expect(error.code == .redirect)
        #expect(error.wasWritten)
        #expect(!error.message.contains(location))
        #expect(server.log.requests.count == 1)
        #expect(thief.log.accepted == 0)
        try await server.stop()
        try await thief.stop()
    }

    @Test func aDrippingBodyEndsAtTheDeadlineAndTheConnectionWithIt() async throws {
        let server = try await LoopbackServer { _, _, channel in
            channel.send("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
            channel.drip("x")
        }
        try await withTransport { transport in
            let error = try await transport.failure(order(server.base), timeout: .milliseconds(300))
            #expect(error.code == .timeout)
            #expect(error.wasWritten)
            try await server.wait { $0.closed == 1 }
        }
        #expect(server.log.requests.count == 1)
        try await server.stop()
    }

    @Test func drippingHeadersEndAtTheDeadline() async throws {
        let server = try await LoopbackServer { _, _, channel in
            channel.send("HTTP/1.1 200 OK\r\nx: ")
            channel.drip("x")
        }
        try await withTransport { transport in
            let error = try await transport.failure(order(server.base), timeout: .milliseconds(300))
            #expect(error.code == .timeout)
            #expect(error.wasWritten)
            try await server.wait { $0.closed == 1 }
        }
        try await server.stop()
    }

    @Test func silenceEndsAtTheDeadlineAndTheConnectionWithIt() async throws {
        let server = try await LoopbackServer { _, _, _ in }
        try await withTransport { transport in
            let error = try await transport.failure(order(server.base), timeout: .milliseconds(300))
            #expect(error.code == .timeout)
            #expect(error.wasWritten)
            try await server.wait { $0.closed == 1 }
        }
        #expect(server.log.requests.count == 1)
        try await server.stop()
    }

    @Test(arguments: ["content-length: 3000\r\n\r\n", "\r\n"])
    func aBodyAboveTheLimitIsTooLarge(rest: String) async throws {
        let server = try await LoopbackServer { _, _, channel in
            channel.sendAndClose("HTTP/1.1 200 OK\r\n\(rest)" + String(repeating: "x", count: 3000))
        }
        var limits = HTTPTransport.Limits()
        limits.body = 2999
        let error = try await withTransport(limits) { try await $0.failure(order(server.base)) }
        #expect(error.code == .tooLarge)
        #expect(error.wasWritten)
        try await server.stop()
    }

    @Test func aBodyOfExactlyTheLimitIsAReply() async throws {
        let server = try await LoopbackServer { _, _, channel in channel.reply(String(repeating: "x", count: 3000)) }
        var limits = HTTPTransport.Limits()
        limits.body = 3000
        let timed = try await withTransport(limits) { try await $0.read(query(server.base), timeout: .seconds(10)) }
        #expect(timed.reply.body.count == 3000)
        try await server.stop()
    }

    @Test(arguments: [2000, 200_000]) func headersAboveTheLimitAreTooLarge(size: Int) async throws {
        let server = try await LoopbackServer { _, _, channel in
            channel.reply("{}", headers: "x-long: \(String(repeating: "x", count: size))\r\n")
        }
        var limits = HTTPTransport.Limits()
        limits.headers = 1000
        let error = try await withTransport(limits) { try await $0.failure(order(server.base)) }
        #expect(error.code == .tooLarge)
        #expect(error.wasWritten)
        try await server.stop()
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "",
    ]) func aCutReplyIsNeverAReply(text: String) async throws {
        let server = try await LoopbackServer { _, _, channel in channel.sendAndClose(text) }
        let error = try await withTransport { try await $0.failure(order(server.base)) }
        #expect([.closed, .malformed].contains(error.code))
        #expect(error.wasWritten)
        #expect(server.log.requests.count == 1)
        try await server.stop()
    }

    @Test(arguments: [
        "\u{1}\u{2}garbage\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1x\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    ]) func whatIsNotHTTPIsNeverAReply(text: String) async throws {
        let server = try await LoopbackServer { _, _, channel in channel.sendAndClose(text) }
        let error = try await withTransport { try await $0.failure(order(server.base)) }
        #expect([.closed, .malformed].contains(error.code))
        #expect(error.wasWritten)
        #expect(server.log.requests.count == 1)
        try await server.stop()
    }

    @Test(arguments: ["gzip", "br", "GZIP"]) func aCompressedReplyIsMalformed(encoding: String) async throws {
        let server = try await LoopbackServer { _, _, channel in
            channel.reply("{}", headers: "Content-Encoding: \(encoding)\r\n")
        }
        let error = try await withTransport { try await $0.failure(order(server.base)) }
        #expect(error.code == .malformed)
        #expect(error.wasWritten)
        try await server.stop()
    }

    @Test(arguments: [
        "http://example.com", "http://127.example.com", "http://localhost.example.com",
        "http://localhost:80@example.com",
        "http://127.0.0.1@example.com", "https://a@example.com", "http://[::1].example.com", "ftp://127.0.0.1", "",
    ]) func whatIsNeitherTLSNorLoopbackIsRefusedUnsent(base: String) async throws {
        let error = try await withTransport { try await $0.failure(order(base)) }
        #expect(error.code == .refused)
        #expect(!error.wasWritten)
    }

    @Test(arguments: ["@example.com/", ".example.com/", ":1/", "", "/a b", "/a\r\nx: y", "/ü", "/a#b"])
    func aTargetThatIsNotOnlyAPathAndAQueryIsRefusedUnsent(target: String) async throws {
        let server = try await LoopbackServer { _, _, channel in channel.reply("{}") }
        let error = try await withTransport { try await $0.failure(order(server.base, target: target)) }
        #expect(error.code == .malformed)
        #expect(!error.wasWritten)
        #expect(server.log.accepted == 0)
        try await server.stop()
    }

    @Test func aHeaderWithALineBreakIsNotSent() async throws {
        let server = try await LoopbackServer { _, _, channel in channel.reply("{}") }
        var request = order(server.base)
        request.headers.append((name: "x", value: "1\r\ny: 2"))
        let error = try await withTransport { [request] in try await $0.failure(request) }
        #expect(error.code == .malformed)
        #expect(!error.wasWritten)
        #expect(server.log.bytes == 0)
        try await server.stop()
    }

    @Test func cancellingAWrittenOrderSaysSoAndClosesTheConnection() async throws {
        let server = try await LoopbackServer { _, _, _ in }
        let base = server.base
        try await withTransport { transport in
            let call = Task { try await transport.failure(order(base)) }
            try await server.wait { $0.requests.count == 1 }
            call.cancel()
            let error = try await call.value
            #expect(error.code == .cancelled)
            #expect(error.wasWritten)
            try await server.wait { $0.closed == 1 }
        }
        #expect(server.log.requests.count == 1)
        try await server.stop()
    }

    @Test func aCancelledTaskSendsNothing() async throws {
        let server = try await LoopbackServer { _, _, channel in channel.reply("{}") }
        let base = server.base
        let error = try await withTransport { transport in
            let call = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await transport.failure(order(base))
            }
            return try await call.value
        }
        #expect(error.code == .cancelled)
        #expect(!error.wasWritten)
        #expect(server.log.accepted == 0)
        try await server.stop()
    }

    @Test func aCallThatGotNoConnectionInTimeWasNotWritten() async throws {
        let server = try await LoopbackServer { _, _, _ in }
        let base = server.base
        var limits = HTTPTransport.Limits()
        limits.connections = 1
        try await withTransport(limits) { transport in
            let first = Task { try await transport.failure(order(base, target: "/first")) }
            try await server.wait { $0.requests.count == 1 }
            let second = try await transport.failure(order(base, target: "/second"), timeout: .milliseconds(200))
            #expect(second.code == .timeout)
            #expect(!second.wasWritten)
            first.cancel()
            #expect(try await first.value.wasWritten)
        }
        #expect(server.log.requests.count == 1)
        try await server.stop()
    }
}
