import FlatbookCore
import Foundation

/// The write-ahead log before SQLite has looked at it (sqlite.org/fileformat2.html#walformat).
///
/// SQLite takes the log up to the first frame whose checksum is wrong and forgets the rest without a word. That is right
/// for a commit that was cut off by a crash, and wrong for bytes that changed later: acknowledged entries would vanish.
/// One commit is on its way at most, so more than one behind the damage means that acknowledged ones are lost.
struct WALFile {
    private let bytes: [UInt8]

    private static let headerLength = 32
    private static let frameHeaderLength = 24

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// - Returns: whole commits behind the first damaged frame, that one included. At most 1 after a crash.
    func commitsLost() -> Int {
        guard bytes.count >= Self.headerLength else { return 0 }
        let magic = word(0)
        guard magic == 0x377F_0682 || magic == 0x377F_0683 else { return frames(pageSize: 4096, salted: false) }
        let isBig = magic == 0x377F_0683
        let pageSize = Int(word(8))
        guard pageSize >= 512, pageSize <= 65_536, pageSize & (pageSize - 1) == 0 else {
            return frames(pageSize: 4096, salted: false)
        }
        var sum = checksum((0, 0), 0..<24, isBig)
        guard sum == (word(24), word(28)) else { return frames(pageSize: pageSize, salted: false) }
        let salts = (word(16), word(20))
        var (offset, isGood, lost) = (Self.headerLength, true, 0)
        while offset + Self.frameHeaderLength + pageSize <= bytes.count {
            let data = offset + Self.frameHeaderLength
            let isSalted = (word(offset + 8), word(offset + 12)) == salts
            if isGood {
                sum = checksum(sum, offset..<offset + 8, isBig)
                sum = checksum(sum, data..<data + pageSize, isBig)
                isGood = isSalted && sum == (word(offset + 16), word(offset + 20))
            }
            // Frames with other salts are left from before the log was begun anew.
            if !isGood, isSalted, word(offset + 4) != 0 { lost += 1 }
            offset = data + pageSize
        }
        return lost
    }

    /// Commits of a log whose own header is damaged: SQLite would forget them all.
    private func frames(pageSize: Int, salted: Bool) -> Int {
        var (offset, commits) = (Self.headerLength, 0)
        let salts = bytes.count >= offset + 16 ? (word(offset + 8), word(offset + 12)) : (0, 0)
        while offset + Self.frameHeaderLength + pageSize <= bytes.count {
            if (word(offset + 8), word(offset + 12)) == salts, word(offset + 4) != 0 { commits += 1 }
            offset += Self.frameHeaderLength + pageSize
        }
        return commits
    }

    private func word(_ offset: Int, isBig: Bool = true) -> UInt32 {
        let (a, b, c, d) = (
            UInt32(bytes[offset]), UInt32(bytes[offset + 1]), UInt32(bytes[offset + 2]), UInt32(bytes[offset + 3])
        )
        return isBig ? a << 24 | b << 16 | c << 8 | d : d << 24 | c << 16 | b << 8 | a
    }

    private func checksum(
        _ start: (UInt32, UInt32), _ range: Range<Int>, _ isBig: Bool
    ) -> (UInt32, UInt32) {
        var (s0, s1) = start
        for offset in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
            s0 &+= word(offset, isBig: isBig) &+ s1
            s1 &+= word(offset + 4, isBig: isBig) &+ s0
        }
        return (s0, s1)
    }

    /// Logs are kept small by checkpoints; a larger one is not this journal's.
    private static let largest = 256 << 20

    static func refuseDamage(_ location: JournalLocation) throws(JournalError) {
        let path = location.path + "-wal"
        guard let file = FileHandle(forReadingAtPath: path) else { return }
        defer { try? file.close() }
        guard let data = try? file.read(upToCount: largest), !data.isEmpty else { return }
        let lost = WALFile(bytes: [UInt8](data)).commitsLost()
        guard lost > 1 else { return }
        throw JournalHealth.damaged("\(lost) commits of \(path) cannot be read", location)
    }
}
