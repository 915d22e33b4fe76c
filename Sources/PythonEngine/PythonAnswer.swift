// The Python answer: what the Python side returns as JSON, read as values.
internal import CPython
internal import ReplServer
internal import Shared

/// Reads what hooks return. The Python side is ours, but what it passes on came from objects of the host.
enum PythonAnswer {
  /// A list of completions and the stacks of many threads are longer than a message may be.
  private static let limits = JSON.Limits(maximumByteCount: 16 << 20, maximumDepth: 16, maximumElementCount: 1 << 20)

  /// The value of a `str` that holds JSON.
  static func json(_ object: OpaquePointer?, _ gil: borrowing GIL) throws(PythonError) -> JSON {
    let text = unsafe try Python.string(object, gil)
    do throws(JSONError) {
      return try JSON(parsing: text.utf8, limits: limits)
    } catch {
      throw .runtimeError("the answer cannot be read: \(error.message)")
    }
  }

  /// How an evaluation ended.
  /// - Parameters:
  ///   - object: the number of an outcome, or JSON with the fields of a report.
  ///   - duration: in seconds.
  static func result(
    _ object: OpaquePointer?, duration: Double, _ gil: borrowing GIL
  ) throws(PythonError) -> EvaluationResult {
    if unsafe Python.isString(object) {
      guard let fields = unsafe try json(object, gil).objectValue else {
        throw .runtimeError("the report is no object")
      }
      if let reason = fields["unavailable"]?.stringValue {
        return .failure(EngineUnavailable(reason, isTimeout: true))
      }
      guard var report = EvaluationReport(fields: fields) else { throw .runtimeError("the report has no outcome") }
      report.duration = duration
      return .success(report)
    }
    let code = unsafe try Python.integer(object)
    return .success(EvaluationReport(outcome(code), duration: duration))
  }

  /// The numbers of `Outcome` in console.py.
  private static func outcome(_ code: Int) -> EvaluationReport.Outcome {
    switch code {
    case 0: .value
    case 2: .incomplete
    case 3: .interrupted
    case 4: .ended
    default: .exception
    }
  }

  static func completions(_ json: JSON) -> Completions {
    let fields = json.objectValue ?? [:]
    return Completions(
      candidates: (fields["candidates"]?.arrayValue ?? []).compactMap { $0.objectValue.flatMap(Candidate.init) },
      start: fields["start"]?.integerValue ?? 0, isTruncated: fields["truncated"]?.boolValue ?? false)
  }

  static func stacks(_ json: JSON) -> [ThreadStack] {
    (json.arrayValue ?? []).compactMap { entry in
      guard let fields = entry.objectValue, let thread = fields["thread"]?.integerValue else { return nil }
      return ThreadStack(
        thread: thread, name: fields["name"]?.stringValue ?? "",
        frames: (fields["frames"]?.arrayValue ?? []).compactMap { $0.objectValue.flatMap(SourcePlace.init) })
    }
  }
}
