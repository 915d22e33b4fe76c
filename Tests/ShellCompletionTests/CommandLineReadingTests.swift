// The command line reading: what the word at the cursor is, for the command lines of all the tools.

import Testing

@testable import CompletionTool
@testable import ShellCompletion

@Suite struct CommandLineReadingTests {
  /// Reads a line whose words need no quotes; what is behind the last space is the word at the cursor.
  private func read(_ line: String) throws -> CommandLineReading {
    var words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    let current = words.removeLast()
    let tool = try #require(ToolTable.all().first { $0.name == words.first })
    return CommandLineReading(tool: tool, words: words.dropFirst(), current: current)
  }

  @Test func everyToolIsThere() {
    #expect(ToolTable.all().map(\.name) == ["replserve", "replctl", "replcomplete", "replconnect"])
  }

  @Test func everyDeclaredValueIsKnown() {
    func check(_ tool: ToolDeclaration) {
      for argument in tool.options + tool.positionals where argument.value != nil {
        #expect(ValueKind(argument) != nil, "\(tool.name) \(argument.names) \(argument.value ?? "")")
      }
      tool.commands.forEach(check)
    }
    ToolTable.all().forEach(check)
  }

  @Test func aCommandRefusesWhatIsTheTools() throws {
    let tool = try #require(ToolTable.all().first { $0.name == "replctl" })
    #expect(tool.options.contains { $0.isNamed("--version") })
    #expect(!tool.commands.contains { $0.options.contains { $0.isNamed("--version") } })
    #expect(tool.commands.allSatisfy { $0.name == "help" || $0.options.contains { $0.isNamed("--help") } })
  }

  @Test(arguments: [
    ("replctl ", CommandLineReading.Place.command),
    ("replctl --json ", .command),
    ("replctl -t x ev", .command),
    ("replctl -", .option),
    ("replctl eval --", .option),
    ("replctl -t ", .value(.endpoint, glue: "")),
    ("replctl eval --to=na", .value(.endpoint, glue: "--to=")),
    ("replctl --timeout ", .value(.free, glue: "")),
    ("replctl --json=", .nothing),
    ("replctl nonsense ", .nothing),
    ("replctl help ", .value(.command, glue: "")),
    ("replctl eval ", .value(.free, glue: "")),
    ("replctl eval 1 ", .value(.free, glue: "")),
    ("replctl eval -f ", .value(.file, glue: "")),
    ("replctl eval --file=", .value(.file, glue: "--file=")),
    ("replctl eval -s ", .value(.session, glue: "")),
    ("replctl eval -- -", .value(.free, glue: "")),
    ("replctl doc ", .value(.name, glue: "")),
    ("replctl doc x ", .option),
    ("replctl ping ", .option),
    ("replctl kill %1 ", .value(.job, glue: "")),
    ("replctl fg --json ", .value(.job, glue: "")),
    ("replctl interrupt ", .value(.target, glue: "")),
    ("replctl disconnect 1 2 ", .value(.session, glue: "")),
    ("replcomplete ", .value(.name, glue: "")),
    ("replcomplete --shell ", .value(.choice(["bash", "zsh", "fish"]), glue: "")),
    ("replserve ", .foreign),
    ("replserve -", .option),
    ("replserve --bind ", .value(.choice(["127.0.0.1", "::1"]), glue: "")),
    ("replserve --port 0 ", .foreign),
    ("replserve --python ", .value(.file, glue: "")),
    ("replserve -im ", .value(.program, glue: "")),
    ("replserve -m module -", .foreign),
    ("replserve -- -", .foreign),
    ("replserve app.py -", .foreign),
    ("replconnect ", .value(.endpoint, glue: "")),
    ("replconnect -t ", .value(.endpoint, glue: "")),
  ])
  func places(line: String, place: CommandLineReading.Place) throws {
    #expect(try read(line).place == place)
  }

  @Test func whatIsThereAlready() throws {
    let line = try read("replctl -t name:a --json kill %1 --to=pid:7 3 ")
    #expect(line.endpoint == "pid:7")
    #expect(line.command.name == "kill")
    #expect(line.positionals == ["%1", "3"])
    #expect(line.usedOptions == ["-t", "--to", "--json"])
  }
}
