import AsyncHTTPClient
import ExchangeKit
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Which of the transport's errors an error of the libraries is. Texts are ours: theirs may quote a URL.
enum TransportFailure {
    static func classify(_ error: any Error, wasWritten: Bool) -> TransportError {
        let (code, text) = describe(error)
        // Nothing is written before the handshake is over, so a later TLS error is a connection cut short.
        if code == .tls, wasWritten {
            return TransportError(.closed, wasWritten: true, "the connection broke before the reply was complete")
        }
        return TransportError(code, wasWritten: wasWritten, text)
    }

    private static func describe(_ error: any Error) -> (TransportError.Code, String) {
        switch error {
        case let error as HTTPClientError: return describe(error)
        case let excess as CallDelegate.Excess: return (.tooLarge, "the reply's \(excess.what) exceeds the limit")
        case is CallDelegate.Redirected:
            return (.redirect, "the exchange answered with a redirect, which is not followed")
        case is CallDelegate.Encoded: return (.malformed, "the reply is compressed although nothing asked for that")
        case let error as NIOConnectionError: return describe(error)
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            return (.tls, "TLS failed: the certificate is not valid for this host, or the handshake broke off")
        case HTTPParserError.headerOverflow: return (.tooLarge, "the reply's headers exceed the limit")
        case is HTTPParserError: return (.malformed, "the reply is not HTTP")
        case let error as IOError where error.errnoCode == ECONNREFUSED: return (.refused, "connection refused")
        case is IOError, is ChannelError: return (.closed, "the connection broke")
        case is CancellationError: return (.cancelled, "cancelled")
        default: return (.closed, "the connection failed")
        }
    }

    private static func describe(_ error: HTTPClientError) -> (TransportError.Code, String) {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout: (.connectTimeout, "no connection within the time limit")
        case .tlsHandshakeTimeout: (.tls, "no TLS handshake within the time limit")
        case .deadlineExceeded, .readTimeout, .writeTimeout: (.timeout, "no complete reply within the time limit")
        case .cancelled, .alreadyShutdown: (.cancelled, "cancelled")
        case .remoteConnectionClosed, .uncleanShutdown: (.closed, "the connection closed before the reply was complete")
        default: (.malformed, "the call failed in the HTTP client")
        }
    }

    private static func describe(_ error: NIOConnectionError) -> (TransportError.Code, String) {
        // One of the two look-ups may fail on a healthy host; with an address to try, the connection is what failed.
        if error.connectionErrors.isEmpty, error.dnsAError != nil || error.dnsAAAAError != nil {
            return (.dns, "the host name \(error.host) cannot be resolved")
        }
        let isRefused = error.connectionErrors.contains { ($0.error as? IOError)?.errnoCode == ECONNREFUSED }
        return isRefused
            ? (.refused, "connection refused by \(error.host) port \(error.port)")
            : (.connectTimeout, "cannot connect to \(error.host) port \(error.port)")
    }
}
