// JobOutput: what a job has printed. Foreground: the wait for its result.

internal import ArgumentParser
internal import ReplClient
internal import Shared

struct JobOutput: ControlCommand {
  static let word = "output"
  static var configuration: CommandConfiguration {
    described("Print what a job has printed.", discussion: "Ctrl-C leaves the job alone.")
  }

  @OptionGroup var common: CommonOptions

  @Flag(help: "Go on until the job has ended.")
  var follow = false

  @Argument(help: "The number of the job.")
  var job: JobNumber

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      let (end, following) = try visit.watch(
        .jobOutput, ["job": job.json, "follow": .bool(follow)], job, isBounded: !follow)
      guard let reply = end.reply else { return end.statusWhenLeft }
      let dropped = reply["dropped"]?.integerValue ?? 0
      if let collection = following.collection {
        try visit.output.print([
          "job": job.json, "state": reply["state"] ?? .null, "dropped": .integer(dropped),
          "stdout": .string(collection.text(.standardOutput)), "stderr": .string(collection.text(.standardError)),
          "truncated": .bool(collection.isTruncated),
        ])
      } else if dropped > 0 {
        visit.output.talk("\(job.text): \(dropped) bytes of its output are no longer kept")
      }
      return ExitCode.done.rawValue
    }
  }
}

struct Foreground: ControlCommand {
  static let word = "fg"
  static var configuration: CommandConfiguration {
    described(
      "Wait for a job to end, and print its result.",
      discussion: "The exit status is that of eval. Ctrl-C and --timeout leave the job alone.")
  }

  @OptionGroup var common: CommonOptions

  @Argument(help: "The number of the job.")
  var job: JobNumber

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      let (end, following) = try visit.watch(.awaitJob, ["job": job.json], job, isBounded: false)
      guard let reply = end.reply else { return end.statusWhenLeft }
      guard let report = EvaluationReport(fields: reply) else { throw visit.unexpectedReply }
      if let collection = following.collection {
        var fields: JSON.Object = ["job": job.json]
        for (key, value) in Conclusion.fields(report, collection) where key != "stdout" && key != "stderr" {
          fields[key] = value
        }
        try visit.output.print(fields)
      } else {
        Conclusion.explain(report, visit.output)
      }
      return Conclusion.status(report)
    }
  }
}

extension Visit {
  /// Follows a job, which is not ours to end.
  ///
  /// - Parameter isBounded: whether it is over soon, so that a silent server is given up.
  fileprivate func watch(
    _ operation: Operation, _ fields: JSON.Object, _ job: JobNumber, isBounded: Bool
  ) throws(ClientError) -> (Following.End, Following) {
    let connection = try connect()
    let signals = surroundings.takesSignals ? try SignalWatch() : nil
    var following = Following(
      connection, request: try connection.send(operation, fields), .watches, output, signals: signals,
      deadline: isBounded || timeout != nil ? deadline : .never)
    var input: InputLines?
    let end = try following.run(input: &input)
    if end.reply == nil {
      // Of a server that has said nothing at all, nothing is known.
      guard end.cause != .timeout || connection.server != nil else {
        throw ClientError(.timedOut, "no answer from \(destination) in time")
      }
      output.talk(end.cause == .timeout ? "timed out; \(job.text) goes on" : "left; \(job.text) goes on")
    }
    return (end, following)
  }
}

extension Following.End {
  /// The exit status of a tool that did not wait for the end.
  fileprivate var statusWhenLeft: Int32 {
    switch cause {
    case .timeout, nil: ExitCode.timedOut.rawValue
    case .signal(.interrupt): ExitCode.interrupted.rawValue
    case .signal(.terminate): Conclusion.terminated
    }
  }
}
