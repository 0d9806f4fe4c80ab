import ExchangeKit
import FlatbookCore
import FlatbookCrypto
import FlatbookPlanner

/// Plays cases 10 to 19: a small driver that sends a plugin's requests to a simulator, without an engine around it.
struct Drill {
    let exchange: ExchangeUnderTest
    let stage: any ContractStage

    func problems(_ number: PluginContract.Case) async -> [String] {
        var problems = Problems()
        if stage.seats.isEmpty { problems.add("the stage has no accounts") }
        for seat in stage.seats {
            do {
                try await play(number, seat, &problems)
            } catch {
                problems.add("\(seat): \(error)")
            }
        }
        return problems.list
    }

    private func play(_ number: PluginContract.Case, _ seat: ContractSeat, _ problems: inout Problems) async throws {
        switch number {
        case .readCloseReadFlat: try await readCloseReadFlat(seat, &problems)
        case .oneSideOnly: try await oneSideOnly(seat, &problems)
        case .pagesEnd: try await pagesEnd(seat, &problems)
        case .publishedLimitHolds: try await publishedLimitHolds(seat, &problems)
        case .lostReplyIsNeverSentTwice: try await lostReply(seat, &problems)
        case .alreadyFlatIsSaid: try await alreadyFlat(seat, &problems)
        case .partialFailureIsSeen: try await partialFailure(seat, &problems)
        case .wrongKeyStopsItsAccountOnly: try await wrongKey(seat, &problems)
        case .closesWithoutTheRightToCancel: try await withoutCancels(seat, &problems)
        case .failedReadIsNotFlat: try await failedRead(seat, &problems)
        default: problems.add("\(number) is no case for a simulator")
        }
    }
}

/// One account at one started exchange.
struct DrillSession {
    let plugin: any ExchangePlugin
    let wire: any ContractWire
    let seat: ContractSeat
    var credentials: [String: String]
    var account: Account
    private(set) var book = InstrumentBook()
    private var attempts = 0

    init(_ exchange: ExchangeUnderTest, _ wire: any ContractWire, _ seat: ContractSeat) {
        plugin = exchange.plugin
        self.wire = wire
        self.seat = seat
        account = seat.account
        credentials = wire.credentials(of: seat.account.name)
    }

    func send(_ request: VenueRequest) async throws -> VenueReply? {
        let recipe = plugin.signing(of: request, at: await wire.time(), account: account)
        let secrets = try AccountCredentials(credentials.mapValues { Secret($0) })
        let signed = try Signer().sign(request, recipe: recipe, credentials: secrets, base: wire.base)
        return try await wire.send(signed)
    }

    /// Nil where no reply came.
    func answer(_ read: Read) async throws -> ReadResult? {
        let reply = try await send(plugin.request(for: read, account: account))
        return reply.map { plugin.answer(to: read, in: $0, account: account, instruments: book) }
    }

    /// Lists what is traded, so that positions have symbols.
    mutating func list(_ problems: inout Problems) async throws {
        for product in Set(plugin.partitions(of: account).flatMap(\.instruments)).sorted() {
            var cursor: String?
            repeat {
                let result = try await answer(.instruments(product: product, cursor: cursor))
                guard case .answer(.instruments(let list, let next)) = result else {
                    return problems.add("\(seat): instruments of \(product): \(words(result))")
                }
                book.add(list)
                cursor = next
                await wire.pass(.milliseconds(1100))
            } while cursor != nil
        }
    }

    /// Every open row of the account; nil where a read failed.
    mutating func positions(_ problems: inout Problems, expectsFailure: Bool = false) async throws -> [Position]? {
        var rows: [Position] = []
        for partition in plugin.partitions(of: account) {
            var cursor: String?
            var pages = 0
            repeat {
                await wire.pass(.milliseconds(1100))
                let result = try await answer(.positions(product: partition.id, cursor: cursor))
                guard case .answer(.positions(let page, let next)) = result else {
                    let refused = if case .failed(let outcome)? = result { outcome.refusal != nil } else { false }
                    if partition.refusedAs != nil, refused { break }
                    if !expectsFailure { problems.add("\(seat): positions of \(partition.id): \(words(result))") }
                    return nil
                }
                rows += page
                cursor = next
                pages += 1
                if pages > 50 { problems.add("\(seat): positions of \(partition.id) never end") }
            } while cursor != nil && pages <= 50
        }
        return rows
    }

    /// What the real planner makes of the rows.
    func calls(for rows: [Position], sides: [Side] = Side.allCases) -> (calls: [CloseCall], unclosable: [UnclosableLeg])
    {
        var planner = FlatteningPlanner()
        let selection = SymbolSelection(patterns: [Pattern("*")], sides: sides)
        let selected = rows.filter { selection.selects($0, exchange: account.exchange) }
        return planner.add(
            PlannedAccount(
                account: account, selection: selection, positions: selected, granularity: .auto, sequence: .account,
                methods: plugin.closeMethods(for: account), legByLeg: false, costs: [:],
                outside: rows.filter { !selected.contains($0) }))
    }

    /// Sends a close and lets it fill. Nil where no reply came.
    mutating func close(_ call: CloseCall) async throws -> Outcome? {
        attempts += 1
        var call = call
        let number = String(attempts, radix: 16)
        call.attemptID = String(repeating: "0", count: 32 - number.count) + number
        await wire.pass(.milliseconds(2100))
        let mutation = Mutation.close(call)
        let reply = try await send(plugin.request(for: mutation, account: account))
        await wire.pass(.milliseconds(2100))
        return reply.map { plugin.outcome(of: mutation, in: $0, account: account) }
    }

    func words(_ result: ReadResult?) -> String {
        switch result {
        case nil: "no reply"
        case .failed(let outcome)?: "\(outcome.errorClass) \(outcome.code) \(outcome.message)"
        case .answer(let answer)?: "\(ContractText.lines(answer))"
        }
    }

    func isOpen() async -> [ContractLeg] { await wire.truth().open[account.name] ?? [] }
}
