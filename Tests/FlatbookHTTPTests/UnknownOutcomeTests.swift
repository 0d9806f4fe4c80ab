import ExchangeKit
import FlatbookCore
import FlatbookHTTP
import Foundation
import Glibc
import NIOCore
import Testing

/// F2–F4, F8, F11, F59–F63: what ends without a whole reply is told apart by one question, whether a byte was written.
@Suite(.timeLimit(.minutes(1)))
struct UnknownOutcomeTests {
    /// gzip of `{"code":"00000"}`, made with `gzip -n`.
    static let gzip: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 171, 86, 74, 206, 79, 73, 85, 178, 82, 50, 0, 1, 165, 90, 0, 9, 36, 55, 129,
        16, 0, 0, 0,
    ]

    struct Encoded: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var header: String
        var body: [UInt8]
    }

    static let encodings = [
        Encoded(testDescription: "gzip", header: "gzip", body: gzip),
        Encoded(testDescription: "gzip cut short", header: "gzip", body: Array(gzip.prefix(12))),
        Encoded(
            testDescription: "gzip with a wrong sum", header: "gzip",
            body: gzip.dropLast(8) + Array(repeating: 7, count: 8)),
        Encoded(testDescription: "no gzip", header: "gzip", body: Array(#"{"code":"00000"}"#.utf8)),
        Encoded(testDescription: "deflate", header: "deflate", body: [0x78, 0x9C, 1, 2, 3]),
        Encoded(testDescription: "two layers", header: "gzip, gzip", body: gzip),
        // A bomb is refused by its head: no byte of it is ever unpacked.
        Encoded(testDescription: "bomb", header: "gzip", body: Array(repeating: 0, count: 100_000)),
    ]

    @Test("a compressed body is never read, whole or broken: nothing asked for it (F60)", arguments: encodings)
    func compressed(_ encoded: Encoded) async throws {
        let server = try await LoopbackServer { _, _, channel in
            channel.send(
                "HTTP/1.1 200 OK\r\ncontent-encoding: \(encoded.header)\r\ncontent-length: \(encoded.body.count)\r\n\r\n"
            )
            channel.writeAndFlush(ByteBuffer(bytes: encoded.body), promise: nil)
        }
        let error = try await withTransport { try await $0.failure(order(server.base)) }
        #expect(error.code == .malformed)
        #expect(error.wasWritten)
        #expect(server.log.requests.count == 1)
        try await server.stop()
    }

    @Test("a compressed body that does not say so is handed on as it is, for the plugin to refuse")
    func compressedInSecret() async throws {
        let server = try await LoopbackServer { _, _, channel in
            channel.send("HTTP/1.1 200 OK\r\ncontent-length: \(Self.gzip.count)\r\n\r\n")
            channel.writeAndFlush(ByteBuffer(bytes: Self.gzip), promise: nil)
        }
        let timed = try await withTransport { try await $0.mutate(order(server.base), timeout: .seconds(10)) }
        #expect(timed.reply.body == Self.gzip)
        #expect(throws: (any Error).self) { try JSONValue.parse(timed.reply.body) }
        try await server.stop()
    }

    /// What stands behind a reply's end belongs to nobody: the next order on that connection must not be answered by it.
    @Test(
        "bytes behind a reply are never the answer to the next order (F60)",
        arguments: [
            "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled", "garbage", "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ])
    func surplus(behind: String) async throws {
        let server = try await LoopbackServer { number, _, channel in
            let reply = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst"
            number == 1 ? channel.send(reply + behind) : channel.reply("second")
        }
        try await withTransport { transport in
            do throws(TransportError) {
                let first = try await transport.mutate(order(server.base), timeout: .seconds(10))
                #expect(first.reply.body == Array("first".utf8))
            } catch {
                #expect(error.wasWritten)
            }
            do throws(TransportError) {
                let second = try await transport.mutate(order(server.base, target: "/second"), timeout: .seconds(10))
                #expect(second.reply.body == Array("second".utf8))
            } catch {
                #expect([.closed, .malformed].contains(error.code))
            }
        }
        #expect(server.log.requests.count { $0.hasPrefix("POST /second ") } <= 1)
        try await server.stop()
    }

    @Test("a length that is too small leaves a text that is no JSON")
    func shortLength() async throws {
        let server = try await LoopbackServer { _, _, channel in
            channel.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"code\":\"00000\"}")
        }
        try await withTransport { transport in
            do throws(TransportError) {
                let timed = try await transport.mutate(order(server.base), timeout: .seconds(10))
                #expect(throws: (any Error).self) { try JSONValue.parse(timed.reply.body) }
            } catch {
                #expect(error.wasWritten)
            }
        }
        try await server.stop()
    }

    @Test(
        "two lengths that differ, or a length beside chunks, are never a reply",
        arguments: [
            "content-length: 2\r\ncontent-length: 4\r\n\r\n{}{}",
            "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        ])
    func twoLengths(rest: String) async throws {
        let server = try await LoopbackServer { _, _, channel in channel.sendAndClose("HTTP/1.1 200 OK\r\n\(rest)") }
        let error = try await withTransport { try await $0.failure(order(server.base)) }
        #expect([.closed, .malformed].contains(error.code))
        #expect(error.wasWritten)
        try await server.stop()
    }

    @Test(
        "a connection that is reset where it stands is unknown, at every stage of the reply (F5, F6)",
        arguments: [
            "", "HTTP/1.1 ", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"code\":",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{\"code\":\"00000\"}\r\n",
        ])
    func reset(stage: String) async throws {
        let server = try await LoopbackServer { _, _, channel in
            let isSet = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            channel.writeAndFlush(ByteBuffer(string: stage)).whenComplete { _ in
                _ = isSet
                channel.close(promise: nil)
            }
        }
        let error = try await withTransport { try await $0.failure(order(server.base)) }
        #expect([.closed, .malformed].contains(error.code))
        #expect(error.wasWritten)
        #expect(server.log.requests.count == 1)
        try await server.stop()
    }

    @Test("informational replies are no answer")
    func informational() async throws {
        let server = try await LoopbackServer { _, _, channel in
            channel.send("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        }
        let timed = try await withTransport { try await $0.mutate(order(server.base), timeout: .seconds(10)) }
        #expect(timed.reply.status == 200)
        #expect(timed.reply.body == Array("{}".utf8))
        try await server.stop()
    }

    @Test("a host that takes no connection ends at the connect limit, unwritten (F4)")
    func backlog() async throws {
        let full = try FullBacklog()
        defer { full.stop() }
        var limits = HTTPTransport.Limits()
        limits.connect = .milliseconds(300)
        let error = try await withTransport(limits) {
            try await $0.failure(order("http://127.0.0.1:\(full.port)"), timeout: .seconds(10))
        }
        #expect(error.code == .connectTimeout)
        #expect(!error.wasWritten)
    }

    @Test("a certificate that has run out gets no request (F3)")
    func expired() async throws {
        let identity = try Identity()
        defer { identity.remove() }
        try identity.expire()
        let server = try await LoopbackServer(tls: identity.server()) { _, _, channel in channel.reply("{}") }
        let error = try await withTransport(caFile: identity.certificate) { try await $0.failure(order(server.base)) }
        #expect(error.code == .tls)
        #expect(!error.wasWritten)
        #expect(server.log.bytes == 0)
        try await server.stop()
    }
}

/// A listening socket whose queue is full: the kernel answers no further connection.
private final class FullBacklog {
    let port: Int
    private var sockets: [Int32] = []

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 0) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isListening else { throw Identity.Failed(status: errno) }
        port = Int(UInt16(bigEndian: address.sin_port))
        sockets = [listener]
        for _ in 0..<8 {
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK, 0)
            _ = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, length) }
            }
            sockets.append(client)
        }
    }

    func stop() { for socket in sockets { close(socket) } }
}

extension Identity {
    /// Puts a certificate of the same key in place that ended yesterday.
    func expire() throws {
        for arguments in [
            [
                "req", "-new", "-key", "key.pem", "-out", "csr.pem", "-subj", "/CN=flatbook test", "-addext",
                "subjectAltName=IP:127.0.0.1",
            ],
            [
                "x509", "-req", "-in", "csr.pem", "-signkey", "key.pem", "-days", "-1", "-copy_extensions", "copy",
                "-out", "cert.pem",
            ],
        ] {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["openssl"] + arguments
            process.currentDirectoryURL = folder
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw Failed(status: process.terminationStatus) }
        }
    }
}
