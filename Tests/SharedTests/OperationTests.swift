// The table of operations is complete, documented, and refuses what does not fit it.

import Shared
import Testing

@Suite struct OperationTests {
  /// The ancestor's come first: an old client shows them in this order.
  @Test func theTableHoldsTheseAndNoOthers() {
    #expect(
      Operation.all.map(\.name) == [
        "DescribeServer", "PairWithSession", "TabComplete", "KeyboardInterrupt", "Introduce", "OpenSession",
        "CloseSession", "Evaluate", "Grant", "Input", "Interrupt", "Sessions", "Disconnect", "StartJob", "Jobs",
        "JobOutput",
        "AwaitJob", "KillJob", "Complete", "Document", "Threads", "Halt", "Check", "Background", "Watch", "Attach",
        "Resize", "Tee",
      ])
  }

  @Test func anOperationIsFoundByItsExactName() {
    #expect(Set(Operation.all.map(\.name)).count == Operation.all.count)
    for operation in Operation.all { #expect(Operation.named(operation.name) == operation) }
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

  /// What has no reply has nothing to return; all else is answered.
  @Test func onlyGrantAndInputHaveNoReply() {
    #expect(Operation.all.filter { !$0.hasReply }.map(\.name) == ["Grant", "Input"])
    for operation in Operation.all where !operation.hasReply { #expect(operation.returns.isEmpty) }
  }

  /// `command` and `id` are every request's, `status`, `reason`, `code`, `event` and `id` every reply's. The
  /// ancestor's PairWithSession alone takes the `id` for a parameter.
  @Test(arguments: Operation.all)
  func noFieldHasTheNameOfAMemberOfEveryMessage(operation: Operation) {
    let names = Set(operation.parameters.map(\.name))
    #expect(names.isDisjoint(with: ["command"]))
    #expect(names.contains("id") == (operation == .pairWithSession))
    #expect(Set(operation.returns.map(\.name)).isDisjoint(with: ["status", "reason", "code", "event", "id"]))
  }

  @Test func isServedAsData() {
    let expected = #"""
      {"name":"TabComplete","doc":"Give one completion of a piece of source.","parameters":[{"name":"text","type":"string","required":true,"doc":"What to complete."},{"name":"state","type":"count","required":true,"doc":"Which candidate to give, from 0."}],"returns":[{"name":"result","type":"string or null","required":true,"doc":"The candidate, or null when there are no more."}],"reply":true}
      """#
    #expect(String(decoding: Operation.tabComplete.json().serialized(), as: UTF8.self) == expected)
    for operation in Operation.all {
      let served = operation.json().objectValue
      #expect(served?["name"] == .string(operation.name))
      #expect(served?["reply"] == .bool(operation.hasReply))
      #expect(served?["parameters"]?.arrayValue?.count == operation.parameters.count)
      #expect(served?["returns"]?.arrayValue?.count == operation.returns.count)
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
    (.describeServer, ["operations": true, "protocol": 1], nil),
    (.describeServer, ["protocol": "1"], "The DescribeServer parameter 'protocol' is not of type integer."),
    (.evaluate, ["source": "1"], nil),
    (.evaluate, ["source": "1", "session": 2, "mode": "block", "place": "main", "credit": 0, "loop": 0], nil),
    (.evaluate, ["source": "1", "loop": -1], "The Evaluate parameter 'loop' is not of type count."),
    (.evaluate, [:], "Request is missing the Evaluate parameter 'source'."),
    (.evaluate, ["source": ["1"]], "The Evaluate parameter 'source' is not of type string."),
    (.evaluate, ["source": "1", "session": nil], "The Evaluate parameter 'session' is not of type integer."),
    (.evaluate, ["source": "1", "credit": -1], "The Evaluate parameter 'credit' is not of type count."),
    (.evaluate, ["source": "1", "credit": 1e19], "The Evaluate parameter 'credit' is not of type count."),
    (.grant, ["request": 0, "bytes": 1], nil),
    (.grant, ["request": 0], "Request is missing at least one of the Grant parameters 'request' and 'bytes'."),
    (.grant, ["request": 0, "bytes": 0.5], "The Grant parameter 'bytes' is not of type count."),
    (.input, ["request": 3], nil), (.input, ["request": 3, "text": "a\n", "end": true], nil),
    (.input, ["request": 3, "end": 1], "The Input parameter 'end' is not of type boolean."),
    (.interrupt, ["session": 1, "evaluation": 2], nil), (.interrupt, ["job": 4], nil),
    (.interrupt, ["job": "%4"], "The Interrupt parameter 'job' is not of type integer."),
    (.disconnect, [:], nil), (.jobs, ["more": 1], nil),
    (.startJob, [:], "Request is missing the StartJob parameter 'source'."),
    (.jobOutput, ["job": 1, "follow": true], nil),
    (.jobOutput, ["job": 1, "follow": "yes"], "The JobOutput parameter 'follow' is not of type boolean."),
    (.complete, ["line": "a", "cursor": 1.5], "The Complete parameter 'cursor' is not of type count."),
    (.document, ["name": "a", "source": true], nil),
    (.document, ["name": "a", "source": "a"], "The Document parameter 'source' is not of type boolean."),
    (.halt, [:], "Request is missing the Halt parameter 'when'."), (.halt, ["when": "idle"], nil),
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
      (.boolean, [1]), (.number, [2, 3, 4]), (.integer, [2, 3]), (.count, [2]), (.string, [5]),
      (.stringOrNull, [0, 5]), (.strings, [6, 8]), (.array, [6, 7, 8, 10]), (.object, [9]), (.objects, [8, 10]),
    ]
    #expect(admitted.map(\.0) == Operation.FieldType.allCases)
    for (type, expected) in admitted {
      #expect(values.indices.filter { type.admits(values[$0]) } == expected, "\(type.rawValue)")
    }
  }
}
