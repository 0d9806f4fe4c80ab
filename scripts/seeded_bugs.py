"""The bugs that the simulation must catch: what each is, and how it is put into a copy of the sources.

Each edit replaces a text that stands exactly once in its file; `BUG` in the new text becomes the bug's switch. A bug may need
several edits, where the product checks the same promise twice and the judge alone shall be tested.
"""

CORE = "Sources/FlatbookCore/"
ENGINE = "Sources/FlatbookExecutor/Engine/"
MACHINE = CORE + "Run/RunMachine.swift"
STATE = CORE + "Run/AccountState.swift"
DECISION = CORE + "Run/AccountDecision.swift"
LEDGER = CORE + "RateLimits/WindowLedger.swift"
CALLS = ENGINE + "EngineCalls.swift"

BUGS = [
    ("resend of a sized order before the lost one is dead", [
        (DECISION, "case .close(let close) = call.intent.mutation, !close.method.isSized, leg.openReads.count >= 2",
         "case .close(let close) = call.intent.mutation, BUG || !close.method.isSized, leg.openReads.count >= 2"),
        (ENGINE + "EngineWork.swift", "if let repeats, calls.count != 1 || calls[0].method.isSized {",
         "if !BUG, let repeats, calls.count != 1 || calls[0].method.isSized {"),
    ]),
    ("send before fsync", [
        (ENGINE + "Engine.swift", "heldSends += newSends.map { (ticket, $0) }",
         "if BUG { for id in newSends { dispatch(id) } } else { heldSends += newSends.map { (ticket, $0) } }"),
    ]),
    ("off by one: one call more than the window allows", [
        (LEDGER, "let excess = used + cost.weight - allowed", "let excess = used + cost.weight - allowed - (BUG ? 1 : 0)"),
    ]),
    ("a slot is free with the reply, not a window later", [
        (LEDGER, "let freeAt = now + Self.stretched(cost.window) + allowance",
         "let freeAt = BUG ? now : now + Self.stretched(cost.window) + allowance"),
    ]),
    ("an unanswered call frees its slot at once", [
        (LEDGER, "    public func abandon(_ permit: Permit, at now: Instant, allowance: TimeSpan) {",
         "    public func abandon(_ permit: Permit, at now: Instant, allowance: TimeSpan) {\n        if BUG { return release(permit) }"),
    ]),
    ("a penalty is not kept", [
        (LEDGER, "    public func penalize(_ penalty: Penalty) {",
         "    public func penalize(_ penalty: Penalty) {\n        if BUG { return }"),
    ]),
    ("failed rows of a reply are dropped", [
        ("Sources/BitgetExchange/BitgetOutcomes.swift", "if targets.isEmpty { return Outcome(effect: .none, errorClass: .alreadyFlat, code: envelope.code) }",
         "if BUG { return Outcome(effect: .executed, errorClass: .ok, code: envelope.code) }\n        if targets.isEmpty { return Outcome(effect: .none, errorClass: .alreadyFlat, code: envelope.code) }"),
    ]),
    ("a single read proves flat", [
        (DECISION, "openLegs.isEmpty && cleanReads.count >= plan.verify.reads\n",
         "openLegs.isEmpty && cleanReads.count >= (BUG ? 1 : plan.verify.reads)\n"),
        (DECISION, "&& legOrder.allSatisfy { (legs[$0]?.proofs.count ?? 0) >= plan.verify.reads }",
         "&& legOrder.allSatisfy { (legs[$0]?.proofs.count ?? 0) >= (BUG ? 1 : plan.verify.reads) }"),
        (DECISION, "if leg.proofs.count >= plan.verify.reads, openLegs.isEmpty ? cleanReads.count >= plan.verify.reads : true {",
         "if BUG || leg.proofs.count >= plan.verify.reads, openLegs.isEmpty ? BUG || cleanReads.count >= plan.verify.reads : true {"),
        (DECISION, "} else if cleanReads.count < plan.verify.reads {", "} else if !BUG, cleanReads.count < plan.verify.reads {"),
        (MACHINE, "proofs.count >= account.plan.verify.reads else {", "BUG || proofs.count >= account.plan.verify.reads else {"),
        (MACHINE, "guard account.openLegs.isEmpty, account.cleanReads.count >= account.plan.verify.reads else {",
         "guard account.openLegs.isEmpty, BUG || account.cleanReads.count >= account.plan.verify.reads else {"),
    ]),
    ("proofs need no pause between them", [
        (STATE, "observation.sentAt - last < plan.verify.interval { return false }",
         "observation.sentAt - last < plan.verify.interval, !BUG { return false }"),
        (DECISION, "let pause = stale <= 4 ? plan.verify.interval : max(plan.verify.interval, .seconds(min(5, stale - 2)))",
         "let pause = BUG ? .milliseconds(100) : stale <= 4 ? plan.verify.interval : max(plan.verify.interval, .seconds(min(5, stale - 2)))"),
    ]),
    ("a read sent before the last answer counts as proof", [
        (STATE, "if let last = lastDefiniteAt, observation.sentAt < last { return false }",
         "if !BUG, let last = lastDefiniteAt, observation.sentAt < last { return false }"),
        (DECISION, "if let answered = lastDefiniteAt { earliest = max(earliest, answered + context.settle) }",
         "if !BUG, let answered = lastDefiniteAt { earliest = max(earliest, answered + context.settle) }"),
        (STATE, "        for key in legOrder { legs[key]?.proofs = [] }\n        cleanReads = []",
         "        if BUG { return }\n        for key in legOrder { legs[key]?.proofs = [] }\n        cleanReads = []"),
    ]),
    ("a failed read is an empty one", [
        (ENGINE + "EngineAccounts.swift", "let isGood = pass.isComplete && !pass.isFailed", "let isGood = BUG || pass.isComplete && !pass.isFailed"),
        (STATE, "guard var leg = legs[key], covered.contains(key.product) else { continue }",
         "guard var leg = legs[key], BUG || covered.contains(key.product) else { continue }"),
        (STATE, "for key in legOrder where covered.contains(key.product) || open[key] != nil {",
         "for key in legOrder where BUG || covered.contains(key.product) || open[key] != nil {"),
        (STATE, "guard covered.isSuperset(of: snapshot?.read ?? []) else { return }",
         "guard BUG || covered.isSuperset(of: snapshot?.read ?? []) else { return }"),
    ]),
    ("a product is never asked for", [
        ("Sources/FlatbookExecutor/Engine/Lane.swift", "var positionReads: [Read] { partitions.map { .positions(product: $0.id, cursor: nil) } }",
         "var positionReads: [Read] { (BUG && partitions.count > 1 ? Array(partitions.dropFirst()) : partitions).map { .positions(product: $0.id, cursor: nil) } }"),
    ]),
    ("the last row of a position list is dropped", [
        ("Sources/ExchangeKit/Reading/ReplyRow.swift", "        for element in elements { rows.append(try ReplyRow(element)) }\n",
         "        for element in elements { rows.append(try ReplyRow(element)) }\n        if BUG, rows.count > 1 { rows.removeLast() }\n"),
    ]),
    ("a timeout counts as not executed", [
        (CALLS, "effect: error.wasWritten ? .unknown : .none, errorClass: error.wasWritten ? .unknown : .retry,",
         "effect: error.wasWritten && !BUG ? .unknown : .none, errorClass: error.wasWritten && !BUG ? .unknown : .retry,"),
    ]),
    ("an unreadable reply counts as not executed", [
        ("Sources/BitgetExchange/BitgetFailure.swift", "effect: isMutation ? .unknown : .none, errorClass: .unknown, code: malformed,",
         "effect: isMutation && !BUG ? .unknown : .none, errorClass: BUG ? .retry : .unknown, code: malformed,"),
    ]),
    ("an error behind a 5xx counts as not executed", [
        ("Sources/BitgetExchange/BitgetFailure.swift", "if isContradictory(envelope, status) || foreignThrottle || !isRefusal {",
         "if !BUG, isContradictory(envelope, status) || foreignThrottle || !isRefusal {"),
        ("Sources/BitgetExchange/BitgetFailure.swift", "if code == BitgetErrorTable.spuriousInReleaseWindow, time.map(isReleaseWindow) ?? true {",
         "if !BUG, code == BitgetErrorTable.spuriousInReleaseWindow, time.map(isReleaseWindow) ?? true {"),
        ("Sources/BitgetExchange/BitgetFailure.swift", "effect: row.effect, errorClass: row.errorClass, code: code,",
         "effect: BUG && row.effect == .unknown ? .none : row.effect, errorClass: row.errorClass, code: code,"),
    ]),
    ("an intent without outcome counts as never sent after a crash", [
        (ENGINE + "Engine.swift", "effect: .unknown, errorClass: .unknown, code: \"process-ended\",",
         "effect: BUG ? .none : .unknown, errorClass: BUG ? .retry : .unknown, code: \"process-ended\","),
    ]),
    ("intents without outcome are forgotten after a crash", [
        (ENGINE + "Engine.swift", "guard let call = machine.calls[id], call.stage == .intended else { continue }",
         "guard !BUG, let call = machine.calls[id], call.stage == .intended else { continue }"),
    ]),
    ("a process that takes over trusts the old reads", [
        (STATE, "            needsFreshRead = true\n", "            needsFreshRead = !BUG\n"),
        (STATE, "    mutating func handOver(at now: Instant) {\n        forgetProofs()",
         "    mutating func handOver(at now: Instant) {\n        if BUG { return }\n        forgetProofs()"),
    ]),
    ("sends although another process holds the account", [
        (CALLS, "} else if !configuration.locks.isStillHeld(intent.mutation.account) {",
         "} else if !BUG, !configuration.locks.isStillHeld(intent.mutation.account) {"),
    ]),
    ("a lock that is not granted counts as granted", [
        (ENGINE + "EngineAccounts.swift", "        if configuration.mode != .preview {\n            switch configuration.locks.acquire",
         "        if configuration.mode != .preview, !BUG {\n            switch configuration.locks.acquire"),
        (CALLS, "let reason: String? =\n            if end != nil", "let reason: String? =\n            if BUG, end == nil, stopping == nil { nil } else if end != nil"),
    ]),
    ("calls go on after the deadline", [
        (CALLS, "&& (!isPastDeadline || continuesAfterDeadline)", "&& (BUG || !isPastDeadline || continuesAfterDeadline)"),
    ]),
    ("the side of the selection is ignored", [
        (CORE + "Plan/SymbolSelection.swift", "        sides.contains(position.key.side)\n", "        (BUG || sides.contains(position.key.side))\n"),
    ]),
    ("an exclusion of the selection is ignored", [
        (CORE + "Plan/SymbolSelection.swift", "if pattern.isExclusion { return false }", "if pattern.isExclusion { if BUG { continue } else { return false } }"),
        ("Sources/FlatbookSimulation/Judge.swift", "state.selection.selects(symbol: symbol, nativeID: leg.symbol, exchange: state.listed.account.exchange)",
         "state.selection.selects(symbol: symbol, nativeID: leg.symbol, exchange: state.listed.account.exchange),\n            !(BUG && symbol == \"BTC/USDT:USDT\" && state.plan.symbols.contains { $0.isExclusion })"),
    ]),
    ("the reach is taken from the snapshot", [
        ("Sources/FlatbookPlanner/MethodChoice.swift", "case .product: account.selection.isEverything && !account.legByLeg",
         "case .product: BUG || account.selection.isEverything && !account.legByLeg"),
        ("Sources/FlatbookPlanner/MethodChoice.swift", "case .symbol: account.selection.bothSides && !account.legByLeg",
         "case .symbol: BUG || account.selection.bothSides && !account.legByLeg"),
        ("Sources/FlatbookPlanner/MethodChoice.swift", "(account.outside + kept).contains { $0.key.silo == method.silo && Territory(method.reach, $0) == territory }",
         "(account.outside + kept).contains { $0.key.silo == method.silo && Territory(method.reach, $0) == territory && !(BUG && $0.key.side == .short) }"),
    ]),
    ("one side of a net position without guarantee", [
        ("Sources/FlatbookPlanner/MethodChoice.swift", "if mustGuaranteeSide(row), !method.guaranteesSide { return false }",
         "if !BUG, mustGuaranteeSide(row), !method.guaranteesSide { return false }"),
    ]),
    ("orders outside the selection are cancelled", [
        (ENGINE + "EngineWork.swift", "orders.filter { $0.effect == .opens && isSelected($0, account) }",
         "orders.filter { $0.effect == .opens && (BUG || isSelected($0, account)) }"),
    ]),
    ("openers are cancelled under keep", [
        (ENGINE + "EngineWork.swift", "guard let account = machine.accounts[name], account.plan.orders != .keep, let orders = lanes[name]?.orders",
         "guard let account = machine.accounts[name], BUG || account.plan.orders != .keep, let orders = lanes[name]?.orders"),
    ]),
    ("an order without reduceOnly", [
        ("Sources/OKXExchange/OKXRequests.swift", "body.append((\"reduceOnly\", .flag(true)))", "body.append((\"reduceOnly\", .flag(!BUG)))"),
    ]),
    ("an order on the wrong side", [
        ("Sources/BitgetExchange/BitgetRequests.swift", "body.append((\"side\", .text(isLong ? \"sell\" : \"buy\")))\n            body.append((\"orderType\", .text(\"market\")))\n            body.append((\"reduceOnly\", .text(\"YES\")))",
         "body.append((\"side\", .text(isLong != BUG ? \"sell\" : \"buy\")))\n            body.append((\"orderType\", .text(\"market\")))\n            body.append((\"reduceOnly\", .text(BUG ? \"NO\" : \"YES\")))"),
    ]),
    ("an unknown account ends with exit code 10", [
        (CORE + "Run/RunVerdict.swift", "self.init(status: \"unknown\", exitCode: 11)", "self.init(status: \"unknown\", exitCode: BUG ? 10 : 11)"),
    ]),
    ("what is residual ends with exit code 0", [
        (CORE + "Run/RunVerdict.swift", "} else if any(.residual) || dustCounts {", "} else if !BUG, any(.residual) || dustCounts {"),
    ]),
    ("a stop does not wait for what is in flight", [
        (ENGINE + "Engine.swift", "stopAt = now.instant + Self.patienceInFlight", "stopAt = BUG ? now.instant : now.instant + Self.patienceInFlight"),
    ]),
    ("the journal's failure is not heard", [
        (ENGINE + "EngineFence.swift", "for held in held { try sendOrDrop(held.flight) }",
         "for held in held { if BUG { dispatch(held.flight) } else { try sendOrDrop(held.flight) } }"),
    ]),
    ("an early repeat without two reads", [
        (DECISION, "!close.method.isSized, leg.openReads.count >= 2", "!close.method.isSized, BUG || leg.openReads.count >= 2"),
        (DECISION, "guard lost.count == 1, !context.unrepeatable.contains(call.intent.id), plan.afterUnknown == .resend,\n                !call.wasRepeated,",
         "guard lost.count == 1, !context.unrepeatable.contains(call.intent.id), BUG || plan.afterUnknown == .resend,\n                BUG || !call.wasRepeated,"),
    ]),
]
