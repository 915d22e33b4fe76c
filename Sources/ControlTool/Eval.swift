// Eval: run code in the program, and print what it prints and what it is.

internal import ArgumentParser
internal import ClientOptions
internal import ReplClient
internal import Shared

struct Eval: ControlCommand {
  static let word = "eval"
  static var configuration: CommandConfiguration {
    described(
      "Run code in the program, and print the value of its last expression.",
      usage: "replctl eval [OPTIONS] CODE... | -f FILE... | -",
      discussion: """
        The pieces of code run in one session, one after the other, until one fails. What they print comes out as it \
        is printed. The exit status is 1 when the code raises, and 130 when it is interrupted. Code that starts with \
        '-' goes behind '--'.
        """)
  }

  @OptionGroup var common: CommonOptions
  @OptionGroup var code: CodeOptions

  @Option(name: [.customShort("s"), .long], help: ArgumentHelp("Run it inside this session.", valueName: "n"))
  var session: Int?

  @Flag(help: "Run it on the program's main thread.")
  var mainThread = false

  @OptionGroup var loop: LoopOption

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    let sources = try code.sources(surroundings)
    return { (visit: Visit) throws(ClientError) in
      let connection = try visit.connect()
      var input: InputLines? = sources.usesInput ? nil : InputLines(surroundings.input)
      var parameters: JSON.Object = ["mode": "script", "place": mainThread ? "main" : "session"]
      if let session { parameters["session"] = .integer(session) }
      loop.add(to: &parameters)
      if session == nil, sources.texts.count > 1 {
        let opened = try connection.ask(.openSession, until: visit.deadline)
        guard let session = opened["session"] else { throw visit.unexpectedReply }
        parameters["session"] = session
      }
      // Not before: Ctrl-C ends a tool that waits for its server.
      let signals = surroundings.takesSignals ? try SignalWatch() : nil
      for text in sources.texts {
        parameters["source"] = .string(text)
        let request = try connection.send(.evaluate, parameters)
        var following = Following(
          connection, request: request, .owns, visit.output, signals: signals,
          deadline: visit.timeout == nil ? .never : visit.deadline)
        let end = try following.run(input: &input)
        if let status = try Self.conclude(end, following.collection, visit) { return status }
      }
      return ExitCode.done.rawValue
    }
  }

  /// Prints what there is to print.
  ///
  /// - Returns: the exit status; nil when the next piece of code may run.
  private static func conclude(
    _ end: Following.End, _ collection: OutputCollection?, _ visit: Visit
  ) throws(ClientError) -> Int32? {
    let report = end.reply.flatMap { EvaluationReport(fields: $0) }
    guard end.reply == nil || report != nil else { throw visit.unexpectedReply }
    // What has not begun has no outcome, and is told below.
    if let collection, end.reply != nil || end.session != nil {
      // What was left before it ended has an outcome all the same: it was told to end.
      var fields = Conclusion.fields(report ?? EvaluationReport(.interrupted), collection)
      fields["session"] = end.session.map { .integer($0) } ?? .null
      fields["evaluation"] = end.evaluation.map { .integer($0) } ?? .null
      try visit.output.print(fields)
    }
    switch end.cause {
    case .timeout:
      visit.output.talk("timed out after \(ElapsedTime.exact(visit.timeout ?? 0)) s: \(fate(end))")
      return ExitCode.timedOut.rawValue
    case .signal(.interrupt): return ExitCode.interrupted.rawValue
    case .signal(.terminate): return Conclusion.terminated
    case nil: break
    }
    guard let report else { throw visit.unexpectedReply }
    if collection == nil { Conclusion.explain(report, visit.output) }
    return report.outcome == .value ? nil : Conclusion.status(report)
  }

  /// What became of an evaluation that had to end.
  private static func fate(_ end: Following.End) -> String {
    guard let session = end.session else { return "it had not begun" }
    if end.reply != nil { return "session \(session): interrupted" }
    guard let interrupt = end.interrupt, !interrupt.isOver else { return "session \(session): it has not ended yet" }
    return "session \(session): \(interrupt.inWords)"
  }
}
