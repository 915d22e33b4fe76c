// The completion options: what replcomplete can be told, as its help has it.

public import ArgumentParser
internal import ClientOptions
internal import ReplClient
internal import Shared
public import ShellCompletion

struct CompletionOptions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replcomplete",
    abstract: "Print what completes a piece of source in a running program.",
    usage: """
      replcomplete [OPTIONS] [PREFIX]
      replcomplete [OPTIONS] --line TEXT [--cursor N]
      replcomplete --shell bash|zsh|fish
      """,
    discussion: """
      One candidate a line: what PREFIX becomes or, with --line, what takes the place of the word at the cursor. The \
      exit status is 1, and nothing is printed, when there is none.
      """,
    version: "replcomplete (repltools) \(Release.version)")

  /// What `--timeout` means here.
  enum TimeoutText: TimeoutMeaning {
    static var timeoutHelp: String { "How long all of it may take; 2 without it." }
  }

  @OptionGroup var connection: ConnectionOptions<TimeoutText>

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The source around the cursor, instead of PREFIX.", valueName: "text"))
  var line: String?

  @Option(help: ArgumentHelp("Where in it the cursor is, in code points; the end without it.", valueName: "n"))
  var cursor: Int?

  @Flag(help: "Add a column with what each candidate is.")
  var kind = false

  @Flag(help: "Add a column with a line of documentation.")
  var doc = false

  @Flag(help: "Print one JSON document a line.")
  var json = false

  @Option(
    help: ArgumentHelp(
      "Print the script that completes the command lines of all the tools in a shell.",
      valueName: "shell"))
  var shell: Shell?

  @Argument(help: "What is to be completed.")
  var prefix: String?

  func validate() throws {
    if shell != nil {
      guard line == nil, prefix == nil else {
        throw ValidationError("--shell completes nothing itself; leave out the rest")
      }
      return
    }
    guard (line == nil) != (prefix == nil) else {
      throw ValidationError("give what is to be completed: PREFIX, or --line TEXT, and not both")
    }
    if let cursor {
      guard let line else { throw ValidationError("--cursor is about --line, which is missing") }
      guard cursor >= 0, cursor <= line.unicodeScalars.count else {
        throw ValidationError(
          "--cursor \(cursor) is outside of the line, which has \(line.unicodeScalars.count) code points")
      }
    }
  }
}

extension Shell: ExpressibleByArgument {}
