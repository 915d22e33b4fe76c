// The evaluation report: how an evaluation ended, as the server knows it and as it travels.

/// What became of an evaluation. Its output and its value have been sent by then.
public struct EvaluationReport: Equatable, Sendable {
  /// How it ended.
  public enum Outcome: String, CaseIterable, Sendable {
    /// It ran to its end.
    case value
    /// It could not be compiled, or raised.
    case exception
    /// More source is needed; nothing ran.
    case incomplete
    /// An interrupt ended it.
    case interrupted
    /// It asked for its session to end.
    case ended
    /// Of a job: nothing stopped it, and nobody waits for it any more.
    case abandoned
    /// It has become a job, and goes on.
    case backgrounded
  }

  public var outcome: Outcome
  /// How long it ran, in seconds.
  public var duration: Double
  /// The type of the value that was sent; nil when there was none to show.
  public var type: String?
  public var exception: ExceptionReport?
  /// The job that it has become.
  public var job: Int?

  public init(
    _ outcome: Outcome, duration: Double = 0, type: String? = nil, exception: ExceptionReport? = nil, job: Int? = nil
  ) {
    self.outcome = outcome
    self.duration = duration
    self.type = type
    self.exception = exception
    self.job = job
  }

  /// The members of a reply.
  public func fields() -> JSON.Object {
    var fields: JSON.Object = ["outcome": .string(outcome.rawValue), "duration": .number(duration)]
    if let type { fields["type"] = .string(type) }
    if let exception { fields["exception"] = .object(exception.fields()) }
    if let job { fields["job"] = .integer(job) }
    return fields
  }

  /// Reads the members of a reply; nil when they are not those of a report.
  public init?(fields: JSON.Object) {
    guard let outcome = fields["outcome"]?.stringValue.flatMap(Outcome.init) else { return nil }
    self.init(
      outcome, duration: fields["duration"]?.numberValue ?? 0, type: fields["type"]?.stringValue,
      exception: fields["exception"]?.objectValue.flatMap(ExceptionReport.init), job: fields["job"]?.integerValue)
  }
}

/// What an evaluation raised.
public struct ExceptionReport: Equatable, Sendable {
  /// The name of its type.
  public var type: String
  public var message: String
  /// The whole of it as the language shows it, with a newline at the end of every line.
  public var traceback: String
  /// Where it came from, the outermost first.
  public var frames: [SourcePlace]

  public init(type: String, message: String, traceback: String, frames: [SourcePlace]) {
    self.type = type
    self.message = message
    self.traceback = traceback
    self.frames = frames
  }

  public func fields() -> JSON.Object {
    [
      "type": .string(type), "message": .string(message), "traceback": .string(traceback),
      "frames": .array(frames.map { .object($0.fields()) }),
    ]
  }

  public init?(fields: JSON.Object) {
    guard let type = fields["type"]?.stringValue else { return nil }
    self.init(
      type: type, message: fields["message"]?.stringValue ?? "", traceback: fields["traceback"]?.stringValue ?? "",
      frames: (fields["frames"]?.arrayValue ?? []).compactMap { $0.objectValue.flatMap(SourcePlace.init) })
  }
}

/// A place in a source: one entry of a stack.
public struct SourcePlace: Equatable, Sendable {
  public var file: String
  /// From 1; 0 when it is not known.
  public var line: Int
  /// The function that contains it.
  public var function: String
  /// The text of that line, without its indentation; nil when it cannot be had.
  public var text: String?
  /// The system call that it waits in; nil when it is in none, or that is not asked.
  public var call: String?

  public init(file: String, line: Int, function: String, text: String? = nil, call: String? = nil) {
    self.file = file
    self.line = line
    self.function = function
    self.text = text
    self.call = call
  }

  public func fields() -> JSON.Object {
    var fields: JSON.Object = [
      "file": .string(file), "line": .integer(line), "function": .string(function),
    ]
    if let text { fields["text"] = .string(text) }
    if let call { fields["call"] = .string(call) }
    return fields
  }

  public init?(fields: JSON.Object) {
    guard let file = fields["file"]?.stringValue else { return nil }
    self.init(
      file: file, line: fields["line"]?.integerValue ?? 0, function: fields["function"]?.stringValue ?? "",
      text: fields["text"]?.stringValue, call: fields["call"]?.stringValue)
  }
}
