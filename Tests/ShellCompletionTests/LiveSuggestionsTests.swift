// The live suggestions: what servers say, in the form of each shell, whatever they say.

import ClientTestSupport
import ReplClient
import Shared
import Testing

@testable import CompletionTool
@testable import ShellCompletion

@Suite struct LiveSuggestionsTests {
  private let runtime: FakeRuntime

  init() throws { runtime = try FakeRuntime() }

  private func reply(to shell: Shell, _ arguments: String...) -> [String] {
    let surroundings = Surroundings(
      runtimeDirectory: runtime.root, endpoint: nil, input: -1, output: -1, errors: -1, width: nil, takesSignals: false)
    return Completer(tools: ToolTable.all(), surroundings: surroundings).reply(to: shell, arguments)
  }

  private func serveJobs(_ jobs: [JobReport], name: String = "fake", pid: Int32 = 42) throws {
    try FakeServer(in: runtime, name: name, pid: pid) { request, peer in
      switch request.command {
      case "Jobs": peer.reply(to: request, ["jobs": .array(jobs.map { .object($0.fields()) })])
      case "Complete":
        peer.reply(
          to: request,
          [
            "start": 2,
            "candidates": [
              ["text": "good", "kind": "method", "doc": "Does:\tgood\u{1b}[2J"],
              ["text": "bad\u{1b}[2J", "kind": "method"],
              ["text": "key", "kind": "key"], ["text": "bad\nline", "kind": "method"],
            ],
          ])
      default: peer.refuse(request, "no", code: "busy")
      }
    }
  }

  private static func job(_ number: Int, _ state: JobReport.State, _ source: String) -> JobReport {
    JobReport(
      job: number, state: state, age: 0, duration: 0, cpu: nil, source: source, owner: "session 1", output: 0,
      dropped: 0)
  }

  @Test func jobsWithWhatTheyRun() throws {
    try serveJobs([Self.job(1, .running, "a:\n  b"), Self.job(2, .done, "c"), Self.job(3, .running, "\u{1b}[2J")])
    #expect(reply(to: .zsh, "replctl", "fg", "") == ["words", "%1:running: a:", "%2:done: c", "%3:running: ?[2J"])
    #expect(reply(to: .fish, "replctl", "kill", "%1", "") == ["words", "%3\trunning: ?[2J"])
    #expect(reply(to: .bash, " :", "replctl kill '%") == ["words", "%1", "%3"])
  }

  @Test func namesThatNoTerminalObeys() throws {
    try serveJobs([])
    #expect(reply(to: .fish, "replctl", "doc", "a.") == ["names", "a.good\tmethod: Does:?good?[2J"])
    #expect(reply(to: .bash, " :", "replctl doc a.") == ["names", "a.good"])
  }

  @Test func theServerOfTheLine() throws {
    try serveJobs([Self.job(1, .running, "x")], name: "app", pid: 42)
    try serveJobs([Self.job(2, .running, "y")], name: "batch", pid: 43)
    #expect(reply(to: .bash, " :", "replctl -t name:batch kill ") == ["words", "%2"])
    #expect(reply(to: .bash, " :", "replctl kill --to=pid:42 ") == ["words", "%1"])
    #expect(reply(to: .bash, " :", "replctl kill ") == ["words"])
    #expect(reply(to: .bash, " :", "replctl -t ") == ["words", "name:app", "name:batch", "pid:42", "pid:43"])
    #expect(reply(to: .zsh, "replctl", "-t", "").contains(#"name\:app:pid 42"#))
  }

  @Test func oneThatIsSilentOrRefuses() throws {
    try FakeServer(in: runtime, answersDescription: false)
    #expect(reply(to: .fish, "replctl", "fg", "") == ["words"])
    #expect(reply(to: .fish, "replctl", "-t", "") == ["words", "name:fake\tpid 42: silent", "pid:42\tfake: silent"])
    #expect(reply(to: .bash, " :", "replctl disconnect ") == ["words"])
  }

  @Test func whatNoScriptAsks() {
    #expect(reply(to: .bash) == [])
    #expect(reply(to: .zsh) == [])
    #expect(reply(to: .fish, "") == ["words"])
    #expect(reply(to: .fish, "ls", "-") == ["words"])
  }
}
