import ExchangeKit
import FlatbookCore
import FlatbookHTTP
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ReplyTests {
    @Test func aReplyCarriesStatusLowerCaseHeadersBodyAndTimes() async throws {
        let server = try await LoopbackServer { _, _, channel in
            channel.reply(#"{"code":"00000"}"#, headers: "X-Limit-Left: 9\r\n")
        }
        let timed = try await withTransport { try await $0.mutate(order(server.base), timeout: .seconds(10)) }
        #expect(timed.reply.status == 200)
        #expect(timed.reply.header("x-limit-left") == "9")
        #expect(String(decoding: timed.reply.body, as: UTF8.self) == #"{"code":"00000"}"#)
        #expect(timed.sentAt <= timed.receivedAt)
        #expect(timed.receivedAt - timed.sentAt < .seconds(10))
        try await server.stop()
    }

    @Test func aRequestGoesOutAsItWasSigned() async throws {
        let server = try await LoopbackServer { _, _, channel in channel.reply("{}") }
        let target = "/api/v2//mix?a=%E4%BD%A0&b=x%2Fy%20z&c=1,2:3&d"
        _ = try await withTransport { try await $0.mutate(order(server.base, target: target), timeout: .seconds(10)) }
        let request = try #require(server.log.requests.first)
        #expect(request.hasPrefix("POST \(target) HTTP/1.1\r\n"))
        #expect(request.contains("\r\nACCESS-SIGN: signature\r\n"))
        #expect(request.contains("\r\nUser-Agent: flatbook/1\r\n"))
        #expect(!request.lowercased().contains("accept-encoding"))
        #expect(request.hasSuffix("\r\n\r\n" + #"{"qty":"1"}"#))
        #expect(server.log.requests.count == 1)
        try await server.stop()
    }

    @Test(arguments: [ExchangeKit.HTTPMethod.post, .delete]) func aCallWithoutABodySaysSo(
        method: ExchangeKit.HTTPMethod
    )
        async throws
    {
        let server = try await LoopbackServer { _, _, channel in channel.reply("{}") }
        let signed = SignedRequest(method: method, base: server.base, target: "/a?b=1", headers: [], body: [])
        _ = try await withTransport { try await $0.mutate(signed, timeout: .seconds(10)) }
        let request = try #require(server.log.requests.first).lowercased()
        #expect(request.hasPrefix("\(method.rawValue.lowercased()) /a?b=1 http/1.1\r\n"))
        #expect(request.hasSuffix("\r\n\r\n"))
        #expect(!request.contains("transfer-encoding"))
        #expect(method == .delete || request.contains("\r\ncontent-length: 0\r\n"))
        try await server.stop()
    }

    @Test(arguments: [400, 429, 500, 503]) func anExchangesNoIsAReply(status: Int) async throws {
        let server = try await LoopbackServer { _, _, channel in
            channel.send("HTTP/1.1 \(status) No\r\ncontent-length: 2\r\n\r\nno")
        }
        let timed = try await withTransport { try await $0.read(query(server.base), timeout: .seconds(10)) }
        #expect(timed.reply.status == status)
        #expect(timed.reply.body == Array("no".utf8))
        #expect(server.log.requests.count == 1)
        try await server.stop()
    }

    @Test func callsOneAfterAnotherShareAConnection() async throws {
        let server = try await LoopbackServer { number, _, channel in channel.reply("\(number)") }
        let bodies = try await withTransport { transport in
            var bodies: [String] = []
            for _ in 1...5 {
                let timed = try await transport.read(query(server.base), timeout: .seconds(10))
                bodies.append(String(decoding: timed.reply.body, as: UTF8.self))
            }
            return bodies
        }
        #expect(bodies == ["1", "2", "3", "4", "5"])
        #expect(server.log.accepted == 1)
        try await server.stop()
    }

    @Test func twoHundredCallsAtOnceAreEachReceivedOnceAndGetTheirOwnReply() async throws {
        let server = try await LoopbackServer { _, request, channel in
            channel.reply(String(request.split(separator: " ")[1]))
        }
        let base = server.base
        try await withTransport { transport in
            try await withThrowingTaskGroup(of: (String, TimedReply).self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let target = "/order/\(number)"
                        return (
                            target, try await transport.mutate(order(base, target: target), timeout: .seconds(30))
                        )
                    }
                }
                for try await (target, timed) in group {
                    #expect(String(decoding: timed.reply.body, as: UTF8.self) == target)
                    #expect(timed.sentAt <= timed.receivedAt)
                }
            }
        }
        #expect(server.log.requests.count == 200)
        #expect(Set(server.log.requests).count == 200)
        try await server.stop()
    }
}
