// The Python session: the thread that evaluates for one session, and what may interrupt it.
internal import CPython
internal import ReplServer
internal import Shared

/// One session of the engine. Its thread is a `threading.Thread`, made when the first block arrives and kept
/// until the session ends, so that thread-local state of the user's code lives as long.
final class PythonSession: Sendable {
  typealias Completion = @Sendable (EvaluationResult) -> Void

  /// What the thread does next.
  enum Next: Sendable {
    case evaluate(Evaluation, Completion)
    case end
  }

  private struct State {
    var queued: (Evaluation, Completion)?
    var running: Int?
    /// The thread that evaluates; nil while the main thread has not begun to, and while it waits for an event loop.
    var runner: Runner?
    /// Those of the evaluation that runs, or of the last one.
    var streams: any EvaluationStreams
    /// The kernel's number of the session's own thread.
    var kernelThread: Int?
    /// Where it runs.
    var place = Evaluation.Place.session
    /// The job that its evaluation has become: it is the last one of its thread.
    var job: Job?
    var isClosed = false
    var isThreadRequested = false
    /// Whether a thread has taken it for its own.
    var isClaimed = false

    /// The running evaluation writes to its job from now on, and nothing runs on this thread after it.
    mutating func move(to job: Job) {
      job.begin(thread: kernelThread)
      streams = JobStreams(job)
      isClosed = true
    }
  }

  /// What an interrupt of the engine came to.
  enum Interrupt {
    case outcome(InterruptOutcome)
    /// What is meant is in no thread that can be told: the main thread has not begun with it, or an event loop runs
    /// what it awaits. Session 0 stands for a job, whose number it is then.
    case elsewhere(session: SessionID, number: Int)
  }

  let id: SessionID
  private let monitor: Monitor<State>

  init(id: SessionID, streams: any EvaluationStreams) {
    self.id = id
    monitor = Monitor(State(streams: streams))
  }

  var streams: any EvaluationStreams { monitor.withLock { $0.streams } }

  /// Hands a block to the thread.
  /// - Returns: whether the session needs its thread to be started.
  func queue(_ evaluation: Evaluation, completion: @escaping Completion) -> Bool {
    let (isTaken, needsThread) = monitor.signal { state -> (Bool, Bool) in
      guard !state.isClosed else { return (false, false) }
      state.queued = (evaluation, completion)
      defer { state.isThreadRequested = true }
      return (true, !state.isThreadRequested)
    }
    if !isTaken { completion(.success(EvaluationReport(.ended))) }
    return needsThread
  }

  /// There is no thread to be had: the queued block is answered, and the next one tries again.
  func threadFailed(_ reason: String) {
    let queued = monitor.withLock { state -> (Evaluation, Completion)? in
      defer { state.queued = nil }
      state.isThreadRequested = false
      return state.queued
    }
    queued?.1(.failure(EngineUnavailable(reason)))
  }

  /// Waits, without the interpreter, for the next block.
  func next() -> Next {
    monitor.wait { state -> Next? in
      if state.isClosed {
        state.queued = nil
        return .end
      }
      guard let (evaluation, completion) = state.queued else { return nil }
      return .evaluate(evaluation, completion)
    }
  }

  /// The queued evaluation starts in the calling thread. Between this and `end` an interrupt can hit it.
  /// - Returns: false when it was interrupted before it started, or the session has ended.
  func begin(_ evaluation: Evaluation, thread: UInt, _ gil: borrowing GIL) -> Bool {
    monitor.withLock { state in
      guard !state.isClosed, state.queued?.0.number == evaluation.number else { return false }
      state.queued = nil
      state.running = evaluation.number
      let runner = Runner(thread: thread, gil)
      StruckThreads.forget(thread)
      state.runner = evaluation.place == .main ? nil : runner
      state.kernelThread = runner.kernelThread
      state.place = evaluation.place
      state.streams = evaluation.streams
      evaluation.streams.beginEvaluation()
      // It became a job before it had begun.
      if let job = state.job { state.move(to: job) }
      return true
    }
  }

  /// The running evaluation goes on in the calling thread: `threading.get_ident()` of it, or nil when it has left that
  /// one. An interrupt that was not raised there is taken back.
  func move(to thread: UInt?, _ gil: borrowing GIL) {
    let runner = thread.map { Runner(thread: $0, gil) }
    let left = monitor.withLock { state -> Runner? in
      guard state.running != nil else { return nil }
      defer { state.runner = runner }
      return state.runner
    }
    if let left { Self.takeBack(from: left.thread, gil) }
    if let thread { StruckThreads.forget(thread) }
  }

  /// Takes everything back that was sent to a thread and has not come there.
  static func takeBack(from thread: UInt, _ gil: borrowing GIL) {
    AsynchronousInterrupt.withdraw(from: thread, gil)
    PendingInterrupts.withdraw(thread, gil)
    StruckThreads.forget(thread)
  }

  /// The running evaluation becomes a job. The session's next evaluation needs another thread.
  /// - Returns: why that cannot be; nil when it was done.
  func become(_ job: Job, evaluation number: Int) -> EngineUnavailable? {
    monitor.signal { state in
      let isQueued = state.queued?.0.number == number
      guard isQueued || state.running == number, !state.isClosed, state.job == nil else {
        return EngineUnavailable("The evaluation is over.")
      }
      guard (isQueued ? state.queued?.0.place : state.place) == .session else {
        return EngineUnavailable("What the main thread evaluates cannot be made a job.")
      }
      state.job = job
      if !isQueued { state.move(to: job) }
      return nil
    }
  }

  /// Takes the session for the calling thread.
  /// - Returns: false when it has a thread already.
  func claim() -> Bool {
    monitor.withLock { state in
      defer { state.isClaimed = true }
      return !state.isClaimed
    }
  }

  /// The job that its evaluation has become.
  var job: Job? { monitor.withLock { $0.job } }

  /// The evaluation is over. An interrupt that was sent but has not been raised yet is taken back, so that it
  /// never hits anything later: both sides hold the interpreter, hence no interrupt comes between.
  func end(_ gil: borrowing GIL) {
    let runner = monitor.withLock { state -> Runner? in
      state.running = nil
      defer { state.runner = nil }
      return state.runner
    }
    if let runner { Self.takeBack(from: runner.thread, gil) }
  }

  /// Raises KeyboardInterrupt in the evaluation, if it still is the one that is meant.
  /// - Parameter number: which one; nil means whatever runs now.
  func interrupt(_ number: Int?, _ gil: borrowing GIL) -> Interrupt {
    let (interrupt, streams, cancelled) = monitor.withLock {
      state -> (Interrupt, (any EvaluationStreams)?, (Evaluation, Completion)?) in
      if let running = state.running, number == nil || number == running {
        guard let runner = state.runner else { return (.elsewhere(session: id, number: running), nil, nil) }
        AsynchronousInterrupt.raise(in: runner.thread, gil)
        return (.outcome(.interrupted), state.streams, nil)
      }
      if let queued = state.queued, number == nil || number == queued.0.number {
        state.queued = nil
        return (.outcome(.interrupted), nil, queued)
      }
      return (.outcome(.stale), nil, nil)
    }
    streams?.interrupt()
    if let (evaluation, completion) = cancelled {
      if case .text = evaluation.presentation {
        _ = evaluation.streams.write(Array("KeyboardInterrupt\n".utf8), to: .standardError)
      }
      completion(.success(EvaluationReport(.interrupted)))
    }
    return interrupt
  }

  /// Whether it is that evaluation that runs.
  func isEvaluating(_ number: Int) -> Bool { monitor.withLock { $0.running == number } }

  /// The thread that evaluates; nil when the evaluation does not run.
  /// - Parameter number: which evaluation; nil for whatever runs.
  func runner(of number: Int?) -> Runner? {
    monitor.withLock { state in
      guard let running = state.running, number == nil || number == running else { return nil }
      return state.runner
    }
  }

  /// The evaluation that runs.
  var running: Int? { monitor.withLock { $0.running } }

  /// The session ends. Its thread is told so, and comes to an end once nothing runs on it.
  /// - Returns: whether an evaluation still runs.
  func close() -> Bool {
    monitor.signal { state in
      state.isClosed = true
      return state.running != nil
    }
  }

  var hasThread: Bool { monitor.withLock { $0.isThreadRequested } }
}
