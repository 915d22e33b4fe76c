// Interrupt: stop what a session or a job is doing.

internal import ArgumentParser
internal import ReplClient
internal import Shared

/// What can be interrupted.
enum InterruptTarget: Equatable, Sendable {
  /// A session; with the number of an evaluation, that one only.
  case session(Int, evaluation: Int?)
  case job(Int)

  /// `3`, or `%3` for a job.
  init?(argument: String) {
    guard let number = JobNumber(argument: argument)?.number else { return nil }
    self = argument.hasPrefix("%") ? .job(number) : .session(number, evaluation: nil)
  }

  var text: String {
    switch self {
    case .session(let number, _): "session \(number)"
    case .job(let number): "%\(number)"
    }
  }

  /// The parameters of the request.
  var fields: JSON.Object {
    switch self {
    case .session(let number, nil): ["session": .integer(number)]
    case .session(let number, let evaluation?): ["session": .integer(number), "evaluation": .integer(evaluation)]
    case .job(let number): ["job": .integer(number)]
    }
  }

  /// What a user writes to name it.
  var argument: String {
    switch self {
    case .session(let number, _): "\(number)"
    case .job(let number): "%\(number)"
    }
  }
}

extension InterruptTarget: ExpressibleByArgument {}

struct Interrupt: ControlCommand {
  static let word = "interrupt"
  static var configuration: CommandConfiguration {
    described(
      "Interrupt a session or a job.", usage: "replctl interrupt [SESSION | %JOB | --all]",
      discussion: "Without an argument: the only one that runs something.")
  }

  @OptionGroup var common: CommonOptions

  @Flag(help: "Interrupt every session and every job that runs.")
  var all = false

  @Argument(help: ArgumentHelp("The number of a session, or %N for a job.", valueName: "target"))
  var target: InterruptTarget?

  func validate() throws {
    if all, target != nil { throw ValidationError("name one target, or all of them with --all") }
  }

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      let connection = try visit.connect()
      let targets: [InterruptTarget]
      if let target { targets = [target] } else { targets = try running(connection, visit) }
      if targets.isEmpty { try sayNothingRuns(visit) }
      // One interrupt may take a second to be answered; several are waited for together.
      var requests: [(InterruptTarget, Int)] = []
      for target in targets { requests.append((target, try connection.send(.interrupt, target.fields))) }
      var status = ExitCode.done.rawValue
      for (target, request) in requests {
        let outcome = InterruptOutcome(reply: try connection.reply(to: request, until: visit.deadline))
        try visit.output.print("\(target.text): \(outcome.inWords)", json: Self.json(target, outcome))
        if !outcome.isOver { status = ExitCode.failed.rawValue }
      }
      return status
    }
  }

  /// What runs.
  /// - Throws: `.usage` when it is more than one and not all is meant.
  private func running(_ connection: Connection, _ visit: Visit) throws(ClientError) -> [InterruptTarget] {
    let sessions = try connection.send(.sessions)
    let jobs = try connection.send(.jobs)
    let busySessions = try SessionReport.list(connection.reply(to: sessions, until: visit.deadline))
      .filter { $0.running != nil }
    let busyJobs = try JobReport.list(connection.reply(to: jobs, until: visit.deadline)).filter { $0.state == .running }
    let found =
      busySessions.map { (InterruptTarget.session($0.session, evaluation: $0.evaluation), $0.running ?? "") }
      + busyJobs.map { (InterruptTarget.job($0.job), $0.source) }
    guard all || found.count <= 1 else {
      throw ClientError(
        .usage, "several things run; name one, or take --all",
        details: found.map { "\($0.argument)  \(String($1.prefix { !$0.isNewline }).escapedLine)" })
    }
    return found.map(\.0)
  }

  private func sayNothingRuns(_ visit: Visit) throws(ClientError) {
    if !visit.output.isJSON { try visit.output.print("nothing is running") }
  }

  private static func json(_ target: InterruptTarget, _ outcome: InterruptOutcome) -> JSON.Object {
    var fields: JSON.Object =
      switch target {
      case .session(let number, _): ["session": .integer(number), "job": .null]
      case .job(let number): ["session": .null, "job": .integer(number)]
      }
    fields["outcome"] = .string(outcome.name)
    fields["where"] = outcome.place.map { .object($0.fields()) } ?? .null
    return fields
  }
}
