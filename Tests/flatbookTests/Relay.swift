import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A TCP relay on loopback that swaps words of one length in what the exchange answers.
final class Relay: Sendable {
    let port: Int
    private let listener: Int32

    init(to target: Int, swapping old: String, with new: String) throws {
        guard old.utf8.count == new.utf8.count else { throw Unmet("words of two lengths") }
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw Unmet("no socket for the relay") }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread {
            while case let client = accept(listener, nil, nil), client >= 0 {
                guard let server = Self.connect(target) else {
                    close(client)
                    continue
                }
                Thread.detachNewThread { Self.pump(client, server) { $0 } }
                Thread.detachNewThread {
                    Self.pump(server, client) { data in
                        var data = data
                        while let range = data.range(of: Data(old.utf8)) { data.replaceSubrange(range, with: new.utf8) }
                        return data
                    }
                    close(client)
                    close(server)
                }
            }
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
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

    /// Copies until one end is done, then tells the other.
    private static func pump(_ from: Int32, _ to: Int32, _ change: (Data) -> Data) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = recv(from, &buffer, buffer.count, 0), count > 0 {
            let data = change(Data(buffer[..<count]))
            let sent = data.withUnsafeBytes { send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if sent < data.count { break }
        }
        shutdown(to, Int32(SHUT_WR))
    }
}
