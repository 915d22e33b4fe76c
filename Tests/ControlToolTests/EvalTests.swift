// eval: output, values, exceptions, input, interrupts, and the exit status of each.

import ClientTestSupport
import ReplClient
import Shared
import Testing

@testable import ControlTool

@Suite struct EvalTests {
  private let runtime: FakeRuntime

  init() throws { runtime = try FakeRuntime() }

  /// A server that evaluates a few words.
  @discardableResult
  private func server(name: String = "fake", pid: Int32 = 42) throws -> FakeServer {
    try FakeServer(in: runtime, name: name, pid: pid, Self.script)
  }

  @Sendable private static func script(_ request: ControlRequest, _ peer: FakePeer) {
    switch request.command {
    case "OpenSession": peer.reply(to: request, ["session": 3])
    case "Evaluate": evaluate(request, peer)
    case "Input":
      let evaluation = ControlRequest(command: "Evaluate", fields: ["id": request.fields["request"] ?? .null])
      if request.fields["end"]?.boolValue == true {
        finish(evaluation, peer, value: "'end'")
      } else {
        finish(evaluation, peer, value: request.fields["text"]?.stringValue?.escapedLine ?? "")
      }
    case "Interrupt":
      let isStuck = request.fields["evaluation"] == 13
      peer.reply(
        to: request,
        isStuck
          ? [
            "outcome": "blocked", "where": ["file": "a.py", "line": 4, "function": "nap", "text": "time.sleep(9)"],
          ] : ["outcome": "interrupted"])
      // The Evaluate is the request before.
      let evaluation = ControlRequest(
        command: "Evaluate", fields: ["id": .integer((request.id?.integerValue ?? 0) - 1)])
      if !isStuck { peer.reply(to: evaluation, EvaluationReport(.interrupted).fields()) }
    default: peer.refuse(request, "not understood")
    }
  }

  @Sendable private static func evaluate(_ request: ControlRequest, _ peer: FakePeer) {
    let source = request.fields["source"]?.stringValue ?? ""
    if request.fields["session"] == 99 { return peer.refuse(request, "there is no session 99", code: "no-session") }
    peer.event(.started, of: request, ["session": 3, "evaluation": source == "stuck" ? 13 : 1])
    switch source {
    case "print":
      peer.output(.standardOutput, of: request, "out\n")
      peer.output(.standardError, of: request, "err\n")
      peer.output(.standardOutput, of: request, "more")
      peer.reply(to: request, EvaluationReport(.value, duration: 0.5).fields())
    case "bytes":
      peer.output(.standardOutput, of: request, [0x61, 0xFF, 0x62])
      peer.reply(to: request, EvaluationReport(.value).fields())
    case "flood":
      for _ in 0..<100 { peer.output(.standardOutput, of: request, String(repeating: "x", count: 10_000)) }
      peer.reply(to: request, EvaluationReport(.value).fields())
    case "raise":
      let report = ExceptionReport(
        type: "ValueError", message: "no", traceback: "Traceback:\n  File\u{1B}[1m\nValueError: no\n",
        frames: [SourcePlace(file: "<eval>", line: 1, function: "f")])
      peer.reply(to: request, EvaluationReport(.exception, exception: report).fields())
    case "1 +":
      let report = ExceptionReport(type: "SyntaxError", message: "invalid syntax", traceback: "a\nb\n", frames: [])
      peer.reply(to: request, EvaluationReport(.exception, exception: report).fields())
    case "exit": peer.reply(to: request, EvaluationReport(.ended).fields())
    case "read": peer.event(.input, of: request)
    case "loop", "stuck": break
    case "interrupted": peer.reply(to: request, EvaluationReport(.interrupted).fields())
    case "busy": peer.refuse(request, "session 3 is busy", code: "busy")
    case "vanish": peer.hangUp()
    default: finish(request, peer, value: source)
    }
  }

  @Sendable private static func finish(_ request: ControlRequest, _ peer: FakePeer, value: String) {
    peer.output(.value, of: request, value)
    peer.reply(to: request, EvaluationReport(.value, type: "str").fields())
  }

  private func eval(_ words: String..., input: String = "") throws -> ToolRun {
    if runtime.fileNames().isEmpty { try server() }
    return try .control(words: ["eval"] + words, runtime: runtime, input: input)
  }

  @Test func theValueIsPrinted() throws {
    #expect(try eval("42") == ToolRun(status: 0, output: "42\n", errors: ""))
  }

  @Test func outputGoesWhereItBelongs() throws {
    #expect(try eval("print") == ToolRun(status: 0, output: "out\nmore", errors: "err\n"))
  }

  @Test func piecesRunUntilOneFails() throws {
    let run = try eval("1", "raise", "2")
    #expect(run.status == 1)
    #expect(run.output == "1\n")
    // Of the escape sequence, what a terminal would obey is gone.
    #expect(run.errors == "Traceback:\n  File?[1m\nValueError: no\n")
  }

  @Test func aLongOutputIsPrintedWhole() throws {
    let run = try eval("flood")
    #expect(run.status == 0)
    #expect(run.output == String(repeating: "x", count: 1_000_000))
  }

  @Test func whatDoesNotParseIsOneLine() throws {
    #expect(
      try eval("1 +") == ToolRun(status: 1, output: "", errors: "replctl: the code does not parse: invalid syntax\n"))
  }

  @Test func theEndOfTheSessionIsAnEnd() throws {
    #expect(try eval("exit", "2") == ToolRun(status: 0, output: "", errors: ""))
  }

  @Test func anInterruptFromElsewhereIsAnInterrupt() throws {
    #expect(try eval("interrupted") == ToolRun(status: 130, output: "", errors: "replctl: interrupted\n"))
  }

  @Test func refusalsAreOneLine() throws {
    #expect(try eval("busy") == ToolRun(status: 1, output: "", errors: "replctl: session 3 is busy\n"))
    #expect(try eval("-s", "99", "1") == ToolRun(status: 66, output: "", errors: "replctl: there is no session 99\n"))
  }

  @Test func aServerThatVanishesIsNoServer() throws { #expect(try eval("vanish").status == 69) }

  @Test func inputIsReadByTheLine() throws {
    #expect(try eval("read", "read", "read", input: "one\ntwo").output == "one\\n\ntwo\n'end'\n")
  }

  @Test func codeFromStandardInputLeavesNoInput() throws {
    #expect(try eval("-", input: "1 + 1\n").output == "1 + 1\n\n")
    #expect(try eval("-", input: "read").output == "'end'\n")
  }

  @Test func codeMustBeText() throws {
    let run = try eval("-f", "/proc/self/exe")
    #expect(run.status == 64)
    #expect(try eval("-f", "/no/such/file").status == 64)
    #expect(try eval("-", "-").status == 64)
    #expect(try eval("-", input: String(repeating: "x", count: Limits.maximumControlBodyLength + 1)).status == 64)
    #expect(try eval("-", input: String(repeating: "x", count: Limits.maximumControlBodyLength)).status == 64)
  }

  @Test func aTimeoutInterrupts() throws {
    let run = try eval("--timeout", "0.05", "loop")
    #expect(
      run == ToolRun(status: 75, output: "", errors: "replctl: timed out after 0.050 s: session 3: interrupted\n"))
  }

  @Test func aTimeoutSaysWhereItIsStuck() throws {
    let run = try eval("--timeout", "0.05", "stuck")
    #expect(run.status == 75)
    #expect(
      run.errors == "replctl: timed out after 0.050 s: session 3: blocked in nap (a.py:4): time.sleep(9)\n")
  }

  @Test func aDocumentHoldsEverything() throws {
    #expect(
      try eval("--json", "print").output
        == #"{"outcome":"value","value":null,"type":null,"stdout":"out\nmore","stderr":"err\n","truncated":false,"#
        + #""exception":null,"duration":0.5,"session":3,"evaluation":1}"# + "\n")
    #expect(try eval("--json", "bytes").output.contains("\"a\u{FFFD}b\""))
    #expect(try eval("--json", "42").output.contains(#""value":"42","type":"str""#))
    let raised = try eval("--json", "raise")
    #expect(raised.status == 1)
    #expect(raised.errors.isEmpty)
    #expect(raised.output.contains(#""exception":{"type":"ValueError""#))
  }

  @Test func eachServerIsAsked() throws {
    try server(name: "a", pid: 1)
    try server(name: "b", pid: 2)
    let run = try ToolRun.control("eval", "--each", "print", "raise", runtime: runtime)
    #expect(run.status == 1)
    #expect(run.output == "a[1]: out\na[1]: more\nb[2]: out\nb[2]: more\n")
    #expect(run.errors.split(separator: "\n").filter { $0.hasPrefix("b[2]: ") }.count == 4)
    let documents = try ToolRun.control("eval", "--each", "--json", "1", runtime: runtime)
    #expect(documents.lines.map { $0.prefix(16) } == [#"{"server":"a[1]""#, #"{"server":"b[2]""#])
  }
}
