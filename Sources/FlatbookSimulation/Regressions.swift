/// Seeds that once broke a promise; every campaign begins with them.
///
/// A seed means a run only as long as nothing draws differently: a regression that matters has a named test as well.
package enum Regressions {
    package static let seeds: [UInt64] = [
        // An account ended while a cancel of it was in flight (2026-11-21).
        101_890
    ]
}
