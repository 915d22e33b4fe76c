// The common options: what every command can be told.

internal import ArgumentParser
internal import ClientOptions
internal import ReplClient

struct CommonOptions: ParsableArguments {
  /// What `--timeout` means here.
  enum TimeoutText: TimeoutMeaning {
    static var timeoutHelp: String { "How long all of it may take." }
  }

  @OptionGroup var connection: ConnectionOptions<TimeoutText>

  @Flag(help: "Print one JSON document a line.")
  var json = false

  @Flag(help: "Do it at every server of yours, one after the other.")
  var each = false

  @Flag(help: "Leave out the line that names the columns.")
  var noHeader = false

  var to: String? { connection.to }

  /// What `--timeout` was given, in seconds.
  var timeout: Double? { connection.timeout?.seconds }

  func caller(_ surroundings: Surroundings) throws(ClientError) -> Caller {
    try connection.caller(surroundings, until: .after(timeout ?? Visit.defaultTimeout))
  }

  func validate() throws {
    if each, to != nil { throw ValidationError("--each and --to exclude each other; leave one out") }
  }
}
