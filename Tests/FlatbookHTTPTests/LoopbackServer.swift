import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL

/// A server on a loopback port that keeps what it was sent and answers as its script says, right or wrong.
final class LoopbackServer: Sendable {
    /// What the server saw, in order.
    struct Log: Sendable {
        var accepted = 0
        var closed = 0
        /// Bytes that came in, also of incomplete requests.
        var bytes = 0
        /// Whole requests: head and body.
        var requests: [String] = []
    }

    /// Answers the request of a number, counted over all connections from 1.
    typealias Script = @Sendable (_ number: Int, _ request: String, _ channel: any Channel) -> Void

    private struct Waiter {
        var condition: @Sendable (Log) -> Bool
        var promise: EventLoopPromise<Void>
    }

    private struct State {
        var log = Log()
        var waiters: [Waiter] = []
    }

    private let state = NIOLockedValueBox(State())
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let channel: any Channel
    private let isTLS: Bool

    /// - Parameter raw: what is sent on accept, before any request; if empty, the connection is closed instead.
    init(tls: TLSConfiguration? = nil, onAccept raw: String? = nil, script: @escaping Script) async throws {
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        isTLS = tls != nil
        let relay = Relay(script: script)
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(Connection(relay: relay, greeting: raw))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        relay.target.withLockedValue { $0 = { [weak self] change in self?.record(change) ?? 0 } }
    }

    var port: Int { channel.localAddress?.port ?? 0 }
    var base: String { "\(isTLS ? "https" : "http")://127.0.0.1:\(port)" }
    var log: Log { state.withLockedValue { $0.log } }

    func stop() async throws {
        try await group.shutdownGracefully()
    }

    /// Waits until the log says so; fails after ten seconds.
    func wait(until condition: @escaping @Sendable (Log) -> Bool) async throws {
        let promise = group.next().makePromise(of: Void.self)
        let isTrue = state.withLockedValue { state in
            if condition(state.log) { return true }
            state.waiters.append(Waiter(condition: condition, promise: promise))
            return false
        }
        if isTrue { promise.succeed() }
        let bound = group.next().scheduleTask(in: .seconds(10)) { promise.fail(NeverHappened()) }
        defer { bound.cancel() }
        try await promise.futureResult.get()
    }

    struct NeverHappened: Error {}

    private func record(_ change: (inout Log) -> Void) -> Int {
        let (count, ready) = state.withLockedValue { state in
            change(&state.log)
            let log = state.log
            let ready = state.waiters.filter { $0.condition(log) }
            state.waiters.removeAll { $0.condition(log) }
            return (log.requests.count, ready)
        }
        for waiter in ready { waiter.promise.succeed() }
        return count
    }

    private final class Relay: Sendable {
        typealias Record = @Sendable ((inout Log) -> Void) -> Int
        let script: Script
        let target = NIOLockedValueBox<Record>({ _ in 0 })
        init(script: @escaping Script) { self.script = script }
        @discardableResult func record(_ change: (inout Log) -> Void) -> Int {
            target.withLockedValue { $0 }(change)
        }
    }

    /// Cuts the byte stream into requests.
    private final class Connection: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let relay: Relay
        private let greeting: String?
        private var pending: [UInt8] = []

        init(relay: Relay, greeting: String?) {
            self.relay = relay
            self.greeting = greeting
        }

        func channelActive(context: ChannelHandlerContext) {
            relay.record { $0.accepted += 1 }
            if let greeting, greeting.isEmpty {
                context.close(promise: nil)
            } else if let greeting {
                context.channel.send(greeting)
            }
            context.fireChannelActive()
        }

        func channelInactive(context: ChannelHandlerContext) {
            relay.record { $0.closed += 1 }
            context.fireChannelInactive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            pending += buffer.readableBytesView
            relay.record { $0.bytes += buffer.readableBytes }
            while let request = takeRequest() {
                let number = relay.record { $0.requests.append(request) }
                relay.script(number, request, context.channel)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        private func takeRequest() -> String? {
            let text = String(decoding: pending, as: UTF8.self)
            guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
            let length =
                text[..<end.lowerBound].split(separator: "\r\n")
                .first { $0.lowercased().hasPrefix("content-length:") }
                .flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
            let total = text[..<end.upperBound].utf8.count + length
            guard pending.count >= total else { return nil }
            defer { pending.removeFirst(total) }
            return String(decoding: pending[..<total], as: UTF8.self)
        }
    }
}

extension Channel {
    func send(_ text: String) {
        writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    func reply(_ body: String, headers: String = "") {
        send("HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    /// Closes after everything written so far has left.
    func sendAndClose(_ text: String) {
        writeAndFlush(ByteBuffer(string: text)).whenComplete { _ in self.close(promise: nil) }
    }

    /// Sends `text` again and again until the connection is gone.
    func drip(_ text: String) {
        _ = eventLoop.scheduleRepeatedAsyncTask(initialDelay: .zero, delay: .milliseconds(10)) { _ in
            self.writeAndFlush(ByteBuffer(string: text))
        }
    }
}
