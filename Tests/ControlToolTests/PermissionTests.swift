// The permissions, as the tools need them: whoever is limited to a command can do that command.

import ClientTestSupport
import Shared
import Synchronization
import Testing

@testable import CompletionTool
@testable import ControlTool

@Suite struct PermissionTests {
  private let runtime: FakeRuntime

  init() throws { runtime = try FakeRuntime() }

  /// Those that are no command of replctl.
  private static let others: Set<String> = ["connect", "complete"]

  /// Command lines of each command that connects, with which it asks all that it ever does.
  private static let lines: [String: [[String]]] = [
    "ping": [[], ["--json"]], "wait": [[]], "describe": [[]], "eval": [["1"], ["1", "2"], ["-s", "1", "1"]],
    "doc": [["f"]], "source": [["f"]], "sessions": [[]], "threads": [[], ["--stacks"]],
    "interrupt": [[], ["1"], ["%3"], ["--all"]], "disconnect": [["1"], ["--all"]], "bg": [["1"]], "jobs": [[]],
    "output": [["%3"], ["--follow", "%3"]], "fg": [["%3"]], "kill": [["%3"]],
    "halt": [[], ["--cancel"], ["--now"]],
  ]

  @Test func everyCommandThatConnectsIsAPermission() {
    // `servers` asks each server what it is, which every connection may; `relay` asks nothing itself.
    let commands = Set(CommandList.all.map { $0.word }).subtracting(["servers", "relay"])
    #expect(Set(Permission.all.map(\.name)) == commands.union(Self.others))
    #expect(Permission.all.count == commands.count + Self.others.count)
    #expect(Set(Self.lines.keys) == commands)
  }

  /// A server that does what it is asked, and the commands that it was asked.
  private func server() throws -> AskedCommands {
    let asked = AskedCommands()
    try FakeServer(in: runtime) { request, peer in
      asked.note(request.command)
      switch request.command {
      case "OpenSession": peer.reply(to: request, ["session": 1])
      case "Evaluate", "AwaitJob":
        peer.event(.started, of: request, ["session": 1, "evaluation": 1])
        peer.reply(to: request, EvaluationReport(.value).fields())
      case "Sessions":
        let report = SessionReport(
          session: 1, kind: "text", running: "x", evaluation: 1, age: 1, since: 1, peer: "127.0.0.1:5")
        peer.reply(to: request, ["sessions": [.object(report.fields())]])
      case "Jobs": peer.reply(to: request, ["jobs": []])
      case "Interrupt": peer.reply(to: request, ["outcome": "interrupted"])
      case "Disconnect": peer.reply(to: request, ["sessions": [1]])
      case "StartJob": peer.reply(to: request, ["job": 3])
      case "JobOutput": peer.reply(to: request, ["state": "done", "dropped": 0])
      case "KillJob": peer.reply(to: request, ["state": "interrupted"])
      case "Halt": peer.reply(to: request, ["sessions": 0])
      case "Threads": peer.reply(to: request, ["held": false, "threads": []])
      case "Complete": peer.reply(to: request, ["candidates": [], "start": 0, "truncated": false])
      default: peer.refuse(request, "not understood")
      }
    }
    return asked
  }

  @Test(arguments: lines.keys.sorted()) func aCommandAsksForNothingElse(_ word: String) throws {
    let asked = try server()
    let permitted = try PermittedOperations([word])
    var names: Set<String> = []
    for words in Self.lines[word] ?? [] {
      let run = try ToolRun.control(words: [word] + words, runtime: runtime)
      #expect(run.status != 64, "\(run.errors)")
      names.formUnion(asked.take())
    }
    let operations = try names.map { try #require(Operation.named($0)) }
    for operation in operations { #expect(permitted.allow(operation), "\(word) asks \(operation.name)") }
    // And nothing is permitted for its sake that it does not ask.
    let permission = try #require(Permission.named(word))
    let needless = permission.operations.map(\.name).filter { !names.contains($0) }
    #expect(needless == [])
  }

  @Test func anEditorAsksForCompletionsAlone() throws {
    let asked = try server()
    #expect(try ToolRun.completion("pri", runtime: runtime).status != 64)
    let names = asked.take()
    #expect(!names.isEmpty)
    let permitted = try PermittedOperations(["complete"])
    for name in names { #expect(permitted.allow(try #require(Operation.named(name)))) }
  }

  @Test func whatEveryConnectionMayIsInNoList() {
    for permission in Permission.all {
      for operation in permission.operations { #expect(!Permission.always.contains(operation)) }
      #expect(Set(permission.operations.map(\.name)).count == permission.operations.count)
    }
  }

  /// An operation that no permission has can only be asked for where there is no limit.
  @Test func everyOperationIsPermittedBySomeWord() throws {
    let permitted = try PermittedOperations(Permission.all.map(\.name))
    #expect(Operation.all.filter { !permitted.allow($0) } == [])
  }
}

/// What a server was asked, in order.
private final class AskedCommands: Sendable {
  private let commands = Mutex<[String]>([])

  func note(_ command: String) { commands.withLock { $0.append(command) } }

  /// The commands since the last look.
  func take() -> [String] {
    commands.withLock { commands in
      defer { commands = [] }; return commands
    }
  }
}
