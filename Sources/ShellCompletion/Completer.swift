// The completer: from a command line to suggestions.

public import ReplClient
internal import Shared

/// Completes the command lines of the tools.
public struct Completer: Sendable {
  private let tools: [ToolDeclaration]
  private let surroundings: Surroundings

  /// - Parameters:
  ///   - tools: whose command lines are completed.
  ///   - surroundings: where servers are looked for.
  public init(tools: [ToolDeclaration], surroundings: Surroundings) {
    self.tools = tools
    self.surroundings = surroundings
  }

  /// - Parameters:
  ///   - words: the command line up to the word at the cursor, which it does not hold; the first is the tool, by its
  ///     name or its path.
  ///   - current: the word at the cursor, up to it.
  ///   - withDescriptions: whether anybody sees them; some cost a round trip.
  func suggestions(_ words: [String], current: String, withDescriptions: Bool) -> Suggestions {
    let name = words.first?.split(separator: "/").last.map(String.init)
    guard let tool = tools.first(where: { $0.name == name }) else { return .none }
    let reading = CommandLineReading(tool: tool, words: words.dropFirst(), current: current)
    switch reading.place {
    case .nothing: return .none
    case .foreign: return .files(glue: "")
    case .option: return .words(Self.options(reading, current))
    case .command: return .words(Self.commands(of: tool))
    case .value(.command, _): return .words(Self.commands(of: tool).filter { $0.text != "help" })
    case .value(.choice(let choices), let glue): return .words(choices.map { Suggestion(text: glue + $0) })
    case .value(.free, _), .value(.program, _): return .none
    case .value(.file, let glue): return .files(glue: glue)
    case .value(.endpoint, let glue) where current.hasPrefix(glue + Self.socketScheme):
      return .files(glue: glue + Self.socketScheme)
    case .value(let kind, let glue):
      let live = LiveSuggestions(surroundings, endpoint: reading.endpoint, withDescriptions: withDescriptions)
      let partial = String(current.dropFirst(glue.count))
      // Without a server there is nothing to suggest, and nobody to tell why.
      let found = (try? live.suggestions(kind, partial: partial, command: reading.command.name)) ?? []
      return .words(
        found.filter { !reading.positionals.contains($0.text) }
          .map { Suggestion(text: glue + $0.text, description: $0.description) },
        mayGoOn: kind == .name)
    }
  }

  private static let socketScheme = "unix:"

  /// The options that may still come.
  private static func options(_ reading: CommandLineReading, _ current: String) -> [Suggestion] {
    reading.command.options.filter { option in
      option.isRepeating || !option.names.contains { reading.usedOptions.contains($0) }
    }.flatMap { option in
      // One form of each is enough, unless somebody begins to write the other.
      (current == "-" ? option.names : Array(option.names.suffix(1)))
        .map { Suggestion(text: $0, description: option.help) }
    }
  }

  private static func commands(of tool: ToolDeclaration) -> [Suggestion] {
    tool.commands.map { Suggestion(text: $0.name, description: $0.abstract) }
  }
}
