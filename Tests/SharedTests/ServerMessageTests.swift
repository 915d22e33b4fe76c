// A message of a server is a reply, an event or output, and each is told from the others.

import Shared
import Testing

@Suite struct ServerMessageTests {
  private func parse(_ text: String) throws -> ServerMessage { try ServerMessage(parsing: Array(text.utf8)) }

  @Test func theThreeAreToldApart() throws {
    #expect(try parse(#"{"status":"ok","id":7,"session":1}"#) == .reply(.ok(["id": 7, "session": 1])))
    #expect(
      try parse(#"{"status":"failed","reason":"no","code":"busy","id":0}"#)
        == .reply(.failed(reason: "no", extra: ["code": "busy", "id": 0])))
    #expect(try parse(#"{"event":"input","id":7}"#) == .event(ServerEvent(.input, request: 7)))
    #expect(try parse("o7;{}") == .output(OutputFrame(.standardOutput, request: 7, bytes: Array("{}".utf8))))
    #expect(try parse("v0;") == .output(OutputFrame(.value, request: 0, bytes: [])))
  }

  @Test func theNumbersOfAnEvaluationAreAmongTheFieldsOfStarted() throws {
    guard case .event(let event) = try parse(#"{"event":"started","id":3,"session":5,"evaluation":2}"#) else {
      Issue.record("no event")
      return
    }
    #expect(event.name == .started)
    #expect(event.request == 3)
    #expect(event.fields == ["session": 5, "evaluation": 2])
  }

  @Test func unknownEventsAndMembersAreKept() throws {
    let text = #"{"event":"moved","id":4,"job":9,"more":{"a":[null]}}"#
    let expected = ServerEvent("moved", request: 4, fields: ["job": 9, "more": ["a": [nil]]])
    #expect(try parse(text) == .event(expected))
    #expect(String(decoding: expected.body(), as: UTF8.self) == text)
    #expect(
      try parse(#"{"later":1,"id":4,"event":"moved"}"#) == .event(.init("moved", request: 4, fields: ["later": 1])))
    #expect(try parse(#"{"status":"ok","id":1,"later":[1]}"#) == .reply(.ok(["id": 1, "later": [1]])))
  }

  @Test func anEventIsWrittenWithItsNameAndItsIdFirst() throws {
    let event = ServerEvent(.started, request: 0, fields: ["session": 1, "id": 9, "event": "other", "evaluation": 2])
    #expect(
      String(decoding: event.body(), as: UTF8.self) == #"{"event":"started","id":0,"session":1,"evaluation":2}"#)
    #expect(
      try ServerMessage(parsing: event.body())
        == .event(ServerEvent(.started, request: 0, fields: ["session": 1, "evaluation": 2])))
  }

  @Test(arguments: [0, 1, Int.max])
  func everyIdReadsBack(id: Int) throws {
    let event = ServerEvent(.input, request: id)
    #expect(try ServerMessage(parsing: event.body()) == .event(event))
    let output = OutputFrame(.standardError, request: id, bytes: [0xFF])
    #expect(try ServerMessage(parsing: output.body()) == .output(output))
    let reply = ControlReply.ok([:])
    #expect(try ServerMessage(parsing: reply.body(echoing: .integer(id))) == .reply(.ok(["id": .integer(id)])))
  }

  /// What has an event of another type, or none of the numbers that an event has, is looked at as a reply.
  @Test func whatOnlyLooksLikeAnEventIsAReply() throws {
    #expect(try parse(#"{"status":"ok","event":1,"id":2}"#) == .reply(.ok(["event": 1, "id": 2])))
    #expect(try parse(#"{"status":"ok","event":"x"}"#) == .reply(.ok(["event": "x"])))
  }

  static let refused: [(body: String, code: ControlReplyError.Code)] = [
    ("", .notJSON), ("{", .notJSON), ("o", .notJSON), ("o;", .notJSON), ("o-1;x", .notJSON), ("x1;y", .notJSON),
    ("o9223372036854775808;", .notJSON), ("HTTP/1.1 200 OK", .notJSON), ("REPL session 1 connected.", .notJSON),
    ("[]", .notAnObject), ("7", .notAnObject), (#""ok""#, .notAnObject), ("{}", .noStatus),
    (#"{"event":"input"}"#, .noStatus), (#"{"event":"input","id":"7"}"#, .noStatus),
    (#"{"event":["input"],"id":7}"#, .noStatus), (#"{"event":null,"id":7}"#, .noStatus),
    (#"{"event":"input","id":0.5}"#, .noStatus), (#"{"command":"Evaluate","id":1}"#, .noStatus),
  ]

  @Test(arguments: refused)
  func isRefused(body: String, code: ControlReplyError.Code) {
    do throws(ControlReplyError) {
      Issue.record("parsed as \(try ServerMessage(parsing: Array(body.utf8)))")
    } catch {
      #expect(error.code == code)
    }
  }

  @Test func theLimitsAreTheCallers() {
    let limits = JSON.Limits(maximumByteCount: 10, maximumDepth: 4, maximumElementCount: 4)
    #expect(throws: ControlReplyError.self) {
      try ServerMessage(parsing: Array(#"{"event":"input","id":1}"#.utf8), limits: limits)
    }
    #expect(throws: Never.self) { try ServerMessage(parsing: Array("o1;more than ten bytes".utf8), limits: limits) }
  }

  /// Pieces of messages in any order: whatever comes of it is a message that reads back, or an error.
  @Test func randomPiecesOfMessagesNeverTrap() {
    var random = SplitMix64(seed: 2)
    let pieces = [
      "{", "}", "[", "]", ":", ",", "\"status\"", "\"ok\"", "\"failed\"", "\"event\"", "\"id\"", "\"reason\"", "7",
      "-1", "0.5", "1e18", "null", "true", "o7;", "e0;", "v9223372036854775807;", "\u{FFFD}", "\"\\ud800\"",
      #""event":"input""#, #""id":7"#, #""status":"ok""#, #""frames":[{}]"#,
    ].map { Array($0.utf8) }
    for _ in 0..<20_000 {
      let body = (0..<Int.random(in: 0..<9, using: &random)).flatMap { _ in pieces.randomElement(using: &random) ?? [] }
      #expect(ParserProperties.message(body) == nil, "\(String(decoding: body, as: UTF8.self))")
    }
  }
}
