// Relay: a connection for somebody on another machine, whom ssh has let in here.

internal import ArgumentParser
internal import ReplClient
internal import Shared

struct RelayCommand: ControlCommand {
  static let word = "relay"
  static var configuration: CommandConfiguration {
    described(
      "Connect standard input and output with the server, for a tool on another machine.",
      discussion: """
        The tools run this by ssh, where they are given -t ssh://HOST. What goes through is the protocol of \
        replwire(7), as it comes.
        """)
  }

  @OptionGroup var common: CommonOptions

  func perform(_ output: Output, _ surroundings: Surroundings) throws(ClientError) -> Int32 {
    guard !common.each else { throw ClientError(.usage, "relay goes to one server; leave out --each") }
    let destination = try surroundings.resolver.resolve(common.to)
    let deadline = Deadline.after(common.timeout ?? Visit.defaultTimeout)
    let relay = try Relay(to: destination, as: common.caller(surroundings), until: deadline)
    try relay.run(input: surroundings.input, output: surroundings.output)
    return ExitCode.done.rawValue
  }
}
