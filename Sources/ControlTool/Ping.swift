// Ping: whether a server answers, and how fast. Wait: until one does.

internal import ArgumentParser
internal import ReplClient
internal import Shared

struct Ping: ControlCommand {
  static let word = "ping"
  static var configuration: CommandConfiguration { described("Say whether the server answers, and how fast.") }

  @OptionGroup var common: CommonOptions

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      try Self.ping(visit)
      return ExitCode.done.rawValue
    }
  }

  /// Asks a server for its name, and prints how long that took.
  static func ping(_ visit: Visit) throws(ClientError) {
    let stopwatch = Stopwatch()
    let server = try visit.connect().describe(until: visit.deadline)
    let seconds = stopwatch.seconds
    guard visit.output.isJSON else {
      return try visit.output.print(
        "\(server.name) (pid \(server.pid)) answers in \(ElapsedTime.fixed(seconds * 1e3, decimals: 3)) ms")
    }
    try visit.output.print(["name": .string(server.name), "pid": .integer(server.pid), "seconds": .number(seconds)])
  }
}

struct Wait: ControlCommand {
  static let word = "wait"
  static var configuration: CommandConfiguration {
    described(
      "Wait until the server is there and answers.",
      discussion: "Gives up after --timeout seconds, or after \(Int(Self.defaultTimeout)).")
  }

  @OptionGroup var common: CommonOptions

  private static let defaultTimeout = 60.0
  /// How often a server is looked for, in seconds.
  private static let interval = 0.1

  func perform(_ output: Output, _ surroundings: Surroundings) throws(ClientError) -> Int32 {
    guard !common.each else { throw ClientError(.usage, "wait waits for one server; leave out --each") }
    let limit = common.timeout ?? Self.defaultTimeout
    let deadline = Deadline.after(limit)
    let caller = try common.caller(surroundings)
    while true {
      do throws(ClientError) {
        let destination = try surroundings.resolver.resolve(common.to)
        let secondsLeft = max(deadline.secondsLeft ?? limit, 0.001)
        try Ping.ping(Visit(destination, as: caller, output, surroundings, timeout: secondsLeft))
        return ExitCode.done.rawValue
      } catch {
        guard error.code == .noServer || error.code == .timedOut else { throw error }
        guard !deadline.hasPassed else {
          throw ClientError(.timedOut, "no server within \(ElapsedTime.fixed(limit, decimals: 1)) s: \(error.message)")
        }
        _ = try Watched.wait(for: [], until: min(deadline, .after(Self.interval)))
      }
    }
  }
}
