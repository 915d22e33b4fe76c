// The other commands: their lines, their documents and their exit statuses.

import ClientTestSupport
import ReplClient
import Shared
import Testing

@testable import ControlTool

@Suite struct CommandTests {
  private let runtime: FakeRuntime

  init() throws { runtime = try FakeRuntime() }

  private static let idle = SessionReport(
    session: 1, kind: "text", running: nil, evaluation: 0, age: 3, since: 3, peer: "127.0.0.1:5")
  private static let busy = SessionReport(
    session: 2, kind: "tool", running: "while 1:\n\tpass", evaluation: 4, age: 130, since: 3900, peer: "uid 0")
  private static let job = JobReport(
    job: 3, state: .running, age: 273_600, duration: 1.5, cpu: nil, source: "train()", owner: "session 1", output: 10,
    dropped: 0)

  /// A server with these sessions and jobs.
  @discardableResult
  private func server(sessions: [SessionReport] = [], jobs: [JobReport] = []) throws -> FakeServer {
    try FakeServer(in: runtime) { request, peer in
      let job = request.fields["job"]?.integerValue
      switch request.command {
      case "Sessions": peer.reply(to: request, ["sessions": .array(sessions.map { .object($0.fields()) })])
      case "Jobs": peer.reply(to: request, ["jobs": .array(jobs.map { .object($0.fields()) })])
      case "StartJob": peer.reply(to: request, ["job": 3])
      case _ where job == 9: peer.refuse(request, "there is no job %9", code: "no-job")
      case "Interrupt" where job == 3:
        peer.reply(to: request, ["outcome": "blocked", "where": ["file": "a.py", "line": 4, "function": "nap"]])
      case "Interrupt": peer.reply(to: request, ["outcome": "interrupted"])
      case "KillJob": peer.reply(to: request, ["state": job == 3 ? "abandoned" : "interrupted"])
      case "Disconnect": peer.reply(to: request, ["sessions": request.fields["session"].map { [$0] } ?? [1, 2]])
      case "JobOutput":
        peer.output(.standardOutput, of: request, "printed\n")
        peer.reply(to: request, ["state": "done", "dropped": 5])
      case "AwaitJob" where job == 4: peer.reply(to: request, EvaluationReport(.abandoned).fields())
      case "AwaitJob" where job == 5: break
      case "AwaitJob":
        peer.output(.value, of: request, "7")
        peer.reply(to: request, EvaluationReport(.value, duration: 1, type: "int").fields())
      case "Halt": peer.reply(to: request, ["sessions": 2])
      case "Document":
        var fields: JSON.Object = [
          "kind": "function", "type": "function", "signature": "(x)", "file": "a.py", "line": 3,
          "doc": "Does.\n\nMore.",
          "truncated": false,
        ]
        if request.fields["source"] == true { fields["source"] = "def f(x):\n    pass\n" }
        if request.fields["name"] == "f" {
          peer.reply(to: request, fields)
        } else {
          peer.refuse(request, "no such name")
        }
      case "Threads":
        let place = SourcePlace(file: "a.py", line: 2, function: "f", text: "f()")
        let threads = [
          ThreadReport(thread: 10, name: "MainThread", role: nil, state: "S", cpu: 1, load: 0, frames: [place]),
          ThreadReport(thread: 11, name: "t", role: "session 2", state: "R", cpu: 2.5, load: 0.99, frames: nil),
        ]
        peer.reply(
          to: request,
          [
            "held": true, "waiting": 2.25, "threads": .array(threads.map { .object($0.fields()) }),
          ])
      case "Complete":
        peer.reply(
          to: request,
          [
            "candidates": request.fields["line"] == "os.pa"
              ? [["text": "path", "kind": "module", "doc": "A\tB"], ["text": "pardir", "kind": "instance"]] : [],
            "start": 3, "truncated": false,
          ])
      default: peer.refuse(request, "not understood")
      }
    }
  }

  @Test func pingNamesTheServer() throws {
    try server()
    let run = try ToolRun.control("ping", runtime: runtime)
    #expect(run.status == 0)
    #expect(run.output.hasPrefix("fake (pid 42) answers in "))
    #expect(
      try ToolRun.control("--json", "ping", runtime: runtime).output.hasPrefix(#"{"name":"fake","pid":42,"seconds":"#))
    #expect(try ToolRun.control("-t", "name:fake", "ping", runtime: runtime).status == 0)
    #expect(try ToolRun.control("ping", runtime: runtime, endpoint: "pid:42").status == 0)
    #expect(try ToolRun.control("wait", runtime: runtime).status == 0)
  }

  @Test func waitingEnds() throws {
    let run = try ToolRun.control("wait", "--timeout", "0.01", runtime: runtime)
    #expect(run.status == 75)
    #expect(run.output.isEmpty)
  }

  @Test func describeShowsEveryMember() throws {
    try server()
    let run = try ToolRun.control("describe", runtime: runtime)
    #expect(run.lines.contains("instance: fake"))
    #expect(run.lines.contains("features: sessions, jobs"))
    #expect(
      try ToolRun.control("describe", "--json", runtime: runtime).output.hasPrefix(
        #"{"name":"repltools","protocol":1,"#))
  }

  @Test func serversAreLiveOrSilent() throws {
    #expect(try ToolRun.control("servers", runtime: runtime).output == "PID\tNAME\tSTATE\tENDPOINT\tPROGRAM\n")
    try server()
    try FakeServer(in: runtime, name: "x", pid: 43, answersDescription: false)
    let run = try ToolRun.control("servers", "--no-header", "--timeout", "0.2", runtime: runtime)
    #expect(run.status == 0)
    #expect(
      run.lines.map { $0.split(separator: "\t").prefix(4).joined(separator: " ") } == [
        "42 fake live name:fake", "43 x silent name:x",
      ])
  }

  @Test func sessionsAreATable() throws {
    try server(sessions: [Self.idle, Self.busy])
    #expect(
      try ToolRun.control("sessions", runtime: runtime).output == """
        SESSION\tKIND\tSTATE\tAGE\tSINCE\tEVALUATION\tPEER\tSOURCE
        1\ttext\tidle\t3.000\t3.000\t0\t127.0.0.1:5\t
        2\ttool\tevaluating\t130.000\t3900.000\t4\tuid 0\twhile 1:

        """)
    #expect(
      try ToolRun.control("sessions", runtime: runtime, width: 80).output == """
        SESSION  KIND  STATE       AGE    SINCE  EVALUATION  PEER         SOURCE
        1        text  idle        3s     3s     0           127.0.0.1:5
        2        tool  evaluating  2m10s  1h05m  4           uid 0        while 1:

        """)
    let documents = try ToolRun.control("sessions", "--json", runtime: runtime)
    #expect(documents.lines.last == JSON.object(Self.busy.fields()).text[...])
  }

  @Test func jobsAreATable() throws {
    try server(jobs: [Self.job])
    #expect(
      try ToolRun.control("jobs", "--no-header", runtime: runtime, width: 80).output
        == "%3  running  3d04h  1s  -  10  session 1  train()\n")
  }

  @Test func threadsSayWhoHoldsTheInterpreter() throws {
    try server()
    let run = try ToolRun.control("threads", runtime: runtime)
    #expect(run.errors == "replctl: the interpreter is held for 2.3 s, most likely by thread 11 t (session 2)\n")
    #expect(run.lines.last == "11\tt\tsession 2\tR\t2.500\t0.99\t-")
    #expect(try ToolRun.control("threads", "--stacks", runtime: runtime).lines.contains("  f (a.py:2): f()"))
  }

  @Test func theOnlyThingThatRunsIsInterrupted() throws {
    try server(sessions: [Self.idle, Self.busy])
    #expect(
      try ToolRun.control("interrupt", runtime: runtime)
        == ToolRun(status: 0, output: "session 2: interrupted\n", errors: ""))
    let blocked = try ToolRun.control("interrupt", "%3", runtime: runtime)
    #expect(blocked == ToolRun(status: 1, output: "%3: blocked in nap (a.py:4)\n", errors: ""))
    #expect(try ToolRun.control("interrupt", "%9", runtime: runtime).status == 66)
    #expect(
      try ToolRun.control("interrupt", "2", "--json", runtime: runtime).output
        == #"{"session":2,"job":null,"outcome":"interrupted","where":null}"# + "\n")
  }

  @Test func whatIsToBeInterruptedMustBeClear() throws {
    do {
      let server = try server(sessions: [Self.idle])
      defer { server.stop() }
      #expect(
        try ToolRun.control("interrupt", runtime: runtime)
          == ToolRun(status: 0, output: "nothing is running\n", errors: ""))
    }
    try server(sessions: [Self.busy], jobs: [Self.job])
    let several = try ToolRun.control("interrupt", runtime: runtime)
    #expect(several.status == 64)
    #expect(several.errors == "replctl: several things run; name one, or take --all\n  2  while 1:\n  %3  train()\n")
    let all = try ToolRun.control("interrupt", "--all", runtime: runtime)
    #expect(all.status == 1)
    #expect(all.output == "session 2: interrupted\n%3: blocked in nap (a.py:4)\n")
  }

  @Test func sessionsAreDisconnected() throws {
    try server()
    #expect(try ToolRun.control("disconnect", "7", runtime: runtime).output == "session 7: disconnected\n")
    #expect(try ToolRun.control("disconnect", "--all", runtime: runtime).lines.count == 2)
    #expect(try ToolRun.control("disconnect", runtime: runtime).status == 64)
    #expect(try ToolRun.control("disconnect", "x", runtime: runtime).status == 64)
  }

  @Test func jobsAreStartedWatchedAndKilled() throws {
    try server()
    #expect(try ToolRun.control("bg", "train()", runtime: runtime).output == "%3\n")
    #expect(
      try ToolRun.control("output", "%3", runtime: runtime)
        == ToolRun(status: 0, output: "printed\n", errors: "replctl: %3: 5 bytes of its output are no longer kept\n"))
    #expect(try ToolRun.control("fg", "3", runtime: runtime) == ToolRun(status: 0, output: "7\n", errors: ""))
    #expect(try ToolRun.control("fg", "%4", runtime: runtime).status == 1)
    #expect(
      try ToolRun.control("fg", "%5", "--timeout", "0.05", runtime: runtime)
        == ToolRun(status: 75, output: "", errors: "replctl: timed out; %5 goes on\n"))
    #expect(try ToolRun.control("fg", "%9", runtime: runtime).status == 66)
    let killed = try ToolRun.control("kill", "%2", "%3", "%9", runtime: runtime)
    #expect(killed.status == 66)
    #expect(killed.output == "%2: interrupted\n%3: abandoned\n")
    #expect(killed.errors == "replctl: %9: there is no job %9\n")
  }

  @Test func halting() throws {
    try server()
    #expect(
      try ToolRun.control("halt", runtime: runtime).output
        == "the server stops when its sessions have ended; there are 2\n")
    #expect(
      try ToolRun.control("halt", "--now", "--json", runtime: runtime).output == #"{"when":"now","sessions":2}"# + "\n")
    #expect(try ToolRun.control("halt", "--now", "--cancel", runtime: runtime).status == 64)
  }

  @Test func documentation() throws {
    try server()
    #expect(
      try ToolRun.control("doc", "f", runtime: runtime).output == "f: function function (x)\na.py:3\n\nDoes.\n\nMore.\n"
    )
    #expect(try ToolRun.control("source", "f", runtime: runtime).output == "def f(x):\n    pass\n")
    #expect(
      try ToolRun.control("doc", "g", runtime: runtime)
        == ToolRun(status: 1, output: "", errors: "replctl: no such name\n"))
  }

  @Test func completions() throws {
    try server()
    #expect(try ToolRun.completion("os.pa", runtime: runtime).output == "os.path\nos.pardir\n")
    #expect(
      try ToolRun.completion("--line", "os.pa", "--cursor", "5", "--kind", "--doc", runtime: runtime).output
        == "path\tmodule\tA\\tB\npardir\tinstance\t\n")
    #expect(try ToolRun.completion("x", runtime: runtime) == ToolRun(status: 1, output: "", errors: ""))
    #expect(try ToolRun.completion("--line", "é", "--cursor", "2", runtime: runtime).status == 64)
    #expect(try ToolRun.completion(runtime: runtime).status == 64)
  }
}

extension JSON {
  fileprivate var text: String { String(decoding: serialized(), as: UTF8.self) }
}
