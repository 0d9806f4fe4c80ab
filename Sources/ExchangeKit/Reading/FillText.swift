public import FlatbookCore

/// What rows of fills and orders have in common.
extension ReplyRow {
    /// Price × quantity, exact; nil where the price is missing or zero.
    ///
    /// - Throws: ``MalformedReply`` for a negative price, or a product that does not fit.
    public func turnover(of quantity: Amount, at price: String) throws(MalformedReply) -> Amount? {
        guard let value = try optionalUnsigned(price), !value.isZero else { return nil }
        do { return try value.multiplied(by: quantity) } catch { throw MalformedReply("\(price) is out of range") }
    }

    /// A size above zero; nil for none.
    public func filled(_ name: String) throws(MalformedReply) -> Amount? {
        guard let size = try optionalUnsigned(name), !size.isZero else { return nil }
        return size
    }
}
