// The common options: what every command can be told.

internal import ArgumentParser
internal import ReplClient

struct CommonOptions: ParsableArguments {
  @Option(
    name: [.customShort("t"), .long],
    help: ArgumentHelp(
      "The server: HOST[:PORT[:CONTROL]], PORT, unix:PATH, pid:N or name:NAME. "
        + "Default: $REPL_TO, else the only one of yours.", valueName: "endpoint"))
  var to: String?

  @Option(
    help: ArgumentHelp("How long all of it may take.", valueName: "seconds"),
    transform: { text in
      guard let limit = TimeLimit(argument: text) else {
        throw ValidationError("write a number of seconds above 0, such as 2.5")
      }
      return limit
    })
  var timeout: TimeLimit?

  @Flag(help: "Print one JSON document a line.")
  var json = false

  @Flag(help: "Do it at every server of yours, one after the other.")
  var each = false

  @Flag(help: "Leave out the line that names the columns.")
  var noHeader = false

  func validate() throws {
    if each, to != nil { throw ValidationError("--each and --to exclude each other; leave one out") }
  }
}
