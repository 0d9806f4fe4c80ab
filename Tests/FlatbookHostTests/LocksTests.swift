import FlatbookCore
import Foundation
import Testing

@testable import FlatbookHost

/// A fresh state folder that is removed with the test.
private final class Home {
    let root: String
    let directory: HostDirectory
    let locks: AccountLocks
    init() throws {
        root = NSTemporaryDirectory() + "flatbook-locks-\(UUID().uuidString)"
        directory = try HostDirectory(environment: ["XDG_STATE_HOME": root])
        locks = AccountLocks(directory: directory)
    }
    deinit { try? FileManager.default.removeItem(atPath: root) }

    var lockFiles: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: directory.locksPath).sorted() }
    }
    func hold(_ key: LockKey, _ card: LockCard = card) throws -> HeldLock {
        let attempt = try locks.acquire(key, card: card)
        guard case .held(let lock) = attempt else { throw NotHeld(attempt: "\(attempt)") }
        return lock
    }
    func isFree(_ key: LockKey) throws -> Bool {
        if case .held = try locks.acquire(key, card: card) { true } else { false }
    }
}

private struct NotHeld: Error { var attempt: String }

private let card = LockCard(
    id: "r1", run: "run-1", plan: "friday", host: "box", pid: 7, since: "2026-11-20T20:55:00.123Z",
    operation: "apply", version: "1.0.0")

private func key(_ uid: String = "42", port: Int? = nil) -> LockKey {
    LockKey(exchange: ExchangeID("bitget"), environment: .production, uid: uid, port: port)
}

private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
}

@Suite struct LocksTests {
    @Test("A second acquirer is told who holds the lock")
    func secondSeesCard() throws {
        let home = try Home()
        let first = try home.hold(key())
        guard case .lockedBy(let other) = try home.locks.acquire(key(), card: card) else {
            Issue.record("two holders")
            return
        }
        #expect(other == first.card)
        #expect(other?.description == "run run-1 of plan friday on box, pid 7, since 2026-11-20T20:55:00.123Z")
        #expect(first.isStillHeld())
    }

    @Test("A released lock is free again, and its old holder knows")
    func release() throws {
        let home = try Home()
        let first = try home.hold(key())
        first.release()
        let second = try home.hold(key())
        #expect(!first.isStillHeld())
        first.release()
        #expect(second.isStillHeld())
        #expect(try !home.isFree(key()))
    }

    @Test("Every acquisition has an id of its own")
    func ids() throws {
        let home = try Home()
        var ids: Set<String> = []
        for uid in ["1", "1", "2"] {
            let lock = try home.hold(key(uid))
            ids.insert(lock.card.id)
            lock.release()
        }
        #expect(ids.count == 3)
    }

    @Test(
        "Another account, environment or port is another lock",
        arguments: [
            key("43"), key(port: 8080), key("42-8080"), key("42+8080"),
            LockKey(exchange: ExchangeID("bitget"), environment: .demo, uid: "42"),
            LockKey(exchange: ExchangeID("okx"), environment: .production, uid: "42"),
        ])
    func otherKeys(other: LockKey) throws {
        let home = try Home()
        let first = try home.hold(key())
        let port = other.port == nil ? try home.hold(key(port: 8080)) : nil
        #expect(try home.isFree(other))
        #expect(first.isStillHeld())
        #expect(port?.isStillHeld() != false)
    }

    @Test("Another process holds the lock against us until it is killed")
    func killedHolder() throws {
        let home = try Home()
        try home.hold(key()).release()
        let path = home.directory.locksPath + "/bitget-production-42.lock"
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        child.arguments = ["--no-fork", path, "sh", "-c", "echo locked; exec cat"]
        let (output, input) = (Pipe(), Pipe())
        (child.standardOutput, child.standardInput) = (output, input)
        try child.run()
        #expect(output.fileHandleForReading.readData(ofLength: 7) == Data("locked\n".utf8))
        guard case .lockedBy(nil) = try home.locks.acquire(key(), card: card) else {
            Issue.record("acquired beside another process")
            return
        }
        kill(child.processIdentifier, SIGKILL)
        child.waitUntilExit()
        #expect(try home.isFree(key()))
    }

    @Test("A raised epoch fences the holder, and the account can be had again")
    func raisedEpoch() throws {
        let home = try Home()
        let first = try home.hold(key())
        let bystander = try home.hold(key("43"))
        #expect(try home.locks.raiseEpoch(key()) == first.epoch + 1)
        #expect(!first.isStillHeld())
        #expect(bystander.isStillHeld())
        let second = try home.hold(key())
        #expect(second.epoch == first.epoch + 1)
        #expect(try !home.isFree(key()))
        first.release()
        #expect(second.isStillHeld())
        #expect(try !home.isFree(key()))
    }

    @Test("A holder whose epoch cannot be read does not trust its lock", arguments: ["", "1", "x", nil])
    func lostEpoch(text: String?) throws {
        let home = try Home()
        let lock = try home.hold(key())
        let path = home.directory.locksPath + "/bitget-production-42.epoch"
        if let text {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        } else {
            try FileManager.default.removeItem(atPath: path)
        }
        #expect(!lock.isStillHeld())
    }

    @Test(
        "A damaged epoch is an error that names the file",
        arguments: ["nonsense", "09223372036854775807", "-0000000000000000001"])
    func damagedEpoch(text: String) throws {
        let home = try Home()
        let path = home.directory.locksPath + "/bitget-production-42.epoch"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: HostError.self) { try home.locks.acquire(key(), card: card) }
        #expect(error?.path == path)
        #expect(throws: HostError.self) { try home.locks.raiseEpoch(key()) }
    }

    @Test(
        "No uid leads out of the folder",
        arguments: [
            "../x", "..", ".", "/etc/passwd", "", "a\0b", "日本語", "é", "%2F", "a b\n",
            String(repeating: "u", count: 300), String(repeating: "ü", count: 300),
        ])
    func hostileNames(uid: String) throws {
        let home = try Home()
        let lock = try home.hold(key(uid, port: 65_535))
        #expect(try home.locks.raiseEpoch(key(uid, port: 65_535)) == 1)
        #expect(!lock.isStillHeld())
        let again = try home.hold(key(uid, port: 65_535))
        #expect(try home.lockFiles.count == 3)
        #expect(try home.lockFiles.allSatisfy { $0.hasPrefix("bitget-production-") && $0.utf8.count <= 255 })
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.root) == ["flatbook"])
        #expect(again.isStillHeld())
        let ledger = home.directory.ledgerPath(exchange: uid, egress: uid, port: 1)
        #expect(ledger.dropFirst((home.directory.path + "/ledgers/").count).allSatisfy { $0 != "/" })
        #expect((ledger as NSString).lastPathComponent.utf8.count <= 255)
    }

    @Test("Names that differ only in what is encoded or cut stay different")
    func distinctNames() {
        let long = String(repeating: "u", count: 300)
        let names = ["a/b", "a%2Fb", "a%b", "a_b", "A_b", long + "1", long + "2"].map(safeName)
        #expect(Set(names).count == names.count)
    }

    @Test("Files are for their owner alone, also where they were not before")
    func modes() throws {
        let home = try Home()
        let path = home.directory.path
        for folder in [path, path + "/locks", path + "/ledgers"] {
            #expect(try mode(folder) == 0o700)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
        }
        let lock = try home.hold(key())
        for file in try home.lockFiles { #expect(try mode(path + "/locks/" + file) == 0o600) }
        #expect(lock.isStillHeld())
        _ = try HostDirectory(environment: ["XDG_STATE_HOME": home.root])
        for folder in [path, path + "/locks", path + "/ledgers"] { #expect(try mode(folder) == 0o700) }
    }

    @Test("A symbolic link in place of a lock's file is refused", arguments: ["lock", "epoch"])
    func symlink(suffix: String) throws {
        let home = try Home()
        let target = home.root + "/target"
        let path = home.directory.locksPath + "/bitget-production-42." + suffix
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        let error = #expect(throws: HostError.self) { try home.locks.acquire(key(), card: card) }
        #expect(error?.path == path)
        #expect(error?.description.contains("symbolic link") == true)
        #expect(!FileManager.default.fileExists(atPath: target))
    }

    @Test("A pipe in place of a lock's file is refused without waiting")
    func pipe() throws {
        let home = try Home()
        let path = home.directory.locksPath + "/bitget-production-42.lock"
        #expect(mkfifo(path, 0o600) == 0)
        #expect(throws: HostError.self) { try home.locks.acquire(key(), card: card) }
    }
}

@Suite struct LocksDirectoryTests {
    @Test("The folder follows XDG_STATE_HOME, else HOME", arguments: [nil, "", "relative/state"])
    func fallback(xdg: String?) throws {
        let home = NSTemporaryDirectory() + "flatbook-home-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: home) }
        var environment = ["HOME": home]
        environment["XDG_STATE_HOME"] = xdg
        #expect(try HostDirectory(environment: environment).path == home + "/.local/state/flatbook")
        environment["XDG_STATE_HOME"] = home + "/state"
        let directory = try HostDirectory(environment: environment)
        #expect(directory.path == home + "/state/flatbook")
        #expect(
            directory.ledgerPath(exchange: "bitget", egress: "default", port: nil)
                == home + "/state/flatbook/ledgers/bitget-default.ledger")
        #expect(
            directory.ledgerPath(exchange: "bitget", egress: "10.0.0.1", port: 8080)
                == home + "/state/flatbook/ledgers/bitget-10.0.0.1-8080.ledger")
    }

    @Test("Without an absolute folder the error says what to set", arguments: [[:], ["HOME": "here"]])
    func nowhere(environment: [String: String]) {
        let error = #expect(throws: HostError.self) { try HostDirectory(environment: environment) }
        #expect(error?.description.contains("set XDG_STATE_HOME or HOME") == true)
    }

    @Test("A file in place of the folder is an error that names it")
    func fileInTheWay() throws {
        let root = NSTemporaryDirectory() + "flatbook-file-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try Data().write(to: URL(fileURLWithPath: root))
        let error = #expect(throws: HostError.self) { try HostDirectory(environment: ["XDG_STATE_HOME": root]) }
        #expect(error?.path == root)
    }

    @Test(
        "An error says what to do",
        arguments: [(EROFS, "read-only"), (EACCES, "give this user"), (ENOSPC, "disk space")])
    func advice(code: Int32, words: String) {
        let error = HostError(code, cannot: "open", "/state/x")
        #expect(error.description.hasPrefix("cannot open /state/x: "))
        #expect(error.description.contains(words))
    }

    @Test("The boot and the host have stable names that fit a ledger")
    func names() {
        #expect(bootID() == bootID())
        #expect((1...40).contains(bootID().utf8.count))
        #expect(!hostName().isEmpty)
    }
}
