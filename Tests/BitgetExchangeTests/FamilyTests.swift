import BitgetExchange
import ExchangeKit
import FlatbookCore
import Testing

@Suite("Bitget's two kinds of account")
struct FamilyTests {
    private let positions = Read.positions(product: usdt, cursor: nil)
    private let privateReads: [Read] = [
        .identity, .permissions, .settings, .positions(product: usdt, cursor: nil), copyRead,
        .orders(product: usdt, list: "normal/live", cursor: nil), .control(product: usdt),
    ]

    private func path(_ read: Read, _ owner: Account) -> String { bitget.request(for: read, account: owner).path }

    @Test(
        "are told apart by the accounts file, then by what the exchange said, and count as classic until then",
        arguments: [
            (nil, nil, false), ("auto", nil, false), (nil, "unified", true), ("auto", "unified", true),
            (nil, "classic", false), ("classic", nil, false), ("classic", "unified", false), ("unified", nil, true),
            ("unified", "classic", true), (nil, "something", false),
        ] as [(String?, String?, Bool)])
    func families(api: String?, knownAs: String?, isUnified: Bool) {
        let owner = account(api: api, knownAs: knownAs)
        #expect(path(positions, owner).hasPrefix(isUnified ? "/api/v3/" : "/api/v2/"))
        #expect(path(.identity, owner) == (isUnified ? "/api/v3/account/settings" : "/api/v2/spot/account/info"))
        #expect(path(.settings, owner) == (isUnified ? "/api/v3/account/settings" : "/api/v2/mix/account/account"))
        // Public calls stay where they are.
        #expect(path(.serverTime, owner) == "/api/v2/public/time")
        #expect(path(.instruments(product: usdt, cursor: nil), owner) == "/api/v2/mix/market/contracts")
        let operations = Set(bitget.closeMethods(for: owner).map(\.operation))
        #expect(operations.contains("bitget.v3-close-positions") == isUnified)
        #expect(operations.contains("bitget.close-positions") != isUnified)
        #expect(bitget.partitions(of: owner).contains { $0.id.hasPrefix("copy:") } != isUnified)
    }

    @Test("are learned from the exchange's refusal of either, once", arguments: [nil, "auto"])
    func learned(api: String?) throws {
        for (code, kind) in [("40085", "unified"), ("40084", "classic"), ("25245", "classic")] {
            for read in privateReads {
                let failed = try #require(failure(answer(read, refusal(code), of: account(api: api))))
                #expect(failed.learned == ["api": kind] && failed.errorClass == .adapt && failed.refusal == nil)
                #expect(failed.effect == .none && failed.code == code && failed.action != nil)
            }
            for mutation in everyMutation + newMutations {
                let outcome = outcome(mutation, refusal(code), of: account(api: api))
                #expect(outcome.learned == ["api": kind] && outcome.errorClass == .adapt && outcome.refusal == nil)
                #expect(outcome.effect == .none)
            }
        }
    }

    @Test("are not learned again where a late answer repeats what is known, which refuses nothing")
    func late() throws {
        for (code, kind) in [("40085", "unified"), ("40084", "classic"), ("25245", "classic")] {
            let owner = account(knownAs: kind)
            let failed = try #require(failure(answer(positions, refusal(code), of: owner)))
            #expect(failed.learned == nil && failed.errorClass == .adapt && failed.refusal == nil)
            let outcome = outcome(flashClose, refusal(code), of: owner)
            #expect(outcome.learned == nil && outcome.errorClass == .adapt && outcome.effect == .none)
        }
    }

    @Test(
        "are refused where the exchange contradicts itself or the accounts file",
        arguments: [
            ("40085", nil, "classic"), ("40084", nil, "unified"), ("25245", "auto", "unified"),
            ("40085", "classic", nil), ("40085", "classic", "unified"), ("40085", "unified", nil),
            ("40084", "unified", nil), ("25245", "unified", "classic"), ("40084", "classic", nil),
        ] as [(String, String?, String?)])
    func refused(code: String, api: String?, knownAs: String?) throws {
        let owner = account(api: api, knownAs: knownAs)
        let failed = try #require(failure(answer(positions, refusal(code), of: owner)))
        for outcome in [
            failed, outcome(flashClose, refusal(code), of: owner), outcome(closeUnified, refusal(code), of: owner),
        ] {
            #expect(outcome.errorClass == .fatalAccount && outcome.refusal == .wrongAccountKind)
            #expect(outcome.learned == nil && outcome.effect == .none)
            #expect(try #require(outcome.action).contains("options.api"))
        }
    }

    @Test("are not learned from public calls, other codes or a gateway that fails")
    func notLearned() throws {
        for code in ["40128", "40115", "40731", "40014", "22002", "99999"] {
            #expect(failure(answer(positions, refusal(code)))?.learned == nil)
            #expect(outcome(flashClose, refusal(code)).learned == nil)
        }
        for read in [Read.serverTime, .instruments(product: usdt, cursor: nil)] {
            #expect(try #require(failure(answer(read, refusal("40085")))).learned == nil)
        }
        #expect(try #require(failure(answer(positions, refusal("40085", status: 502)))).learned == nil)
        let outcome = outcome(flashClose, refusal("40085", status: 502))
        #expect(outcome.learned == nil && outcome.effect == .unknown)
    }

    @Test("are waited for while the exchange switches an account")
    func switching() throws {
        for owner in [account(), unified] {
            #expect(failure(answer(positions, refusal("40115"), of: owner))?.errorClass == .retry)
            let failed = try #require(failure(answer(positions, refusal("40128"), of: owner)))
            #expect(failed.errorClass == .fatalAccount && failed.refusal == .wrongAccountKind)
        }
    }

    @Test("divide a classic account into plain and copied positions, which a normal account may be refused")
    func classicPartitions() throws {
        let normal = bitget.partitions(of: account())
        #expect(
            normal.map(\.id) == [
                "USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES", "copy:USDT-FUTURES", "copy:COIN-FUTURES",
                "copy:USDC-FUTURES",
            ])
        for part in normal {
            let isCopy = part.id.hasPrefix("copy:")
            #expect(part.covers == [part.id])
            #expect(part.instruments == [part.id.replacing("copy:", with: "")])
            #expect(part.orderLists == (isCopy ? [] : bitget.profile.orderLists))
            #expect(part.protectiveLists == (isCopy ? [] : ["profit_loss"]))
            #expect(part.hasControl == !isCopy)
            #expect(part.refusedAs == (isCopy ? "copy" : nil))
        }
        #expect(bitget.partitions(of: follower).allSatisfy { $0.refusedAs == nil })
        #expect(bitget.partitions(of: follower).map(\.id) == normal.map(\.id))
        var narrow = account(role: "copy-follower")
        narrow.options["products"] = ["COIN-FUTURES"]
        #expect(bitget.partitions(of: narrow).map(\.id) == ["COIN-FUTURES", "copy:COIN-FUTURES"])
    }

    @Test("divide a unified account by product alone", arguments: [nil, "normal", "copy-follower"])
    func unifiedPartitions(role: String?) {
        let parts = bitget.partitions(of: account(api: "unified", role: role))
        #expect(parts.map(\.id) == ["USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES"])
        for part in parts {
            #expect(part.covers == [part.id] && part.instruments == [part.id])
            #expect(part.orderLists == ["unfilled", "strategy/tpsl", "strategy/trigger"])
            #expect(part.protectiveLists == ["strategy/tpsl"])
            #expect(!part.hasControl && part.refusedAs == nil)
        }
    }

    @Test("close what their role allows, and say why not")
    func methods() {
        #expect(bitget.closeMethods(for: account()).allSatisfy { $0.silo == .normal })
        #expect(bitget.closeMethods(for: account(role: "normal")) == bitget.profile.closeMethods)
        let all = bitget.closeMethods(for: follower)
        #expect(Array(all.prefix(5)) == bitget.profile.closeMethods)
        let copies = all.filter { $0.silo == .copy }
        #expect(copies.map(\.reach) == [.side, .leg])
        #expect(copies.map(\.modes) == [[.hedge], [.oneWay, .hedge]])
        #expect(
            copies.allSatisfy { $0.guaranteesSide && !$0.isSized && $0.operation == "bitget.follower-close-positions" })
        let ofUnified = bitget.closeMethods(for: unified)
        #expect(ofUnified.map(\.reach) == [.product, .symbol, .side])
        #expect(ofUnified.map(\.guaranteesSide) == [false, false, true])
        #expect(ofUnified.map(\.modes) == [[.oneWay, .hedge], [.oneWay, .hedge], [.hedge]])
        #expect(ofUnified.allSatisfy { !$0.isSized && $0.silo == .normal })
        for owner in [account(), follower, unified] {
            for method in bitget.closeMethods(for: owner) {
                #expect(bitget.profile.route(method.operation)?.isMutation == true)
            }
        }
        #expect(bitget.reasonUnclosable(.copy, account: account())?.contains("copy-follower") == true)
        #expect(bitget.reasonUnclosable(.copy, account: follower) == nil)
        #expect(bitget.reasonUnclosable(.normal, account: account()) == nil)
    }

    @Test("never change where a planned call goes, whatever was learned since")
    func plannedCalls() {
        for mutation in everyMutation + newMutations {
            let paths = [account(), follower, unified, account(api: "classic")].map {
                bitget.request(for: mutation, account: $0)
            }
            #expect(Set(paths).count == 1)
        }
    }
}
