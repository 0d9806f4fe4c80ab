import ExchangeKit
import ExchangeSimulator
import NIOCore
import NIOHTTP1

/// One connection: collects a request, asks the exchange, does to the socket what the delivery says.
final class SimulatorHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Larger bodies are refused; the exchange's largest request is a few kilobytes.
    private static let bodyLimit = 256 * 1_024

    private let exchange: SharedExchange
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isTooLarge = false

    init(_ exchange: SharedExchange) { self.exchange = exchange }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.removeAll(keepingCapacity: true)
            isTooLarge = false
        case .body(let part):
            guard body.count + part.readableBytes <= Self.bodyLimit else {
                isTooLarge = true
                return
            }
            body += part.readableBytesView
        case .end:
            guard let head else { return }
            self.head = nil
            serve(head, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func serve(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if isTooLarge { return reply(VenueReply(status: 413, body: []), head, context) }
        if head.uri == "/_simulator/state" || head.uri.hasPrefix("/_simulator/state?") {
            let header = VenueRequest.Header("content-type", "application/json")
            return reply(VenueReply(status: 200, headers: [header], body: exchange.state()), head, context)
        }
        let request = SimulatedRequest(
            method: head.method.rawValue, target: head.uri, headers: head.headers.map { ($0.name, $0.value) },
            body: body, clientAddress: context.remoteAddress?.ipAddress ?? "127.0.0.1")
        let delivery = exchange.receive(request)
        guard delivery.delayMs > 0 else { return carry(delivery, head, context) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(delivery.delayMs)) {
            let (handler, context) = bound.value
            handler.carry(delivery, head, context)
        }
    }

    private func carry(_ delivery: SimulatedDelivery, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        switch delivery.fate {
        case .cutAfterExecution, .cutBeforeExecution: context.close(promise: nil)
        // The client's own timeout ends it; the connection is not used again.
        case .hang: return
        case .deliver: if let answer = delivery.reply { reply(answer, head, context) }
        case .truncate(let bytes):
            if let answer = delivery.reply { reply(answer, head, context, sent: bytes) }
        case .wrongLength(let declared):
            if let answer = delivery.reply { reply(answer, head, context, declared: declared) }
        }
    }

    /// Writes a reply. With `sent` or `declared` the length is a lie, so the connection closes after the bytes.
    private func reply(
        _ answer: VenueReply, _ head: HTTPRequestHead, _ context: ChannelHandlerContext, sent: Int? = nil,
        declared: Int? = nil
    ) {
        let lies = sent != nil || declared != nil
        let closes = lies || !head.isKeepAlive
        var headers = HTTPHeaders(answer.headers.map { ($0.name, $0.value) })
        headers.add(name: "content-length", value: String(declared ?? answer.body.count))
        if closes { headers.add(name: "connection", value: "close") }
        let status = HTTPResponseStatus(statusCode: answer.status)
        let start = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(start)), promise: nil)
        let bytes = answer.body.prefix(sent ?? answer.body.count)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        // Without the end part the encoder keeps the lie; the close tells the client.
        guard !lies else {
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer())))).whenComplete { _ in
                bound.value.close(promise: nil)
            }
            return
        }
        let done = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        guard closes else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        done.whenComplete { _ in bound.value.close(promise: nil) }
    }
}
