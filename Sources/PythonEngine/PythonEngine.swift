// The Python engine: sessions, their threads, and the workers that touch the interpreter for the event loop.
internal import CPython
internal import ReplServer
internal import Synchronization

/// Serves a CPython process. The event loop calls it and never waits: what needs the interpreter is queued for
/// a worker thread, and what runs user code for the session's own thread.
///
/// Every thread that runs Python is a daemon `threading.Thread` made by the package's Python side, so that it has
/// a name and an identity there and the interpreter knows how to end without it.
final class PythonEngine: Engine {
  /// What the Python side is asked to do.
  struct Hooks: Sendable {
    /// spawn(kind): starts a thread that calls `_native.serve(kind)`.
    let spawn: Callable
    /// opened(session): the session's thread has started; nothing can interrupt it yet.
    let opened: Callable
    /// run(session, number, source, is_final) -> an `OutcomeCode`.
    let run: Callable
    /// complete(text) -> a list of str.
    let complete: Callable
    /// closed(session): the session's thread is about to end.
    let closed: Callable
    /// halted(): the last session has ended after halt().
    let halted: Callable
    /// checkpoint(): does nothing, in Python, where an interrupt that is due is raised.
    let checkpoint: Callable

    var all: [Callable] { [spawn, opened, run, complete, closed, halted, checkpoint] }
  }

  /// Numbers of `serve`: a session's, or one of these.
  enum ThreadKind {
    static let worker = 0
    static let completer = -1
  }

  /// Milliseconds that `stop` waits for threads that may be stuck in a call that nothing interrupts.
  static let stopMilliseconds = 500
  /// Completion requests that may wait; more than that are answered with nothing.
  private static let queuedCompletions = 64

  private struct State {
    var sessions: [SessionID: PythonSession] = [:]
    var hasCompleter = false
    var isStopping = false
  }

  let identity: EngineIdentity
  private let hooks: Hooks
  private let state = Mutex(State())
  private let worker = WorkQueue()
  private let completer = WorkQueue(limit: queuedCompletions)
  /// Threads that are in `serve`, or are about to be.
  private let threadCount = Monitor(0)

  init(identity: EngineIdentity, hooks: Hooks) {
    self.identity = identity
    self.hooks = hooks
  }

  // MARK: Engine

  func evaluate(_ evaluation: Evaluation, completion: @escaping @Sendable (Outcome) -> Void) {
    let session = state.withLock { state -> PythonSession? in
      guard !state.isStopping else { return nil }
      if let session = state.sessions[evaluation.session] { return session }
      let session = PythonSession(id: evaluation.session, streams: evaluation.streams)
      state.sessions[evaluation.session] = session
      return session
    }
    guard let session else { return completion(.endOfSession) }
    guard session.queue(evaluation, completion: completion) else { return }
    let isQueued = worker.add { [self] gil in
      do throws(PythonError) {
        try spawn(session.id, gil)
      } catch {
        Python.reportUnraisable(error)
        session.threadFailed("no thread can be started for this session; try again later")
        lingering.withLock { $0[session.id] = nil }
      }
    }
    if !isQueued { session.threadFailed("the server is stopping") }
  }

  func interrupt(
    session id: SessionID, evaluation number: Int, completion: @escaping @Sendable (InterruptOutcome) -> Void
  ) {
    guard let session = state.withLock({ $0.sessions[id] }) else { return completion(.stale) }
    if !worker.add({ completion(session.interrupt(number, $0)) }) { completion(.stale) }
  }

  func complete(_ text: String, completion: @escaping @Sendable ([String]) -> Void) {
    let isQueued = completer.add { [self] gil in completion(candidates(for: text, gil)) }
    guard isQueued else { return completion([]) }
    let needsThread = state.withLock { state in
      defer { state.hasCompleter = true }
      return !state.hasCompleter
    }
    guard needsThread else { return }
    _ = worker.add { [self] gil in
      do throws(PythonError) {
        try spawn(ThreadKind.completer, gil)
      } catch {
        Python.reportUnraisable(error)
        state.withLock { $0.hasCompleter = false }
      }
    }
  }

  func close(session id: SessionID) {
    guard let session = state.withLock({ $0.sessions.removeValue(forKey: id) }) else { return }
    if session.close() {
      _ = worker.add { _ = session.interrupt(nil, $0) }
    } else {
      session.streams.interrupt()
    }
    if session.hasThread { lingering.withLock { $0[id] = session } }
  }

  func serverHalted() {
    _ = worker.add { [hooks] gil in
      do throws(PythonError) { _ = try hooks.halted.call([], gil) } catch { Python.reportUnraisable(error) }
    }
  }

  // MARK: life cycle

  /// Starts the worker.
  func start(_ gil: borrowing GIL) throws(PythonError) { try spawn(ThreadKind.worker, gil) }

  /// Interrupts what runs, ends the threads and waits for them, without the interpreter, for a bounded time.
  /// A thread that is stuck in C is left to itself: it ends when its call returns.
  /// - Returns: whether all have ended.
  func stop(_ gil: inout GIL) -> Bool {
    let sessions = state.withLock { state in
      state.isStopping = true
      return Array(state.sessions.keys)
    }
    for session in sessions { close(session: session) }
    worker.close()
    completer.close()
    let haveEnded = gil.detached {
      threadCount.wait(milliseconds: Self.stopMilliseconds) { count -> Void? in count <= 0 ? () : nil } != nil
    }
    for hook in hooks.all { hook.release(gil) }
    return haveEnded
  }

  // MARK: threads

  /// The body of every thread the Python side starts for us.
  func serve(_ kind: Int, thread: UInt, _ gil: inout GIL) {
    defer { threadCount.signal { $0 -= 1 } }
    switch kind {
    case ThreadKind.worker: worker.run(&gil)
    case ThreadKind.completer: completer.run(&gil)
    default: serveSession(kind, thread: thread, &gil)
    }
  }

  private func serveSession(_ id: SessionID, thread: UInt, _ gil: inout GIL) {
    guard let session = state.withLock({ $0.sessions[id] }) ?? lingering.withLock({ $0[id] }) else { return }
    do throws(PythonError) {
      _ = try hooks.opened.call([.integer(id)], gil)
    } catch {
      Python.reportUnraisable(error)
    }
    loop: while true {
      switch gil.detached({ session.next() }) {
      case .end: break loop
      case .evaluate(let evaluation, let completion):
        guard session.begin(evaluation, thread: thread, gil) else { continue }
        let outcome = run(evaluation, gil)
        session.end(gil)
        completion(outcome)
      }
    }
    // A thread that was stuck while the server stopped comes here when everything has been put back already.
    if !hooks.closed.isReleased(gil) {
      do throws(PythonError) {
        _ = try hooks.closed.call([.integer(id)], gil)
      } catch {
        Python.reportUnraisable(error)
      }
    }
    lingering.withLock { $0[id] = nil }
  }

  private func run(_ evaluation: Evaluation, _ gil: borrowing GIL) -> Outcome {
    do throws(PythonError) {
      let result = try hooks.run.call(
        [
          .integer(evaluation.session), .integer(evaluation.number), .string(evaluation.source),
          .bool(evaluation.isFinal),
        ], gil)
      return OutcomeCode(rawValue: try unsafe Python.integer(result.pointer))?.outcome ?? .exception
    } catch {
      // The Python side reports what user code raises. What arrives here was raised outside of it: an
      // interrupt that came as the evaluation was already on its way out.
      Python.raise(error)
      let isInterrupt = unsafe PyErr_ExceptionMatches(cpython_KeyboardInterrupt()) != 0
      if isInterrupt { PyErr_Clear() } else { PyErr_WriteUnraisable(nil) }
      let text = isInterrupt ? "KeyboardInterrupt\n" : "replserve: the evaluation failed inside the server\n"
      _ = evaluation.streams.write(Array(text.utf8), to: .standardError)
      return isInterrupt ? .interrupted : .exception
    }
  }

  private func spawn(_ kind: Int, _ gil: borrowing GIL) throws(PythonError) {
    threadCount.signal { $0 += 1 }
    do throws(PythonError) {
      _ = try hooks.spawn.call([.integer(kind)], gil)
    } catch {
      threadCount.signal { $0 -= 1 }
      throw error
    }
  }

  /// The streams that output of a session's thread goes to, even while the session is on its way out.
  func streams(of id: SessionID) -> SessionStreams? {
    (state.withLock { $0.sessions[id] } ?? lingering.withLock { $0[id] })?.streams
  }

  /// A wait was cut short by an interrupt: raises it, if it has not been raised elsewhere already.
  func raiseInterrupt(_ gil: borrowing GIL) throws(PythonError) { _ = try hooks.checkpoint.call([], gil) }

  private func candidates(for text: String, _ gil: borrowing GIL) -> [String] {
    do throws(PythonError) {
      let list = try hooks.complete.call([.string(text)], gil)
      let count = unsafe PyList_Size(list.pointer)
      var candidates: [String] = []
      for index in 0..<max(count, 0) {
        let item = unsafe PyList_GetItem(list.pointer, index)
        candidates.append(try unsafe Python.string(item, gil))
      }
      return candidates
    } catch {
      Python.raise(error)
      PyErr_Clear()
      return []
    }
  }

  /// Sessions that have ended while their thread has not: its evaluation still writes, to nowhere.
  private let lingering = Mutex<[SessionID: PythonSession]>([:])
}

/// What the Python side returns from `run`.
enum OutcomeCode: Int {
  case value = 0
  case exception = 1
  case incomplete = 2
  case interrupted = 3
  case endOfSession = 4

  var outcome: Outcome {
    switch self {
    case .value: .value
    case .exception: .exception
    case .incomplete: .incomplete
    case .interrupted: .interrupted
    case .endOfSession: .endOfSession
    }
  }
}
