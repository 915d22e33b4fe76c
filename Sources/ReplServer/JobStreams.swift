// The job's streams: what an evaluation writes to once it is a job.

/// Output is kept with the job and never waits; there is no input.
public final class JobStreams: EvaluationStreams {
  private let job: Job

  public init(_ job: Job) { self.job = job }

  public func write(_ bytes: some Collection<UInt8>, to stream: OutputStream) -> Int {
    job.write(bytes, to: stream)
    return bytes.count
  }

  public func readLine(isHidden: Bool) -> InputLine { .endOfInput }

  public var takesPages: Bool { false }

  public func endPage() {}

  public func beginEvaluation() {}

  public func interrupt() {}

  public func endInput() {}
}
