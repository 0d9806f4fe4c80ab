import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// What an exchange's edge or the network may make of an answer.
struct AnswerFault: Sendable, CustomStringConvertible {
    enum End: Sendable {
        case keepOpen, close, reset
        /// One byte every 50 ms until the client goes.
        case drip
    }

    var description: String
    /// Whether the request reaches the exchange.
    var executes = true
    var end = End.close
    /// The bytes of the answer, from the exchange's own head and body.
    var answer: @Sendable (_ body: Data, _ path: String) -> Data

    static func head(_ status: String, _ headers: [String] = [], length: Int?) -> Data {
        let lines = ["HTTP/1.1 \(status)"] + headers + (length.map { ["content-length: \($0)"] } ?? [])
        return Data((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// A whole reply of another status or body.
    static func page(
        _ name: String, _ status: String, _ text: String, headers: [String] = ["content-type: text/html"],
        executes: Bool = true
    ) -> AnswerFault {
        AnswerFault(description: name, executes: executes, end: .keepOpen) { _, _ in
            head(status, headers, length: text.utf8.count) + Data(text.utf8)
        }
    }

    /// The exchange's own body, changed.
    static func changed(_ name: String, _ change: @escaping @Sendable (Data, String) -> Data) -> AnswerFault {
        AnswerFault(description: name, end: .keepOpen) { body, path in
            let body = change(body, path)
            return head("200 OK", ["content-type: application/json"], length: body.count) + body
        }
    }

    /// The exchange's own reply, cut.
    static func cut(
        _ name: String, _ end: End, _ answer: @escaping @Sendable (Data) -> Data
    ) -> AnswerFault {
        AnswerFault(description: name, end: end) { body, _ in answer(body) }
    }
}

/// A relay on loopback that understands HTTP and spoils the answer to the first close of each exchange.
final class FaultyRelay: Sendable {
    let port: Int
    private let listener: Int32
    private let fault: AnswerFault
    private let target: Int
    private let speaksFrom: Date
    private let lock = NSLock()
    private nonisolated(unsafe) var spoilt: [String] = []
    private nonisolated(unsafe) var kept: [(path: String, at: Date)] = []

    /// Exchanges whose first close was answered wrongly.
    var spoiltExchanges: [String] { lock.withLock { spoilt } }
    /// Requests that went to no exchange.
    var withheld: [(path: String, at: Date)] { lock.withLock { kept } }

    /// - Parameter silence: for so many seconds from now nothing is passed on.
    init(to target: Int, _ fault: AnswerFault, silence: Double = 0) throws {
        self.target = target
        self.fault = fault
        speaksFrom = Date() + silence
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 128) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw Unmet("no socket for the relay") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                Thread.detachNewThread { self.serve(client) }
            }
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ client: Int32) {
        defer { close(client) }
        guard let server = Self.connect(target) else { return }
        defer { close(server) }
        while let request = Self.message(from: client) {
            Thread.sleep(until: speaksFrom)
            let line = String(decoding: request.head.prefix { $0 != 13 }, as: UTF8.self)
            let path = line.split(separator: " ").dropFirst().first.map(String.init) ?? ""
            guard takes(line, path) else {
                guard Self.send(request.whole, to: server), let reply = Self.message(from: server),
                    Self.send(reply.whole, to: client)
                else { return }
                continue
            }
            var body = Data("{}".utf8)
            if fault.executes {
                guard Self.send(request.whole, to: server), let reply = Self.message(from: server) else { return }
                body = reply.body
            } else {
                lock.withLock { kept.append((path, Date())) }
            }
            let answer = fault.answer(body, path)
            switch fault.end {
            case .keepOpen: guard Self.send(answer, to: client) else { return }
            case .close:
                _ = Self.send(answer, to: client)
                shutdown(client, Int32(SHUT_RDWR))
                return
            case .reset:
                _ = Self.send(answer, to: client)
                var now = linger(l_onoff: 1, l_linger: 0)
                setsockopt(client, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
                return
            case .drip:
                for byte in answer + Data(repeating: 32, count: 2_000) {
                    guard Self.send(Data([byte]), to: client) else { return }
                    usleep(50_000)
                }
                return
            }
        }
    }

    /// Whether this is the first close at its exchange.
    private func takes(_ line: String, _ path: String) -> Bool {
        let isClose =
            path.lowercased().contains("close") || path.contains("/trade/order?") || path.hasSuffix("/place-order")
            || path.hasSuffix("/trade/order")
        guard line.hasPrefix("POST "), isClose else { return false }
        let exchange = path.hasPrefix("/api/v5/") ? "okx" : path.hasPrefix("/openApi/") ? "bingx" : "bitget"
        return lock.withLock {
            guard !spoilt.contains(exchange) else { return false }
            spoilt.append(exchange)
            return true
        }
    }

    /// One request or reply with `Content-Length`; nil at the end of the stream.
    private static func message(from descriptor: Int32) -> (head: Data, body: Data, whole: Data)? {
        var bytes = Data()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var total: Int?
        var headEnd = 0
        while true {
            if total == nil, let end = bytes.range(of: Data("\r\n\r\n".utf8)) {
                headEnd = end.upperBound
                let length = String(decoding: bytes[..<headEnd], as: UTF8.self).lowercased().split(separator: "\r\n")
                    .first { $0.hasPrefix("content-length:") }.flatMap { Int($0.dropFirst(15).drop { $0 == " " }) }
                total = headEnd + (length ?? 0)
            }
            if let total, bytes.count >= total { return (bytes[..<headEnd], bytes[headEnd..<total], bytes[..<total]) }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    private static func send(_ data: Data, to descriptor: Int32) -> Bool {
        data.isEmpty
            || data.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                == data.count
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func connect(_ port: Int) -> Int32? {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(port)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if code == 0 { return server }
        close(server)
        return nil
    }
}
