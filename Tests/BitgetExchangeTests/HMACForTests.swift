/// HMAC-SHA256 (RFC 2104, FIPS 180-4) written for these tests alone: an oracle that shares nothing with the product.
func hmacSHA256(key: String, _ message: [UInt8]) -> [UInt8] {
    var block = Array(key.utf8)
    if block.count > 64 { block = sha256(block) }
    block += Array(repeating: 0, count: 64 - block.count)
    return sha256(block.map { $0 ^ 0x5C } + sha256(block.map { $0 ^ 0x36 } + message))
}

private let primes: [UInt64] = {
    var found: [UInt64] = []
    var n: UInt64 = 2
    while found.count < 64 {
        if !found.contains(where: { n % $0 == 0 }) { found.append(n) }
        n += 1
    }
    return found
}()

/// The first 32 fraction bits of a prime's root, found by bisection in integers.
private func rootBits(_ n: UInt64, power: Int) -> UInt32 {
    var (low, high) = (UInt128(0), UInt128(1) << 37)
    let target = UInt128(n) << UInt128(32 * power)
    while high - low > 1 {
        let middle = (low + high) / 2
        if power == 2 ? middle * middle <= target : middle * middle * middle <= target {
            low = middle
        } else {
            high = middle
        }
    }
    return UInt32(truncatingIfNeeded: low)
}

private let rounds = primes.map { rootBits($0, power: 3) }

private func sha256(_ message: [UInt8]) -> [UInt8] {
    var hash = primes.prefix(8).map { rootBits($0, power: 2) }
    var padded = message + [0x80]
    while padded.count % 64 != 56 { padded.append(0) }
    let bits = UInt64(message.count) * 8
    padded += (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * $0)) }
    func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }
    for start in stride(from: 0, to: padded.count, by: 64) {
        var w = (0..<16).map { i in (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(padded[start + 4 * i + $1]) } }
        for i in 16..<64 {
            let a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3
            let b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10
            w.append(w[i - 16] &+ a &+ w[i - 7] &+ b)
        }
        var s = hash
        for i in 0..<64 {
            let choice = s[4] & s[5] ^ ~s[4] & s[6]
            let t1 =
                s[7] &+ (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) &+ choice &+ rounds[i] &+ w[i]
            let majority = s[0] & s[1] ^ s[0] & s[2] ^ s[1] & s[2]
            let t2 = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) &+ majority
            s = [t1 &+ t2, s[0], s[1], s[2], s[3] &+ t1, s[4], s[5], s[6]]
        }
        hash = zip(hash, s).map { $0 &+ $1 }
    }
    return hash.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) } }
}
