import AsyncHTTPClient
import ExchangeKit
import FlatbookCore
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

/// Watches one call: when its first byte was written, what came back, and that it stays within its bounds.
final class CallDelegate: HTTPClientResponseDelegate {
    typealias Response = TimedReply

    private struct State {
        var sentAt: Instant?
        var head: HTTPResponseHead?
        var body: [UInt8] = []
    }

    private let limits: HTTPTransport.Limits
    private let state = NIOLockedValueBox(State())

    init(limits: HTTPTransport.Limits) { self.limits = limits }

    /// Whether any byte of the request may have left. A head that a write error cut short counts as unwritten: the
    /// signal comes after its flush, and no exchange can act on half a head.
    var wasWritten: Bool { state.withLockedValue { $0.sentAt != nil } }

    func didSendRequestHead(task: HTTPClient.Task<TimedReply>, _ head: HTTPRequestHead) {
        let now = SystemClock.boot()
        state.withLockedValue { $0.sentAt = $0.sentAt ?? now }
    }

    func didReceiveHead(task: HTTPClient.Task<TimedReply>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        let size = head.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        if size > limits.headers { return task.eventLoop.makeFailedFuture(Excess(what: "headers")) }
        if (300..<400).contains(head.status.code) { return task.eventLoop.makeFailedFuture(Redirected()) }
        let encoding = head.headers.first(name: "content-encoding")?.lowercased() ?? "identity"
        if encoding != "identity" { return task.eventLoop.makeFailedFuture(Encoded()) }
        state.withLockedValue { $0.head = head }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<TimedReply>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        let size = state.withLockedValue { state in
            if state.body.count <= limits.body { state.body.append(contentsOf: buffer.readableBytesView) }
            return state.body.count
        }
        if size > limits.body { return task.eventLoop.makeFailedFuture(Excess(what: "body")) }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didFinishRequest(task: HTTPClient.Task<TimedReply>) throws -> TimedReply {
        let now = SystemClock.boot()
        let state = state.withLockedValue { $0 }
        guard let head = state.head else { throw HTTPClientError.remoteConnectionClosed }
        let reply = VenueReply(
            status: Int(head.status.code),
            headers: head.headers.map { VenueRequest.Header($0.name.lowercased(), $0.value) }, body: state.body)
        return TimedReply(reply: reply, sentAt: state.sentAt ?? now, receivedAt: now)
    }

    struct Excess: Error { var what: String }
    struct Redirected: Error {}
    struct Encoded: Error {}
}
