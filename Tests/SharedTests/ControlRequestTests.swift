// A control request is read as the ancestor sends it, and what is none is answered with a reason.

import Shared
import Testing

@Suite struct ControlRequestTests {
  @Test func theRequestsOfTheAncestorAreRead() throws {
    let requests = try FrameTests.ancestor.prefix(4).map { try ControlRequest(parsing: Array($0.body.utf8)) }
    #expect(
      requests.map(\.command) == ["DescribeServer", "PairWithSession", "TabComplete", "KeyboardInterrupt"])
    #expect(requests[1].fields["id"] == 3)
    #expect(requests[2].fields["text"] == "naïve.λ")
    #expect(requests[2].fields["state"] == 0)
  }

  @Test func allFieldsAreKeptKnownOrNot() throws {
    let request = try ControlRequest(parsing: Array(#"{"x":[1],"command":"Fly","id":"q7"}"#.utf8))
    #expect(request.command == "Fly")
    #expect(request.id == "q7")
    #expect(request.fields == ["x": [1], "command": "Fly", "id": "q7"])
  }

  static let refused: [(body: String, code: ControlRequestError.Code, reason: String, id: JSON?)] = [
    ("", .notJSON, "Request is not valid JSON: the document ends where a value should be (byte 0).", nil),
    (
      "{", .notJSON,
      "Request is not valid JSON: the document ends where a key in double quotes should be (byte 1).", nil
    ),
    ("GET / HTTP/1.1", .notJSON, "Request is not valid JSON: expected a value (byte 0).", nil),
    ("[]", .notAnObject, "Request is not a JSON object.", nil),
    ("null", .notAnObject, "Request is not a JSON object.", nil),
    (#""command""#, .notAnObject, "Request is not a JSON object.", nil),
    (#"["command"]"#, .notAnObject, "Request is not a JSON object.", nil),
    ("{}", .missingCommand, "Request is missing the 'command' field.", nil),
    (#"{"id":7}"#, .missingCommand, "Request is missing the 'command' field.", 7),
    (#"{"Command":"x"}"#, .missingCommand, "Request is missing the 'command' field.", nil),
    (#"{"command":null}"#, .commandNotAString, "The 'command' field is not a string.", nil),
    (#"{"command":["x"],"id":"a"}"#, .commandNotAString, "The 'command' field is not a string.", "a"),
    (#"{"command":1}"#, .commandNotAString, "The 'command' field is not a string.", nil),
  ]

  @Test(arguments: refused)
  func isRefused(body: String, code: ControlRequestError.Code, reason: String, id: JSON?) {
    do throws(ControlRequestError) {
      Issue.record("parsed as \(try ControlRequest(parsing: Array(body.utf8)))")
    } catch {
      #expect(error.code == code)
      #expect(error.reason == reason)
      #expect(error.description == reason)
      #expect(error.id == id)
    }
  }

  @Test func aBodyOverTheLimitIsRefused() {
    let body =
      Array(#"{"command":"x"}"#.utf8) + [UInt8](repeating: 0x20, count: Limits.maximumControlBodyLength)
    #expect(throws: ControlRequestError.self) { try ControlRequest(parsing: body) }
    #expect(throws: Never.self) {
      try ControlRequest(parsing: Array(body.prefix(Limits.maximumControlBodyLength)))
    }
  }

  @Test func isWrittenWithTheCommandFirst() throws {
    var request = ControlRequest(command: "TabComplete", fields: ["text": "a", "state": 0])
    #expect(request.fields["command"] == "TabComplete")
    #expect(
      String(decoding: request.body(), as: UTF8.self) == #"{"command":"TabComplete","text":"a","state":0}"#)
    #expect(try ControlRequest(parsing: request.body()).command == "TabComplete")
    request.command = "Other"
    request.fields["id"] = 1
    #expect(
      String(decoding: request.body(), as: UTF8.self) == #"{"command":"Other","text":"a","state":0,"id":1}"#)
    #expect(ControlRequest(command: "A", fields: ["command": "B"]).fields["command"] == "A")
  }
}
