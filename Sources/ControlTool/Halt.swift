// Halt: the end of a server.

internal import ArgumentParser
internal import ReplClient
internal import Shared

struct Halt: ControlCommand {
  static let word = "halt"
  static var configuration: CommandConfiguration {
    described(
      "Stop the server when its last session has ended.",
      discussion: "The program goes on, unless it is a playground that only waits for its server.")
  }

  @OptionGroup var common: CommonOptions

  @Flag(help: "Take back an earlier halt.")
  var cancel = false

  @Flag(help: "End the sessions, and stop at once.")
  var now = false

  func validate() throws {
    if cancel, now { throw ValidationError("--cancel and --now exclude each other; leave one out") }
  }

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      let when = cancel ? "cancel" : now ? "now" : "idle"
      let sessions = try visit.ask(.halt, ["when": .string(when)])["sessions"]?.integerValue ?? 0
      let text =
        switch when {
        case "cancel": "the server goes on"
        case "now": "the server stops"
        default:
          sessions == 0 ? "the server stops" : "the server stops when its sessions have ended; there are \(sessions)"
        }
      try visit.output.print(text, json: ["when": .string(when), "sessions": .integer(sessions)])
      return ExitCode.done.rawValue
    }
  }
}
