// The table of operations is complete, documented, and refuses what does not fit it.

import Shared
import Testing

@Suite struct OperationTests {
  @Test func theAncestorsOperationsAreAllThere() {
    let names = Operation.all.map(\.name)
    #expect(names == ["DescribeServer", "PairWithSession", "TabComplete", "KeyboardInterrupt"])
    for name in names { #expect(Operation.named(name)?.name == name) }
    #expect(Operation.named("describeserver") == nil)
    #expect(Operation.named("") == nil)
  }

  @Test(arguments: Operation.all)
  func everyLineOfDocumentationIsOne(operation: Operation) {
    for line in [operation.summary] + (operation.parameters + operation.returns).map(\.summary) {
      #expect(line.hasSuffix("."))
      #expect(line.count <= 80)
      #expect(!line.utf8.contains(UInt8(ascii: "\n")))
    }
    for fields in [operation.parameters, operation.returns] {
      #expect(Set(fields.map(\.name)).count == fields.count)
    }
  }

  @Test func isServedAsData() {
    let expected = #"""
      {"name":"TabComplete","doc":"Give one completion of a piece of source.","parameters":[{"name":"text","type":"string","required":true,"doc":"What to complete."},{"name":"state","type":"count","required":true,"doc":"Which candidate to give, from 0."}],"returns":[{"name":"result","type":"string or null","required":true,"doc":"The candidate, or null when there are no more."}]}
      """#
    #expect(String(decoding: Operation.tabComplete.json().serialized(), as: UTF8.self) == expected)
    for operation in Operation.all {
      #expect(operation.json().objectValue?["name"] == .string(operation.name))
    }
  }

  static let requests: [(operation: Operation, fields: JSON.Object, refusal: String?)] = [
    (.describeServer, [:], nil), (.describeServer, ["anything": 1], nil), (.keyboardInterrupt, [:], nil),
    (.pairWithSession, ["id": 3], nil), (.pairWithSession, ["id": 3.0], nil),
    (.pairWithSession, [:], "Request is missing the PairWithSession parameter 'id'."),
    (.pairWithSession, ["id": "3"], "The PairWithSession parameter 'id' is not of type integer."),
    (.pairWithSession, ["id": nil], "The PairWithSession parameter 'id' is not of type integer."),
    (.tabComplete, ["text": "a", "state": 0], nil),
    (.tabComplete, ["text": "", "state": 9, "more": [1]], nil),
    (
      .tabComplete, ["text": "a"],
      "Request is missing at least one of the TabComplete parameters 'text' and 'state'."
    ),
    (.tabComplete, [:], "Request is missing at least one of the TabComplete parameters 'text' and 'state'."),
    (.tabComplete, ["text": 1, "state": 0], "The TabComplete parameter 'text' is not of type string."),
    (.tabComplete, ["text": "a", "state": -1], "The TabComplete parameter 'state' is not of type count."),
    (.tabComplete, ["text": "a", "state": 0.5], "The TabComplete parameter 'state' is not of type count."),
    (.tabComplete, ["text": "a", "state": 1e300], "The TabComplete parameter 'state' is not of type count."),
  ]

  @Test(arguments: requests)
  func refusesWhatDoesNotFit(operation: Operation, fields: JSON.Object, refusal: String?) {
    #expect(operation.refusal(of: fields) == refusal)
  }

  @Test func anOptionalParameterMayBeLeftOutButNotBeOfAnotherType() {
    let operation = Operation(
      "X", "Does x.", parameters: [.init("all", .boolean, required: false, "Every one.")])
    #expect(operation.refusal(of: [:]) == nil)
    #expect(operation.refusal(of: ["all": true]) == nil)
    #expect(operation.refusal(of: ["all": 1]) == "The X parameter 'all' is not of type boolean.")
  }

  @Test func typesAdmitTheirValuesAndNoOthers() {
    let values: [JSON] = [nil, true, 1, -1, 1.5, "s", ["a"], [1], [], [:], [[:]]]
    let admitted: [(Operation.FieldType, [Int])] = [
      (.boolean, [1]), (.integer, [2, 3]), (.count, [2]), (.string, [5]), (.stringOrNull, [0, 5]),
      (.strings, [6, 8]),
      (.object, [9]), (.objects, [8, 10]),
    ]
    #expect(admitted.map(\.0) == Operation.FieldType.allCases)
    for (type, expected) in admitted {
      #expect(values.indices.filter { type.admits(values[$0]) } == expected, "\(type.rawValue)")
    }
  }
}
