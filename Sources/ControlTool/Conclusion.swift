// The conclusion: how an evaluation ended, as an exit status and in words.

internal import ReplClient
internal import Shared

/// What an evaluation or a job came to, for the one who asked for it.
enum Conclusion {
  /// SIGTERM, as a shell reports it.
  static let terminated: Int32 = 128 + 15

  /// The exceptions that say that code does not parse.
  private static let parseErrors: Set<String> = ["SyntaxError", "IndentationError", "TabError"]

  /// The exit status.
  static func status(_ report: EvaluationReport) -> Int32 {
    switch report.outcome {
    case .value, .ended, .backgrounded: ExitCode.done.rawValue
    case .exception, .incomplete, .abandoned: ExitCode.failed.rawValue
    case .interrupted: ExitCode.interrupted.rawValue
    }
  }

  /// Says on standard error what went wrong, if anything did.
  static func explain(_ report: EvaluationReport, _ output: Output) {
    switch report.outcome {
    case .value, .ended: break
    case .exception:
      guard let exception = report.exception else { return output.talk("it raised an exception") }
      // What has no frame did not come from the code: it does not parse, or its value cannot be shown.
      if exception.frames.isEmpty, parseErrors.contains(exception.type) {
        output.talk("the code does not parse: \(exception.message)")
      } else {
        output.talk(text: exception.traceback)
      }
    case .incomplete: output.talk("the code does not parse: it is incomplete")
    case .abandoned: output.talk("it was abandoned, and may still run")
    case .interrupted: output.talk("interrupted")
    case .backgrounded: output.talk("it goes on as job %\(report.job ?? 0)")
    }
  }

  /// The members of a JSON document that are the same for evaluations and jobs.
  static func fields(_ report: EvaluationReport, _ collection: OutputCollection) -> JSON.Object {
    [
      "outcome": .string(report.outcome.rawValue),
      "value": report.type == nil ? .null : .string(collection.text(.value)),
      "type": report.type.map { .string($0) } ?? .null,
      "stdout": .string(collection.text(.standardOutput)),
      "stderr": .string(collection.text(.standardError)),
      "truncated": .bool(collection.isTruncated),
      "exception": report.exception.map { .object($0.fields()) } ?? .null,
      "duration": .number(report.duration),
    ]
  }
}
