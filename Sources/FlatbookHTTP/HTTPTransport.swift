import AsyncHTTPClient
package import ExchangeKit
package import FlatbookCore
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// HTTP/1.1 for exchanges: one connection attempt per call, no redirects, no retries, no proxy, no decompression, and an
/// own deadline over the whole call, body included (`reliability.md` §0.2, §2.4, §4.3).
package final class HTTPTransport: ReadTransport, MutatingTransport {
    package struct Limits: Sendable {
        /// Until TCP and TLS stand.
        package var connect = TimeSpan.seconds(3)
        /// Of one body, in bytes.
        package var body = 8 << 20
        /// Of all header names and values together, in bytes.
        package var headers = 64 << 10
        /// Per host. The engine keeps fewer calls in flight than this, so none waits in the pool after it was signed.
        package var connections = 256
        package init() {}
    }

    private let limits: Limits
    private let group: MultiThreadedEventLoopGroup
    private let client: NIOLockedValueBox<HTTPClient>
    private let configuration: HTTPClient.Configuration

    /// - Parameter caFile: a PEM file with certificates to trust besides the system's.
    /// - Throws: an error of the TLS library if `caFile` cannot be read.
    package init(limits: Limits = Limits(), caFile: String? = nil) throws {
        self.limits = limits
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try Self.tls(caFile: caFile), redirectConfiguration: .disallow,
            timeout: .init(connect: .nanoseconds(limits.connect.nanoseconds)),
            decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = limits.connections
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.maximumUsesPerConnection = nil
        self.configuration = configuration
        client = NIOLockedValueBox(HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration))
    }

    /// Ends calls under way, their outcome unknown, and gives later ones new connections: the host was asleep, and what
    /// was open is at best half dead.
    package func dropConnections() async {
        let fresh = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
        let old = client.withLockedValue { client in
            let old = client
            client = fresh
            return old
        }
        try? await old.shutdown().get()
    }

    /// Closes connections and ends the thread.
    package func shutdown() async throws {
        try await client.withLockedValue { $0 }.shutdown().get()
        try await group.shutdownGracefully()
    }

    package func read(_ request: SignedRequest, timeout: TimeSpan) async throws(TransportError) -> TimedReply {
        try await send(request, timeout: timeout)
    }

    package func mutate(_ request: SignedRequest, timeout: TimeSpan) async throws(TransportError) -> TimedReply {
        try await send(request, timeout: timeout)
    }

    private func send(_ signed: SignedRequest, timeout: TimeSpan) async throws(TransportError) -> TimedReply {
        let request = try wire(signed)
        // A call that nobody waits for any more must not start.
        if Task.isCancelled { throw TransportError(.cancelled, wasWritten: false, "cancelled") }
        let delegate = CallDelegate(limits: limits)
        let task = client.withLockedValue { $0 }.execute(request: request, delegate: delegate)
        let timer = group.next().scheduleTask(in: .nanoseconds(timeout.nanoseconds)) {
            task.fail(reason: HTTPClientError.deadlineExceeded)
        }
        defer { timer.cancel() }
        let result: Result<TimedReply, any Error>
        do {
            result = .success(
                try await withTaskCancellationHandler {
                    try await task.futureResult.get()
                } onCancel: {
                    task.fail(reason: HTTPClientError.cancelled)
                })
        } catch {
            result = .failure(error)
        }
        switch result {
        case .success(let reply): return reply
        case .failure(let error): throw TransportFailure.classify(error, wasWritten: delegate.wasWritten)
        }
    }

    private static func tls(caFile: String?) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        // The library's own minimum is TLS 1.0.
        tls.minimumTLSVersion = .tlsv12
        if let caFile { tls.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(caFile))] }
        return tls
    }

    private func wire(_ signed: SignedRequest) throws(TransportError) -> HTTPClient.Request {
        guard Endpoint.isAllowed(signed.base) else {
            throw TransportError(.refused, wasWritten: false, "only https, or http to loopback, is allowed")
        }
        guard Endpoint.isTarget(signed.target) else {
            throw TransportError(.malformed, wasWritten: false, "the target is no encoded path and query")
        }
        var headers = HTTPHeaders(signed.headers.map { ($0.name, $0.value) })
        headers.replaceOrAdd(name: "User-Agent", value: "flatbook/1")
        headers.replaceOrAdd(name: "Accept", value: "application/json")
        do {
            return try HTTPClient.Request(
                url: signed.base + signed.target, method: HTTPMethod(rawValue: signed.method.rawValue),
                headers: headers,
                body: signed.body.isEmpty ? nil : .bytes(signed.body))
        } catch {
            throw TransportError(.malformed, wasWritten: false, "the endpoint is no usable URL")
        }
    }
}
