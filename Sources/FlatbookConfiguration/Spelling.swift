/// The candidate that `word` was most likely meant to be, or nil where none is close.
///
/// Case is ignored. At most a third of the letters may differ (four at most); a candidate that `word` begins counts
/// as two edits away, so that `BTC/USDT` finds `BTC/USDT:USDT`. Ties go to the shorter one, then by alphabet.
package func nearest(_ word: String, in candidates: [String]) -> String? {
    let wanted = Array(word.lowercased().utf8)
    guard !wanted.isEmpty else { return nil }
    let limit = min(4, max(1, wanted.count / 3))
    var best: (cost: Int, text: String)?
    for candidate in candidates where candidate != word {
        let letters = Array(candidate.lowercased().utf8)
        var cost = editDistance(wanted, letters, atMost: limit)
        if wanted.count >= 3, letters.starts(with: wanted) { cost = min(cost ?? 2, 2) }
        guard let cost else { continue }
        guard let known = best else {
            best = (cost, candidate)
            continue
        }
        if (cost, candidate.count, candidate) < (known.cost, known.text.count, known.text) { best = (cost, candidate) }
    }
    return best?.text
}

/// Insertions, deletions, replacements and swaps of neighbours between two texts, or nil above `limit`.
private func editDistance(_ a: [UInt8], _ b: [UInt8], atMost limit: Int) -> Int? {
    guard abs(a.count - b.count) <= limit else { return nil }
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        for j in b.indices {
            var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
            row.append(cost)
        }
        // Rows never fall below the least of their predecessors, a swap apart: that looks two rows back.
        if let low = row.min(), let lastLow = last.min(), low > limit, lastLow > limit { return nil }
        beforeLast = last
        last = row
    }
    return last[b.count] <= limit ? last[b.count] : nil
}
