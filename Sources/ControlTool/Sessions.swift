// Sessions: who is connected, and what they run. Disconnect: the end of a session.

internal import ArgumentParser
internal import ReplClient
internal import Shared

struct Sessions: ControlCommand {
  static let word = "sessions"
  static var configuration: CommandConfiguration { described("List the sessions.") }

  @OptionGroup var common: CommonOptions

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      let reports = SessionReport.list(try visit.ask(.sessions))
      var table = Table("SESSION", "KIND", "STATE", "AGE", "SINCE", "EVALUATION", "PEER", "SOURCE")
      for report in reports {
        table.add(
          Table.Cell(report.session), Table.Cell(report.kind),
          Table.Cell(report.running == nil ? "idle" : "evaluating"),
          .elapsed(report.age), .elapsed(report.since), Table.Cell(report.evaluation), Table.Cell(report.peer),
          .source(report.running))
      }
      try visit.output.print(table, json: reports.map { $0.fields() })
      return ExitCode.done.rawValue
    }
  }
}

extension SessionReport {
  /// The rows of a reply.
  static func list(_ reply: JSON.Object) -> [SessionReport] {
    (reply["sessions"]?.arrayValue ?? []).compactMap { $0.objectValue.flatMap(SessionReport.init) }
  }
}

struct Disconnect: ControlCommand {
  static let word = "disconnect"
  static var configuration: CommandConfiguration {
    described("End sessions, and interrupt what they run.", usage: "replctl disconnect SESSION... | --all")
  }

  @OptionGroup var common: CommonOptions

  @Flag(help: "End every session.")
  var all = false

  @Argument(help: ArgumentHelp("The numbers of sessions.", valueName: "session"))
  var sessions: [Int] = []

  func validate() throws {
    guard sessions.isEmpty == all else {
      throw ValidationError("name the sessions that are to end, or all of them with --all")
    }
  }

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      let connection = try visit.connect()
      let requests: [JSON.Object] = all ? [[:]] : sessions.map { ["session": .integer($0)] }
      var status = ExitCode.done.rawValue
      for request in requests {
        do throws(ClientError) {
          let reply = try connection.ask(.disconnect, request, until: visit.deadline)
          for session in (reply["sessions"]?.arrayValue ?? []).compactMap(\.integerValue) {
            try visit.output.print(
              "session \(session): disconnected", json: ["session": .integer(session), "outcome": "disconnected"])
          }
        } catch {
          guard error.isRefusal else { throw error }
          visit.output.talk(error)
          status = max(status, error.code.rawValue)
        }
      }
      return status
    }
  }
}

extension ClientError {
  /// Whether it concerns one request, so that another one can be made.
  var isRefusal: Bool { code == .failed || code == .noSuchItem || code == .notPermitted }
}

extension Output {
  /// Writes a line, or the document that stands for it.
  func print(_ line: String, json: JSON.Object) throws(ClientError) {
    if isJSON { try print(json) } else { try print(line) }
  }
}
