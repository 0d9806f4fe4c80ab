/// Taken slots that have an end, by their end. Ends come in almost in order, so a sorted array beats a heap here: adding
/// at the back and freeing at the front are constant, and the k-th end can be looked up without taking the queue apart.
struct SlotQueue {
    struct Slot {
        var freeAt: Instant
        var permit: UInt64
        var weight: Int
    }

    private var slots: [Slot] = []
    private var head = 0

    var isEmpty: Bool { head == slots.count }
    var first: Slot? { isEmpty ? nil : slots[head] }

    mutating func insert(_ slot: Slot) {
        var index = slots.count
        while index > head, slots[index - 1].freeAt > slot.freeAt { index -= 1 }
        slots.insert(slot, at: index)
    }

    /// Takes out what ended at or before `now`, and returns its weight.
    mutating func popFree(at now: Instant) -> Int {
        var weight = 0
        while head < slots.count, slots[head].freeAt <= now {
            weight += slots[head].weight
            head += 1
        }
        // Amortised: each slot is moved at most once per halving.
        if head > 64, head * 2 > slots.count {
            slots.removeFirst(head)
            head = 0
        }
        return weight
    }

    /// Takes a permit's slot out before its end.
    mutating func remove(permit: UInt64) -> Int {
        var index = slots.count
        while index > head {
            index -= 1
            if slots[index].permit == permit { return slots.remove(at: index).weight }
        }
        return 0
    }

    /// When `weight` will have been freed, or nil where the queue does not hold that much.
    func instant(freeing weight: Int) -> Instant? {
        var sum = 0
        for index in head..<slots.count {
            sum += slots[index].weight
            if sum >= weight { return slots[index].freeAt }
        }
        return nil
    }

    /// The last end, or nil where it is empty.
    var last: Instant? { isEmpty ? nil : slots[slots.count - 1].freeAt }
}
