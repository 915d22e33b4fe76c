// A control reply is written so that the ancestor reads it, and read as the ancestor writes it.

import Shared
import Testing

@Suite struct ControlReplyTests {
  private func text(_ reply: ControlReply, echoing id: JSON? = nil) -> String {
    String(decoding: reply.body(echoing: id), as: UTF8.self)
  }

  private func parse(_ text: String) throws -> ControlReply { try ControlReply(parsing: Array(text.utf8)) }

  @Test func isWrittenWithTheStatusFirst() {
    #expect(text(.ok([:])) == #"{"status":"ok"}"#)
    #expect(text(.ok(["result": nil])) == #"{"status":"ok","result":null}"#)
    #expect(text(.failed(reason: "no \"x\"")) == #"{"status":"failed","reason":"no \"x\""}"#)
    #expect(text(.failed(reason: "r", extra: ["n": 1])) == #"{"status":"failed","reason":"r","n":1}"#)
  }

  @Test func echoesTheId() {
    #expect(text(.ok(["a": 1]), echoing: 7) == #"{"status":"ok","id":7,"a":1}"#)
    #expect(text(.ok(["id": 1, "a": 2]), echoing: "q") == #"{"status":"ok","id":"q","a":2}"#)
    #expect(text(.ok(["id": 1])) == #"{"status":"ok","id":1}"#)
    #expect(text(.failed(reason: "r"), echoing: .null) == #"{"status":"failed","reason":"r","id":null}"#)
  }

  @Test func noFieldReplacesTheStatusOrTheReason() {
    #expect(text(.ok(["status": "failed", "reason": "x"])) == #"{"status":"ok","reason":"x"}"#)
    #expect(
      text(.failed(reason: "r", extra: ["status": "ok", "reason": "x"]))
        == #"{"status":"failed","reason":"r"}"#)
  }

  @Test func theRepliesOfTheAncestorAreRead() throws {
    // As unpythonic 2.5.0 wrote them.
    let described = try parse(
      #"{"status": "ok", "prompts": {"ps1": ">>>> ", "ps2": ".... "}, "control_protocol_version": "1.0", "supported_commands": ["DescribeServer", "PairWithSession", "TabComplete", "KeyboardInterrupt"]}"#
    )
    #expect(described.fields["prompts"]?.objectValue?["ps1"] == ">>>> ")
    let returned = Operation.describeServer.returns
    for field in returned where field.required {
      #expect(described.fields[field.name].map(field.type.admits) == true, "\(field.name)")
    }
    #expect(try parse(#"{"status": "ok", "result": null}"#) == .ok(["result": nil]))
    let unpaired = "This control channel is not currently paired with a REPL session."
    #expect(try parse(#"{"status": "failed", "reason": "\#(unpaired)"}"#) == .failed(reason: unpaired))
    let raised = try parse(
      #"{"status": "failed", "reason": ["thread id 42 not found"], "failure_type": "<class 'ValueError'>"}"#)
    #expect(
      raised == .failed(reason: "thread id 42 not found", extra: ["failure_type": "<class 'ValueError'>"]))
  }

  @Test func aReasonOfAnyShapeIsShown() throws {
    #expect(try parse(#"{"status":"failed"}"#) == .failed(reason: "no reason given"))
    #expect(try parse(#"{"status":"failed","reason":null}"#) == .failed(reason: "no reason given"))
    #expect(try parse(#"{"status":"failed","reason":[2,"gone"]}"#) == .failed(reason: "2, gone"))
    #expect(try parse(#"{"status":"failed","reason":{"a":1}}"#) == .failed(reason: #"{"a":1}"#))
  }

  @Test func theIdIsFoundAgain() throws {
    #expect(try parse(#"{"status":"ok","id":7}"#).id == 7)
    #expect(try parse(#"{"status":"failed","reason":"r","id":"x"}"#).id == "x")
    #expect(try parse(#"{"status":"ok"}"#).id == nil)
  }

  static let refused: [(body: String, code: ControlReplyError.Code, description: String)] = [
    ("nope", .notJSON, "bad reply: it is not valid JSON: expected 'null' (byte 1)"),
    ("[]", .notAnObject, "bad reply: it is not a JSON object"),
    ("{}", .noStatus, "bad reply: its 'status' is neither 'ok' nor 'failed'"),
    (#"{"status":"OK"}"#, .noStatus, "bad reply: its 'status' is neither 'ok' nor 'failed'"),
    (#"{"status":true}"#, .noStatus, "bad reply: its 'status' is neither 'ok' nor 'failed'"),
    (#"{"command":"x"}"#, .noStatus, "bad reply: its 'status' is neither 'ok' nor 'failed'"),
  ]

  @Test(arguments: refused)
  func isRefused(body: String, code: ControlReplyError.Code, description: String) {
    do throws(ControlReplyError) {
      Issue.record("parsed as \(try ControlReply(parsing: Array(body.utf8)))")
    } catch {
      #expect(error.code == code)
      #expect(error.description == description)
    }
  }

  @Test func theLimitsAreTheCallers() {
    let limits = JSON.Limits(maximumByteCount: 10, maximumDepth: 4, maximumElementCount: 4)
    #expect(throws: ControlReplyError.self) {
      try ControlReply(parsing: Array(#"{"status":"ok"}"#.utf8), limits: limits)
    }
  }
}
