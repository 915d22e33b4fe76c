// The control tool: from a command line to an exit status.

public import ArgumentParser
internal import Glibc
internal import ReplClient
internal import Shared
internal import SystemPackage

/// The whole of `replctl`.
public enum ControlTool {
  /// Does what this process's command line says.
  public static func main() -> Never {
    exit(run(Array(CommandLine.arguments.dropFirst()), .ofProcess()))
  }

  /// All commands and options, for those who complete them.
  public static var declaration: any ParsableCommand.Type { ReplCtl.self }

  /// - Parameter words: the command line without the name of the tool.
  /// - Returns: the exit status.
  static func run(_ words: [String], _ surroundings: Surroundings) -> Int32 {
    let talk = Output(surroundings)
    do throws(ClientError) {
      let parts = CommandLineParts(words)
      guard let word = parts.command else {
        try print(try answer(to: parts.rest), surroundings)
        return ExitCode.done.rawValue
      }
      if word == Ping.word, let plain = PlainPing(parts.rest) { return try plain.perform(surroundings) }
      let isHelp = word == "help"
      guard let topic = isHelp ? parts.rest.first : word else {
        try print(ReplCtl.helpMessage(), surroundings)
        return ExitCode.done.rawValue
      }
      guard let type = CommandList.command(topic) else { throw CommandList.unknown(topic) }
      guard !isHelp else {
        try print(ReplCtl.helpMessage(for: type), surroundings)
        return ExitCode.done.rawValue
      }
      return try run(type, parts.rest, surroundings)
    } catch {
      talk.talk(error)
      return error.code.rawValue
    }
  }

  private static func run(
    _ type: any ControlCommand.Type, _ words: [String], _ surroundings: Surroundings
  ) throws(ClientError) -> Int32 {
    let command: any ControlCommand
    do {
      command = try type.parse(words)
    } catch {
      guard type.exitCode(for: error) == .success else {
        throw ClientError(.usage, "\(type.message(for: error)) (see replctl \(type.word) --help)")
      }
      try print(ReplCtl.helpMessage(for: type), surroundings)
      return ExitCode.done.rawValue
    }
    let output = Output(surroundings, isJSON: command.common.json, hasHeader: !command.common.noHeader)
    return try command.perform(output, surroundings)
  }

  /// What a command line without a command asks for.
  private static func answer(to words: [String]) throws(ClientError) -> String {
    do {
      _ = try ReplCtl.parse(words)
    } catch {
      guard ReplCtl.exitCode(for: error) == .success else {
        throw ClientError(.usage, "\(ReplCtl.message(for: error)) (see replctl --help)")
      }
      return ReplCtl.fullMessage(for: error)
    }
    throw ClientError(.usage, "a command is missing (see replctl --help)")
  }

  private static func print(_ text: String, _ surroundings: Surroundings) throws(ClientError) {
    try Output(surroundings).print(text.utf8.last == UInt8(ascii: "\n") ? String(text.dropLast()) : text)
  }
}

/// The tree of all commands. It is built only when help is asked for.
struct ReplCtl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replctl",
    abstract: "Ask something of the REPL server inside a running program.",
    usage: "replctl [OPTIONS] COMMAND [ARGUMENTS]",
    discussion: """
      The options of 'replctl COMMAND --help' may stand before the command, too. Without -t and $REPL_TO, the only \
      server of yours on this machine is asked.
      """,
    version: "replctl (repltools) \(Release.version)",
    subcommands: CommandList.all)

  @OptionGroup var common: CommonOptions
}
