import FlatbookCore
import GRDB

/// The database's layout, and the settings it is trusted under.
enum Schema {
    static let version = 2
    /// Opened for reading as they are, and brought up to ``version`` by a writer; the entries stay as they are.
    static let older: ClosedRange<Int> = 1...1

    static let sql = """
        CREATE TABLE event(
          seq INTEGER PRIMARY KEY, run TEXT NOT NULL, epoch INTEGER NOT NULL, account TEXT, call TEXT,
          kind TEXT NOT NULL, t_mono INTEGER NOT NULL, t_wall INTEGER NOT NULL, body BLOB NOT NULL,
          prev BLOB NOT NULL, hash BLOB NOT NULL
        ) STRICT;
        CREATE INDEX event_run ON event(run, seq);
        CREATE TRIGGER event_no_update BEFORE UPDATE ON event
          BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
        CREATE TRIGGER event_no_delete BEFORE DELETE ON event
          BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
        CREATE TABLE epoch(run TEXT PRIMARY KEY, epoch INTEGER NOT NULL) STRICT;
        CREATE TABLE run(
          id TEXT PRIMARY KEY, first_seq INTEGER NOT NULL, opened_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
          entries INTEGER NOT NULL, head BLOB NOT NULL, status TEXT, exit_code INTEGER
        ) STRICT;

        """ + places

    /// Of version 2: where the journal lay, by the first entry written there.
    static let places = """
        CREATE TABLE place(
          first_seq INTEGER NOT NULL, machine TEXT NOT NULL, path TEXT NOT NULL, inode INTEGER NOT NULL
        ) STRICT;
        PRAGMA user_version = 2;
        """

    static func prepare(_ db: Database) throws {
        try db.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0")
    }

    /// WAL and FULL, set outside a transaction: GRDB's own WAL mode would leave `synchronous` at NORMAL.
    static func setDurability(_ db: Database) throws {
        try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA locking_mode = NORMAL")
    }

    /// Read back, because a build or a wrapper may ignore any of them silently.
    static let expected = [
        ("journal_mode", "wal"), ("synchronous", "2"), ("locking_mode", "normal"), ("trusted_schema", "0"),
        ("foreign_keys", "1"), ("busy_timeout", "5000"),
    ]

    static func settings(_ db: Database) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in expected.map(\.0) + ["mmap_size"] {
            // A build without mmap answers nothing, which is what is wanted.
            found[name] = try Row.fetchOne(db, sql: "PRAGMA \(name)").map { row in
                String.fromDatabaseValue(row[0]) ?? Int64.fromDatabaseValue(row[0]).map(String.init) ?? ""
            }
        }
        return found
    }

    static func difference(_ found: [String: String]) -> String? {
        for (name, value) in expected where found[name] != value {
            return "\(name) is \(found[name] ?? "unset") instead of \(value)"
        }
        let mapped = found["mmap_size"] ?? "0"
        return mapped == "0" ? nil : "mmap_size is \(mapped) instead of 0"
    }
}
