import ExchangeKit
import FlatbookCore
import FlatbookHTTP
import NIOCore
import NIOSSL
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TLSTests {
    @Test func aTrustedServerIsAnswered() async throws {
        let identity = try Identity()
        defer { identity.remove() }
        let server = try await LoopbackServer(tls: identity.server()) { _, _, channel in channel.reply("{}") }
        let timed = try await withTransport(caFile: identity.certificate) {
            try await $0.mutate(order(server.base), timeout: .seconds(10))
        }
        #expect(timed.reply.status == 200)
        #expect(server.log.requests.count == 1)
        try await server.stop()
    }

    @Test func aSelfSignedServerGetsNoRequest() async throws {
        let identity = try Identity()
        defer { identity.remove() }
        let server = try await LoopbackServer(tls: identity.server()) { _, _, channel in channel.reply("{}") }
        let error = try await withTransport { try await $0.failure(order(server.base)) }
        #expect(error.code == .tls)
        #expect(!error.wasWritten)
        #expect(server.log.bytes == 0)
        try await server.stop()
    }

    @Test func aCertificateForAnotherHostGetsNoRequest() async throws {
        let identity = try Identity(names: "DNS:example.com,IP:127.0.0.2")
        defer { identity.remove() }
        let server = try await LoopbackServer(tls: identity.server()) { _, _, channel in channel.reply("{}") }
        let error = try await withTransport(caFile: identity.certificate) { try await $0.failure(order(server.base)) }
        #expect(error.code == .tls)
        #expect(!error.wasWritten)
        #expect(server.log.bytes == 0)
        try await server.stop()
    }

    @Test func aServerThatSpeaksOnlyOldTLSGetsNoRequest() async throws {
        let identity = try Identity()
        defer { identity.remove() }
        var old = try identity.server()
        old.minimumTLSVersion = .tlsv1
        old.maximumTLSVersion = .tlsv11
        let server = try await LoopbackServer(tls: old) { _, _, channel in channel.reply("{}") }
        let error = try await withTransport(caFile: identity.certificate) { try await $0.failure(order(server.base)) }
        #expect(error.code == .tls)
        #expect(!error.wasWritten)
        #expect(server.log.bytes == 0)
        try await server.stop()
    }

    @Test func aServerThatSpeaksNoTLSGetsNoRequest() async throws {
        let server = try await LoopbackServer(onAccept: "HTTP/1.1 200 OK\r\n\r\ngarbage") { _, _, _ in }
        let error = try await withTransport { try await $0.failure(order("https://127.0.0.1:\(server.port)")) }
        #expect(error.code == .tls)
        #expect(!error.wasWritten)
        #expect(server.log.requests.isEmpty)
        try await server.stop()
    }

    @Test func aServerThatClosesDuringTheHandshakeGetsNoRequest() async throws {
        let server = try await LoopbackServer(onAccept: "") { _, _, _ in }
        let error = try await withTransport { try await $0.failure(order("https://127.0.0.1:\(server.port)")) }
        #expect([.tls, .closed, .connectTimeout].contains(error.code))
        #expect(!error.wasWritten)
        #expect(server.log.requests.isEmpty)
        try await server.stop()
    }

    @Test func aHandshakeThatNeverEndsIsNotWritten() async throws {
        let server = try await LoopbackServer { _, _, _ in }
        var limits = HTTPTransport.Limits()
        limits.connect = .milliseconds(200)
        let error = try await withTransport(limits) {
            try await $0.failure(order("https://127.0.0.1:\(server.port)"))
        }
        #expect([.tls, .connectTimeout].contains(error.code))
        #expect(!error.wasWritten)
        try await server.stop()
    }

    @Test func aTLSConnectionCutInABodyWithoutLengthIsNeverAReply() async throws {
        let identity = try Identity()
        defer { identity.remove() }
        let server = try await LoopbackServer(tls: identity.server()) { _, _, channel in
            channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n{\"code\":")).whenComplete { _ in
                // Past the TLS handler, so that no close_notify is sent.
                channel.pipeline.context(handlerType: NIOSSLServerHandler.self).whenSuccess { $0.close(promise: nil) }
            }
        }
        let error = try await withTransport(caFile: identity.certificate) { try await $0.failure(order(server.base)) }
        #expect(error.code == .closed)
        #expect(error.wasWritten)
        #expect(server.log.requests.count == 1)
        try await server.stop()
    }
}
