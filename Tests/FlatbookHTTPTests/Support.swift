import ExchangeKit
import FlatbookCore
import FlatbookHTTP
import Foundation
import NIOSSL

/// Runs `body` with a transport and takes the transport down afterwards.
func withTransport<Result>(
    _ limits: HTTPTransport.Limits = .init(), caFile: String? = nil, _ body: (HTTPTransport) async throws -> Result
) async throws -> Result {
    let transport = try HTTPTransport(limits: limits, caFile: caFile)
    do {
        let result = try await body(transport)
        try await transport.shutdown()
        return result
    } catch {
        try await transport.shutdown()
        throw error
    }
}

func order(_ base: String, target: String = "/order?side=SELL", body: String = #"{"qty":"1"}"#) -> SignedRequest {
    SignedRequest(
        method: .post, base: base, target: target, headers: [(name: "ACCESS-SIGN", value: "signature")],
        body: Array(body.utf8))
}

func query(_ base: String, target: String = "/positions") -> SignedRequest {
    SignedRequest(method: .get, base: base, target: target, headers: [], body: [])
}

extension HTTPTransport {
    /// The error of an order that must fail.
    func failure(_ request: SignedRequest, timeout: TimeSpan = .seconds(10)) async throws -> TransportError {
        do throws(TransportError) {
            let reply = try await mutate(request, timeout: timeout)
            throw TransportError(.init("unexpected reply"), wasWritten: true, "\(reply.reply.status)")
        } catch {
            return error
        }
    }
}

/// A key and a certificate for a loopback server, made by the `openssl` command in a folder of its own.
struct Identity {
    let folder: URL
    var certificate: String { folder.appending(path: "cert.pem").path }
    private var key: String { folder.appending(path: "key.pem").path }

    init(names: String = "IP:127.0.0.1") throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "flatbook-http-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=flatbook test",
            "-addext", "subjectAltName=\(names)",
        ]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(status: process.terminationStatus) }
    }

    func server() throws -> TLSConfiguration {
        TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    struct Failed: Error { var status: Int32 }
}
