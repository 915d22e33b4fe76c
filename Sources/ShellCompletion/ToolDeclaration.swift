// The tool declaration: the commands, options and arguments of a tool, as its own parser declares them.

internal import Shared

/// A tool, or one of its commands.
public struct ToolDeclaration: Equatable, Sendable {
  public let name: String
  /// One line about it.
  let abstract: String
  let options: [ArgumentDeclaration]
  let positionals: [ArgumentDeclaration]
  let commands: [ToolDeclaration]
  /// Whether the first word that is no option belongs to another program, with everything behind it.
  let startsProgram: Bool

  /// - Parameters:
  ///   - fields: an object of the dump of ArgumentParser.
  ///   - more: options that are handled before ArgumentParser sees them.
  /// - Returns: nil when the object is none of a command.
  init?(dump fields: JSON.Object, startsProgram: Bool = false, more: [ArgumentDeclaration] = []) {
    guard let name = fields["commandName"]?.stringValue else { return nil }
    self.name = name
    self.startsProgram = startsProgram
    abstract = fields["abstract"]?.stringValue ?? ""
    let arguments = (fields["arguments"]?.arrayValue ?? []).compactMap {
      $0.objectValue.flatMap(ArgumentDeclaration.init)
    }
    options = arguments.filter { !$0.names.isEmpty } + more
    positionals = arguments.filter(\.names.isEmpty)
    let declared = (fields["subcommands"]?.arrayValue ?? []).compactMap {
      $0.objectValue.flatMap { ToolDeclaration(dump: $0) }
    }
    // ArgumentParser lists 'help' under tools, too, that have no commands.
    commands = declared.contains { $0.name != "help" } ? declared.map(\.asCommand) : []
  }

  /// ArgumentParser lists the version under each command, because it is the whole tool's; a command that is parsed by
  /// itself, as all of replctl's are, refuses it.
  private var asCommand: ToolDeclaration {
    ToolDeclaration(
      name: name, abstract: abstract, options: options.filter { !$0.isNamed("--version") }, positionals: positionals,
      commands: commands)
  }

  /// - Parameter dump: what the tool prints for `--experimental-dump-help`.
  /// - Returns: nil when it is something else.
  public init?(dump: String, startsProgram: Bool = false, more: [ArgumentDeclaration] = []) {
    guard let document = try? JSON(parsing: dump.utf8), let fields = document.objectValue?["command"]?.objectValue
    else { return nil }
    self.init(dump: fields, startsProgram: startsProgram, more: more)
  }

  /// A tool that is not declared to any parser.
  public init(
    name: String, abstract: String = "", options: [ArgumentDeclaration] = [], positionals: [ArgumentDeclaration] = [],
    commands: [ToolDeclaration] = []
  ) {
    self.name = name
    self.abstract = abstract
    self.options = options
    self.positionals = positionals
    self.commands = commands
    startsProgram = false
  }
}

/// An option, a flag or an argument.
public struct ArgumentDeclaration: Equatable, Sendable {
  /// With their dashes, as `-t` and `--to`; none for an argument that is known by its place.
  let names: [String]
  let help: String
  /// nil for a flag.
  let value: String?
  let isRepeating: Bool
  /// The words it may be, if it says them.
  let choices: [String]

  public init(names: [String], help: String, value: String?, isRepeating: Bool = false) {
    self.names = names
    self.help = help
    self.value = value
    self.isRepeating = isRepeating
    choices = []
  }

  /// - Parameter fields: an object of the dump of ArgumentParser.
  /// - Returns: nil for what is not to be shown.
  init?(dump fields: JSON.Object) {
    guard let kind = fields["kind"]?.stringValue, fields["shouldDisplay"]?.boolValue != false else { return nil }
    var names: [String] = []
    for case .object(let name) in fields["names"]?.arrayValue ?? [] {
      guard let text = name["name"]?.stringValue else { continue }
      let word = (name["kind"]?.stringValue == "long" ? "--" : "-") + text
      if !names.contains(word) { names.append(word) }
    }
    self.names = kind == "positional" ? [] : names
    help = fields["abstract"]?.stringValue ?? ""
    value = kind == "flag" ? nil : fields["valueName"]?.stringValue ?? ""
    isRepeating = fields["isRepeating"]?.boolValue ?? false
    choices = (fields["allValues"]?.arrayValue ?? []).compactMap(\.stringValue)
  }

  /// Whether it is an option by one of these names.
  func isNamed(_ name: String) -> Bool { names.contains(name) }
}
