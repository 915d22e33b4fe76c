// The Python jobs: the threads that run jobs, and what may interrupt them.
internal import CPython
internal import ReplServer
internal import Shared
internal import Synchronization

/// The jobs of the process and their threads. They outlive the server that started them.
final class PythonJobs: Sendable {
  /// What runs a job.
  private struct Entry {
    /// Its thread; nil while that waits for an event loop.
    var runner: Runner?
    let kernelThread: Int
  }

  let table = JobTable()
  /// The jobs that were evaluations of a session, and go on in the thread of that.
  private let adopted = Mutex<[Int: PythonSession]>([:])
  private let entries = Mutex<[Int: Entry]>([:])
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
    let runner = Runner(thread: thread, gil)
    StruckThreads.forget(thread)
    entries.withLock { $0[number] = Entry(runner: runner, kernelThread: runner.kernelThread) }
    defer {
      // An interrupt that was sent and not raised is taken back. The interpreter is held: none comes in between.
      entries.withLock { $0[number] = nil }
      PythonSession.takeBack(from: thread, gil)
    }
    return try body.call([], gil)
  }

  /// Raises KeyboardInterrupt in a job.
  func interrupt(_ number: Int, _ gil: borrowing GIL) -> PythonSession.Interrupt {
    if let session = adopted.withLock({ $0[number] }) { return session.interrupt(nil, gil) }
    guard let entry = entries.withLock({ $0[number] }) else {
      // Its thread has not begun with it, or is done with it. Both hold the interpreter while they say so.
      guard let job = table.job(number), job.isAwaited else { return .outcome(.stale) }
      doomed.withLock { _ = $0.insert(number) }
      return .outcome(.interrupted)
    }
    guard let runner = entry.runner else { return .elsewhere(session: 0, number: number) }
    AsynchronousInterrupt.raise(in: runner.thread, gil)
    return .outcome(.interrupted)
  }

  /// A job waits, in the calling thread, for an event loop; or, given that thread, does so no more. An interrupt that was
  /// not raised is taken back.
  func move(_ number: Int, to thread: UInt?, _ gil: borrowing GIL) {
    let runner = thread.map { Runner(thread: $0, gil) }
    let left = entries.withLock { entries -> Runner? in
      defer { entries[number]?.runner = runner }
      return entries[number]?.runner
    }
    if let left { PythonSession.takeBack(from: left.thread, gil) }
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

  /// The thread of a job; nil when it does not run, or waits for an event loop.
  func runner(of number: Int) -> Runner? {
    adopted.withLock { $0[number] }?.runner(of: nil) ?? entries.withLock { $0[number]?.runner }
  }

  /// Where a job is: the session and the evaluation it was, or 0 and its own number, and its thread, if it runs in one.
  func place(of number: Int) -> (session: SessionID, number: Int, runner: Runner?) {
    if let session = adopted.withLock({ $0[number] }) {
      return (session.id, session.running ?? 0, session.runner(of: nil))
    }
    return (0, number, entries.withLock { $0[number]?.runner })
  }

  /// What each thread that runs a job is for, by the kernel's number of it.
  var threadRoles: [Int: String] {
    entries.withLock { entries in
      var roles: [Int: String] = [:]
      for (number, entry) in entries { roles[entry.kernelThread] = "job %\(number)" }
      return roles
    }
  }
}
