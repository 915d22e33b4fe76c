// The Python jobs: the threads that run jobs, and what may interrupt them.
internal import CPython
internal import ReplServer
internal import Shared
internal import Synchronization

/// The jobs of the process and their threads. They outlive the server that started them.
final class PythonJobs: Sendable {
  /// What runs a job now.
  private struct Runner {
    /// What `threading.get_ident()` gives in its thread; nil while that waits for an event loop.
    var thread: UInt?
    let kernelThread: Int
  }

  let table = JobTable()
  /// The jobs that were evaluations of a session, and go on in the thread of that.
  private let adopted = Mutex<[Int: PythonSession]>([:])
  private let runners = Mutex<[Int: Runner]>([:])
  /// The jobs that were interrupted before their threads had begun with them.
  private let doomed = Mutex<Set<Int>>([])

  /// Runs a job's body in the calling thread; meanwhile, and at no other time, an interrupt can reach it.
  @_lifetime(borrow gil)
  func run(_ number: Int, thread: UInt, body: Callable, _ gil: borrowing GIL) throws(PythonError) -> Reference {
    table.job(number)?.begin()
    if doomed.withLock({ $0.remove(number) != nil }) {
      unsafe PyErr_SetString(cpython_KeyboardInterrupt(), "")
      throw .isSet
    }
    runners.withLock { $0[number] = Runner(thread: thread, kernelThread: PythonEngine.kernelThread) }
    defer {
      // An interrupt that was sent and not raised is taken back. The interpreter is held: none comes in between.
      runners.withLock { $0[number] = nil }
      _ = PyThreadState_SetAsyncExc(thread, nil)
    }
    return try body.call([], gil)
  }

  /// Raises KeyboardInterrupt in a job.
  func interrupt(_ number: Int, _ gil: borrowing GIL) -> PythonSession.Interrupt {
    if let session = adopted.withLock({ $0[number] }) { return session.interrupt(nil, gil) }
    guard let runner = runners.withLock({ $0[number] }) else {
      // Its thread has not begun with it, or is done with it. Both hold the interpreter while they say so.
      guard let job = table.job(number), job.isAwaited else { return .outcome(.stale) }
      doomed.withLock { _ = $0.insert(number) }
      return .outcome(.interrupted)
    }
    guard let thread = runner.thread else { return .elsewhere(session: 0, number: number) }
    _ = unsafe PyThreadState_SetAsyncExc(thread, cpython_KeyboardInterrupt())
    return .outcome(.interrupted)
  }

  /// A job waits, in its thread, for an event loop; or, given that thread, does so no more. An interrupt that was not
  /// raised is taken back.
  func move(_ number: Int, to thread: UInt?, _ gil: borrowing GIL) {
    let left = runners.withLock { runners -> UInt? in
      defer { runners[number]?.thread = thread }
      return runners[number]?.thread
    }
    if let left { _ = PyThreadState_SetAsyncExc(left, nil) }
  }

  /// A job is over.
  func end(_ number: Int, _ state: JobReport.State) {
    doomed.withLock { _ = $0.remove(number) }
    guard let job = table.job(number) else { return }
    job.end(state)
    table.finish(job)
  }

  /// A session's evaluation has become a job; `forget` ends that.
  func adopt(_ number: Int, _ session: PythonSession) { adopted.withLock { $0[number] = session } }

  func forget(_ number: Int) { adopted.withLock { $0[number] = nil } }

  /// Where a job is: the session and the evaluation it was, or 0 and its own number, and its thread, as
  /// `threading.get_ident()` has it, if it runs in one.
  func place(of number: Int) -> (session: SessionID, number: Int, thread: UInt?) {
    if let session = adopted.withLock({ $0[number] }) { return (session.id, session.running ?? 0, session.thread) }
    return (0, number, runners.withLock { $0[number]?.thread })
  }

  /// What each thread that runs a job is for, by the kernel's number of it.
  var threadRoles: [Int: String] {
    runners.withLock { runners in
      var roles: [Int: String] = [:]
      for (number, runner) in runners { roles[runner.kernelThread] = "job %\(number)" }
      return roles
    }
  }
}
