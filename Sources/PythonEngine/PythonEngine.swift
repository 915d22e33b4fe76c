// The Python engine: sessions, their threads, and the workers that touch the interpreter for the event loop.
internal import CPython
internal import CProcessHooks
internal import ReplServer
internal import Shared
internal import Synchronization

/// Serves a CPython process. The event loop calls it and never waits: what needs the interpreter is queued for
/// a worker thread, and what runs user code for the session's own thread.
///
/// Every thread that runs Python is a daemon `threading.Thread` made by the package's Python side, so that it has
/// a name and an identity there and the interpreter knows how to end without it.
final class PythonEngine: Engine {
  /// Numbers of `serve`: a session's, or one of these.
  enum ThreadKind {
    static let worker = 0
    /// Answers what may take its time: completions and documentation.
    static let inquirer = -1
  }

  /// Milliseconds that `stop` waits for threads that may be stuck in a call that nothing interrupts.
  static let stopMilliseconds = 500
  /// Inquiries that may wait; more than that are answered with nothing.
  private static let queuedInquiries = 64

  private struct State {
    var sessions: [SessionID: PythonSession] = [:]
    /// Those whose evaluation has become a job, while it runs.
    var moved: [ObjectIdentifier: PythonSession] = [:]
    /// Sessions whose thread went with a job, and that may have no other: the Python side still knows them.
    var orphans: Set<SessionID> = []
    /// The windows of the clients of sessions, as far as they have any.
    var windows: [SessionID: WindowSize] = [:]
    /// By their threads, those that evaluate: which one a write belongs to.
    var threads: [UInt: PythonSession] = [:]
    var hasInquirer = false
    /// The threads of `serve`, by the kernel's number, and what each is for.
    var roles: [Int: String] = [:]
    var isStopping = false
  }

  let identity: EngineIdentity
  let hooks: PythonHooks
  let jobs: PythonJobs
  let interruptions = Interruptions()
  let strike: Strike
  private let state = Mutex(State())
  let worker = WorkQueue()
  private let inquirer = WorkQueue(limit: queuedInquiries)
  /// Threads that are in `serve`, or are about to be.
  private let threadCount = Monitor(0)

  init(identity: EngineIdentity, hooks: PythonHooks, jobs: PythonJobs) {
    self.identity = identity
    self.hooks = hooks
    self.jobs = jobs
    strike = Strike(version: identity.languageVersion)
  }

  // MARK: Engine

  func evaluate(_ evaluation: Evaluation, completion: @escaping @Sendable (EvaluationResult) -> Void) {
    let session = state.withLock { state -> PythonSession? in
      guard !state.isStopping else { return nil }
      if let session = state.sessions[evaluation.session] { return session }
      let session = PythonSession(id: evaluation.session, streams: evaluation.streams)
      state.sessions[evaluation.session] = session
      return session
    }
    guard let session else { return completion(.success(EvaluationReport(.ended))) }
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

  func background(session id: SessionID, evaluation number: Int, as job: Job) -> EngineUnavailable? {
    guard let session = session(id) else { return EngineUnavailable("The evaluation is over.") }
    // Entered first: the evaluation may end at any time, and its thread takes out what it finds.
    jobs.adopt(job.number, session)
    state.withLock { $0.moved[ObjectIdentifier(session)] = session }
    if let failure = session.become(job, evaluation: number) {
      jobs.forget(job.number)
      state.withLock { $0.moved[ObjectIdentifier(session)] = nil }
      return failure
    }
    state.withLock { state in
      state.sessions[id] = nil
      state.orphans.insert(id)
    }
    // The host's list of jobs has it as soon as the interpreter can be had.
    _ = worker.add { [hooks] gil in
      do throws(PythonError) {
        _ = try hooks.adopt.call([.integer(job.number), .string(job.source)], gil)
      } catch {
        Python.reportUnraisable(error)
      }
    }
    return nil
  }

  func listen(_ isWanted: Bool) {
    _ = worker.add { [hooks] gil in
      do throws(PythonError) {
        _ = try hooks.listen.call([.bool(isWanted)], gil)
      } catch {
        Python.reportUnraisable(error)
      }
    }
  }

  func resize(session id: SessionID, to size: WindowSize) { state.withLock { $0.windows[id] = size } }

  func windowSize(of id: SessionID) -> WindowSize? { state.withLock { $0.windows[id] } }

  func session(_ id: SessionID) -> PythonSession? { state.withLock { $0.sessions[id] } }

  /// The session that runs an evaluation, also when that has become a job.
  func session(_ id: SessionID, evaluating number: Int) -> PythonSession? {
    let all = state.withLock { state in
      [state.sessions[id]].compactMap { $0 } + state.moved.values.filter { $0.id == id }
    }
    return all.first { $0.isEvaluating(number) }
  }

  /// Has the inquirer do something; it is started with the first such work.
  /// - Returns: false when too much waits already.
  func inquire(_ work: @escaping WorkQueue.Work) -> Bool {
    guard inquirer.add(work) else { return false }
    let needsThread = state.withLock { state in
      defer { state.hasInquirer = true }
      return !state.hasInquirer
    }
    guard needsThread else { return true }
    _ = worker.add { [self] gil in
      do throws(PythonError) {
        try spawn(ThreadKind.inquirer, gil)
      } catch {
        Python.reportUnraisable(error)
        state.withLock { $0.hasInquirer = false }
      }
    }
    return true
  }

  func close(session id: SessionID) {
    let (session, isOrphan) = state.withLock { state -> (PythonSession?, Bool) in
      state.windows[id] = nil
      return (state.sessions.removeValue(forKey: id), state.orphans.remove(id) != nil)
    }
    guard let session else {
      guard isOrphan else { return }
      _ = worker.add { [hooks] gil in
        do throws(PythonError) { _ = try hooks.forget.call([.integer(id)], gil) } catch {
          Python.reportUnraisable(error)
        }
      }
      return
    }
    if session.close() {
      _ = worker.add { [self] gil in _ = interrupt(session, nil, gil) }
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
    inquirer.close()
    let haveEnded = gil.detached {
      threadCount.wait(milliseconds: Self.stopMilliseconds) { count -> Void? in count <= 0 ? () : nil } != nil
    }
    hooks.release(gil)
    process_hooks_forget_strikes()
    return haveEnded
  }

  // MARK: threads

  /// The body of every thread the Python side starts for us.
  func serve(_ kind: Int, thread: UInt, _ gil: inout GIL) {
    let kernelThread = Self.kernelThread
    state.withLock { $0.roles[kernelThread] = kind > 0 ? "session \(kind)" : "server" }
    defer {
      state.withLock { $0.roles[kernelThread] = nil }
      threadCount.signal { $0 -= 1 }
    }
    switch kind {
    case ThreadKind.worker: worker.run(&gil)
    case ThreadKind.inquirer: inquirer.run(&gil)
    default: serveSession(kind, thread: thread, &gil)
    }
  }

  /// What the calling thread was started for. One session may have several threads on their way, when evaluations
  /// became jobs before they had begun.
  private func claim(_ id: SessionID) -> PythonSession? {
    let (moved, current) = state.withLock { state in
      (state.moved.values.filter { $0.id == id }, state.sessions[id])
    }
    let all = moved + [current, lingering.withLock { $0[id] }].compactMap { $0 }
    return all.first { $0.claim() }
  }

  private func serveSession(_ id: SessionID, thread: UInt, _ gil: inout GIL) {
    guard let session = claim(id) else { return }
    state.withLock { $0.threads[thread] = session }
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
        let result = run(evaluation, gil)
        session.end(gil)
        if let job = session.job { settle(job, result, gil) }
        completion(result)
      }
    }
    state.withLock { state in
      state.threads[thread] = nil
      state.moved[ObjectIdentifier(session)] = nil
    }
    // A thread that was stuck while the server stopped comes here when everything has been put back already.
    if !hooks.closed.isReleased(gil) {
      do throws(PythonError) {
        _ = try hooks.closed.call([.integer(id), .bool(session.job != nil)], gil)
      } catch {
        Python.reportUnraisable(error)
      }
    }
    lingering.withLock { $0[id] = nil }
  }

  /// What was evaluated has become a job, and is over.
  private func settle(_ job: Job, _ result: EvaluationResult, _ gil: borrowing GIL) {
    var outcome = JobReport.State.failed
    if case .success(let report) = result {
      switch report.outcome {
      case .value, .ended, .incomplete: outcome = .done
      case .interrupted: outcome = .interrupted
      case .exception, .abandoned, .backgrounded: outcome = .failed
      }
      if let exception = report.exception { job.write(Array(exception.traceback.utf8), to: .standardError) }
    }
    // The server may have stopped meanwhile; a job outlives it.
    if !hooks.settle.isReleased(gil) {
      do throws(PythonError) {
        _ = try hooks.settle.call([.integer(job.number), .string(job.source), .string(outcome.rawValue)], gil)
      } catch {
        Python.reportUnraisable(error)
      }
    }
    jobs.forget(job.number)
    jobs.end(job.number, outcome)
  }

  private func run(_ evaluation: Evaluation, _ gil: borrowing GIL) -> EvaluationResult {
    let started = ContinuousClock.now
    do throws(PythonError) {
      let (source, kind) = Self.source(of: evaluation)
      let result = try hooks.run.call(
        [
          .integer(evaluation.session), .integer(evaluation.number), .string(source), .integer(kind),
          .bool(evaluation.presentation == .structured), .bool(evaluation.place == .main),
          .integer(evaluation.loop ?? -1),
        ], gil)
      return unsafe try PythonAnswer.result(
        result.pointer, duration: (.now - started).seconds, gil)
    } catch {
      // The Python side reports what user code raises. What arrives here was raised outside of it: an
      // interrupt that came as the evaluation was already on its way out.
      Python.raise(error)
      let isInterrupt = unsafe PyErr_ExceptionMatches(cpython_KeyboardInterrupt()) != 0
      if isInterrupt { PyErr_Clear() } else { PyErr_WriteUnraisable(nil) }
      let text = isInterrupt ? "KeyboardInterrupt\n" : "replserve: the evaluation failed inside the server\n"
      if evaluation.presentation == .text || !isInterrupt {
        _ = evaluation.streams.write(Array(text.utf8), to: .standardError)
      }
      return .success(
        EvaluationReport(isInterrupt ? .interrupted : .exception, duration: (.now - started).seconds))
    }
  }

  /// The text of a source, and its kind as the numbers in sessions.py have it.
  private static func source(of evaluation: Evaluation) -> (text: String, kind: Int) {
    switch evaluation.source {
    case .block(let text, let isFinal): (text, isFinal ? 1 : 0)
    case .script(let text): (text, 2)
    case .result(let job): (String(job), 3)
    }
  }

  /// The kernel's number of the calling thread.
  static var kernelThread: Int { Int(process_hooks_thread_id()) }

  var ownThreads: [Int: String] {
    state.withLock { $0.roles }.merging(jobs.threadRoles) { _, job in job }
  }

  /// The worker is asked for what is urgent, so it is what waits for the interpreter first.
  var waitingSince: ContinuousClock.Instant? { worker.waitingSince }

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
  /// An evaluation that has become a job writes from its own thread, which tells it from the session's next one; one
  /// that is in the main thread is known by its session.
  func streams(of id: SessionID) -> (any EvaluationStreams)? {
    let thread = UInt(PyThread_get_thread_ident())
    let session = state.withLock { state -> PythonSession? in
      // Only its own: streams of other sessions are closed in whatever thread lets go of them.
      if let mine = state.threads[thread], mine.id == id { return mine }
      return state.sessions[id]
    }
    return (session ?? lingering.withLock { $0[id] })?.streams
  }

  /// A wait was cut short by an interrupt: raises it, if it has not been raised elsewhere already.
  func raiseInterrupt(_ gil: borrowing GIL) throws(PythonError) { _ = try hooks.checkpoint.call([], gil) }

  /// Sessions that have ended while their thread has not: its evaluation still writes, to nowhere.
  private let lingering = Mutex<[SessionID: PythonSession]>([:])
}
