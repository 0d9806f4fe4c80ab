import FlatbookCore
import FlatbookTestKit
import Testing

@Suite("The contract of error tables can fail")
struct ErrorTableContractTests {
    @Test(
        "a defect of each kind is named",
        arguments: [
            (ErrorTableContract.Row(codes: "1", errorClass: .market, obstacle: .suspended, action: ""), "no action"),
            (ErrorTableContract.Row(codes: "2", errorClass: .adapt, obstacle: nil, action: "x"), "no reason by name"),
            (ErrorTableContract.Row(codes: "3", errorClass: .market, obstacle: .tooLarge, action: "x"), "tooLarge"),
            (ErrorTableContract.Row(codes: "4", errorClass: .adapt, obstacle: .held, action: "x"), "held"),
            (ErrorTableContract.Row(codes: "5", errorClass: .fatalCall, obstacle: nil, action: nil), "no action"),
        ])
    func defects(row: ErrorTableContract.Row, expected: String) {
        let problems = ErrorTableContract.problems([row])
        #expect(problems.count == 1 && problems[0].contains(expected), "\(problems)")
    }
}
