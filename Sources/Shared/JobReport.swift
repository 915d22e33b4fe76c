// The job report: one row of the list of jobs.

/// What a server says of one of its jobs.
public struct JobReport: Equatable, Sendable {
  /// What has become of a job.
  public enum State: String, CaseIterable, Sendable {
    case running
    case done
    case failed
    case interrupted
    /// It was killed and did not end; its thread is listed until it does.
    case abandoned
  }

  public var job: Int
  public var state: State
  /// Seconds since it was started.
  public var age: Double
  /// Seconds that it ran, up to now or to its end.
  public var duration: Double
  /// Seconds of processor time its thread has used; nil when that is not known.
  public var cpu: Double?
  /// What it runs: source, or the name of a function.
  public var source: String
  /// Who started it: `session 3`, or the peer of a tool.
  public var owner: String
  /// Bytes of output that are kept, and that were dropped.
  public var output: Int
  public var dropped: Int

  public init(
    job: Int, state: State, age: Double, duration: Double, cpu: Double?, source: String, owner: String, output: Int,
    dropped: Int
  ) {
    self.job = job
    self.state = state
    self.age = age
    self.duration = duration
    self.cpu = cpu
    self.source = source
    self.owner = owner
    self.output = output
    self.dropped = dropped
  }

  public func fields() -> JSON.Object {
    [
      "job": .integer(job), "state": .string(state.rawValue), "age": .number(age), "duration": .number(duration),
      "cpu": cpu.map { .number($0) } ?? .null, "source": .string(source), "owner": .string(owner),
      "output": .integer(output), "dropped": .integer(dropped),
    ]
  }

  public init?(fields: JSON.Object) {
    guard let job = fields["job"]?.integerValue, let state = fields["state"]?.stringValue.flatMap(State.init) else {
      return nil
    }
    self.init(
      job: job, state: state, age: fields["age"]?.numberValue ?? 0, duration: fields["duration"]?.numberValue ?? 0,
      cpu: fields["cpu"]?.numberValue, source: fields["source"]?.stringValue ?? "",
      owner: fields["owner"]?.stringValue ?? "", output: fields["output"]?.integerValue ?? 0,
      dropped: fields["dropped"]?.integerValue ?? 0)
  }
}
