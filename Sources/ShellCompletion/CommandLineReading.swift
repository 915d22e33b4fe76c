// The command line reading: what the word at the cursor is, by what stands before it.

/// A command line of a tool, read up to the cursor.
struct CommandLineReading: Equatable, Sendable {
  /// What the word at the cursor is.
  enum Place: Equatable, Sendable {
    case option
    case command
    /// - Parameters:
    ///   - kind: what is wanted.
    ///   - glue: the start of the word that belongs to the option, such as `--to=`.
    case value(ValueKind, glue: String)
    /// It belongs to another program.
    case foreign
    /// No word can stand here.
    case nothing
  }

  /// The command, or the tool while there is none.
  private(set) var command: ToolDeclaration
  private(set) var place = Place.nothing
  /// What `-t` was given last.
  private(set) var endpoint: String?
  /// The names of the options that are there already.
  private(set) var usedOptions: Set<String> = []
  /// The arguments that are there already.
  private(set) var positionals: [String] = []

  /// - Parameters:
  ///   - tool: the tool.
  ///   - words: those between its own name and the cursor, as the shell would hand them over.
  ///   - current: the word at the cursor, up to it.
  init(tool: ToolDeclaration, words: some Sequence<String>, current: String) {
    command = tool
    var pending: ArgumentDeclaration?
    var onlyPositionals = false
    var isForeign = false
    var isUnknown = false
    for word in words where !isForeign {
      if let option = pending {
        pending = nil
        take(word, for: option)
        isForeign = ValueKind(option) == .program
      } else if !onlyPositionals, word == "--" {
        onlyPositionals = true
      } else if !onlyPositionals, word.hasPrefix("-"), word != "-" {
        pending = take(option: word)
      } else if let next = command.commands.first(where: { $0.name == word }) {
        command = next
      } else {
        isUnknown = isUnknown || !command.commands.isEmpty
        positionals.append(word)
        isForeign = command.startsProgram
      }
    }
    if isForeign {
      place = .foreign
    } else if isUnknown {
      place = .nothing
    } else if let pending {
      place = .value(ValueKind(pending) ?? .free, glue: "")
    } else if !onlyPositionals, current.hasPrefix("-") {
      place = Self.optionPlace(current, command)
    } else {
      place = Self.argumentPlace(command, given: positionals.count)
    }
  }

  private mutating func take(_ value: String, for option: ArgumentDeclaration) {
    if ValueKind(option) == .endpoint { endpoint = value }
  }

  /// Takes a word of options.
  ///
  /// - Returns: the option whose value is the next word.
  private mutating func take(option word: String) -> ArgumentDeclaration? {
    let isLong = word.hasPrefix("--")
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    // Of flags that share a word, only the last one can have a value.
    let name = isLong ? parts.first ?? word : "-" + word.suffix(1)
    guard let option = command.options.first(where: { $0.isNamed(name) }) else { return nil }
    usedOptions.formUnion(option.names)
    guard option.value != nil else { return nil }
    guard isLong, parts.count == 2, let value = parts.last else { return option }
    take(value, for: option)
    return nil
  }

  private static func optionPlace(_ current: String, _ command: ToolDeclaration) -> Place {
    guard current.hasPrefix("--"), let end = current.firstIndex(of: "=") else { return .option }
    guard let option = command.options.first(where: { $0.isNamed(String(current[..<end])) }), option.value != nil else {
      return .nothing
    }
    return .value(ValueKind(option) ?? .free, glue: String(current[...end]))
  }

  private static func argumentPlace(_ command: ToolDeclaration, given count: Int) -> Place {
    if command.startsProgram { return .foreign }
    if !command.commands.isEmpty { return .command }
    let declared = command.positionals
    let next = declared.indices.contains(count) ? declared[count] : declared.last.flatMap { $0.isRepeating ? $0 : nil }
    // Nothing else can follow.
    guard let next else { return .option }
    return .value(ValueKind(next) ?? .free, glue: "")
  }
}
