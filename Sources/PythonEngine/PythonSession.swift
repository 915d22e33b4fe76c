// The Python session: the thread that evaluates for one session, and what may interrupt it.
internal import CPython
internal import ReplServer

/// One session of the engine. Its thread is a `threading.Thread`, made when the first block arrives and kept
/// until the session ends, so that thread-local state of the user's code lives as long.
final class PythonSession: Sendable {
  typealias Completion = @Sendable (Outcome) -> Void

  /// What the thread does next.
  enum Next: Sendable {
    case evaluate(Evaluation, Completion)
    case end
  }

  private struct State {
    var queued: (Evaluation, Completion)?
    var running: Int?
    /// What `threading.get_ident()` gives in the session's thread.
    var thread: UInt?
    var isClosed = false
    var isThreadRequested = false
  }

  let id: SessionID
  let streams: SessionStreams
  private let monitor = Monitor(State())

  init(id: SessionID, streams: SessionStreams) {
    self.id = id
    self.streams = streams
  }

  /// Hands a block to the thread.
  /// - Returns: whether the session needs its thread to be started.
  func queue(_ evaluation: Evaluation, completion: @escaping Completion) -> Bool {
    let (isTaken, needsThread) = monitor.signal { state -> (Bool, Bool) in
      guard !state.isClosed else { return (false, false) }
      state.queued = (evaluation, completion)
      defer { state.isThreadRequested = true }
      return (true, !state.isThreadRequested)
    }
    if !isTaken { completion(.endOfSession) }
    return needsThread
  }

  /// There is no thread to be had: the queued block is answered, and the next one tries again.
  func threadFailed(_ reason: String) {
    let queued = monitor.withLock { state -> (Evaluation, Completion)? in
      defer { state.queued = nil }
      state.isThreadRequested = false
      return state.queued
    }
    queued?.1(.unavailable(reason))
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
      state.thread = thread
      streams.beginEvaluation()
      return true
    }
  }

  /// The evaluation is over. An interrupt that was sent but has not been raised yet is taken back, so that it
  /// never hits anything later: both sides hold the interpreter, hence no interrupt comes between.
  func end(_ gil: borrowing GIL) {
    let thread = monitor.withLock { state -> UInt? in
      state.running = nil
      return state.thread
    }
    if let thread { _ = PyThreadState_SetAsyncExc(thread, nil) }
  }

  /// Raises KeyboardInterrupt in the evaluation, if it still is the one that is meant.
  /// - Parameter number: which one; nil means whatever runs now.
  func interrupt(_ number: Int?, _ gil: borrowing GIL) -> InterruptOutcome {
    let (outcome, cancelled) = monitor.withLock { state -> (InterruptOutcome, Completion?) in
      if let running = state.running, number == nil || number == running, let thread = state.thread {
        _ = unsafe PyThreadState_SetAsyncExc(thread, cpython_KeyboardInterrupt())
        return (.interrupted, nil)
      }
      if let (evaluation, completion) = state.queued, number == nil || number == evaluation.number {
        state.queued = nil
        return (.interrupted, completion)
      }
      return (.stale, nil)
    }
    if case .interrupted = outcome { streams.interrupt() }
    if let cancelled {
      _ = streams.write(Array("KeyboardInterrupt\n".utf8), to: .standardError)
      cancelled(.interrupted)
    }
    return outcome
  }

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
