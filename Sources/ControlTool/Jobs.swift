// Jobs: evaluations that nobody waits for: the list of them, their start and their end.

internal import ArgumentParser
internal import ClientOptions
internal import ReplClient
internal import Shared

struct Jobs: ControlCommand {
  static let word = "jobs"
  static var configuration: CommandConfiguration { described("List the jobs that run, and those that ended lately.") }

  @OptionGroup var common: CommonOptions

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      let reports = JobReport.list(try visit.ask(.jobs))
      var table = Table("JOB", "STATE", "AGE", "TIME", "CPU", "OUTPUT", "OWNER", "SOURCE")
      for report in reports {
        table.add(
          Table.Cell("%\(report.job)"), Table.Cell(report.state.rawValue), .elapsed(report.age),
          .elapsed(report.duration), report.cpu.map(Table.Cell.elapsed) ?? Table.Cell("-"), Table.Cell(report.output),
          Table.Cell(report.owner), .source(report.source))
      }
      try visit.output.print(table, json: reports.map { $0.fields() })
      return ExitCode.done.rawValue
    }
  }
}

extension JobReport {
  /// The rows of a reply.
  static func list(_ reply: JSON.Object) -> [JobReport] {
    (reply["jobs"]?.arrayValue ?? []).compactMap { $0.objectValue.flatMap(JobReport.init) }
  }
}

struct Background: ControlCommand {
  static let word = "bg"
  static var configuration: CommandConfiguration {
    described(
      "Start a job, and print its number.", usage: "replctl bg CODE | -f FILE | -",
      discussion: "It goes on when replctl has ended. '-' reads the code from standard input.")
  }

  @OptionGroup var common: CommonOptions
  @OptionGroup var code: CodeOptions
  @OptionGroup var loop: LoopOption

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    let sources = try code.sources(surroundings)
    return { (visit: Visit) throws(ClientError) in
      let connection = try visit.connect()
      for source in sources.texts {
        var parameters: JSON.Object = ["source": .string(source)]
        loop.add(to: &parameters)
        let reply = try connection.ask(.startJob, parameters, until: visit.deadline)
        guard let job = reply["job"]?.integerValue else { throw visit.unexpectedReply }
        try visit.output.print("%\(job)", json: ["job": .integer(job)])
      }
      return ExitCode.done.rawValue
    }
  }
}

struct Kill: ControlCommand {
  static let word = "kill"
  static var configuration: CommandConfiguration {
    described(
      "Interrupt jobs, and abandon those that do not end.", usage: "replctl kill %JOB...",
      discussion: "The exit status is 1 when a job could only be abandoned.")
  }

  @OptionGroup var common: CommonOptions

  @Argument(help: ArgumentHelp("The numbers of jobs.", valueName: "job"))
  var jobs: [JobNumber]

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      let connection = try visit.connect()
      var requests: [(JobNumber, Int)] = []
      for job in jobs { requests.append((job, try connection.send(.killJob, ["job": job.json]))) }
      var status = ExitCode.done.rawValue
      for (job, request) in requests {
        do throws(ClientError) {
          let reply = try connection.reply(to: request, until: visit.deadline)
          let state = reply["state"]?.stringValue ?? "unknown"
          let place = reply["where"]?.objectValue.flatMap(SourcePlace.init)
          try visit.output.print(
            "\(job.text): \(state.escapedLine)\(place.map { " in \($0.inWords)" } ?? "")",
            json: ["job": job.json, "state": .string(state), "where": reply["where"] ?? .null])
          if state == JobReport.State.abandoned.rawValue { status = max(status, ExitCode.failed.rawValue) }
        } catch {
          guard error.isRefusal else { throw error }
          visit.output.talk(ClientError(error.code, "\(job.text): \(error.message)"))
          status = max(status, error.code.rawValue)
        }
      }
      return status
    }
  }
}

extension Visit {
  /// A reply without what every such reply has.
  var unexpectedReply: ClientError { ClientError(.protocolError, "\(destination) sent a reply that lacks its fields") }
}
