// The Python jobs: the threads that run jobs, and what may interrupt them.
internal import CPython
internal import ReplServer
internal import Synchronization

/// The jobs of the process and their threads. They outlive the server that started them.
final class PythonJobs: Sendable {
  /// What runs a job now.
  private struct Runner {
    /// What `threading.get_ident()` gives in its thread.
    let thread: UInt
    let kernelThread: Int
  }

  let table = JobTable()
  private let runners = Mutex<[Int: Runner]>([:])

  /// Runs a job's body in the calling thread; meanwhile, and at no other time, an interrupt can reach it.
  @_lifetime(borrow gil)
  func run(_ number: Int, thread: UInt, body: Callable, _ gil: borrowing GIL) throws(PythonError) -> Reference {
    table.job(number)?.begin()
    runners.withLock { $0[number] = Runner(thread: thread, kernelThread: PythonEngine.kernelThread) }
    defer {
      // An interrupt that was sent and not raised is taken back. The interpreter is held: none comes in between.
      runners.withLock { $0[number] = nil }
      _ = PyThreadState_SetAsyncExc(thread, nil)
    }
    return try body.call([], gil)
  }

  /// Raises KeyboardInterrupt in a job.
  func interrupt(_ number: Int, _ gil: borrowing GIL) -> InterruptOutcome {
    guard let runner = runners.withLock({ $0[number] }) else { return .stale }
    _ = unsafe PyThreadState_SetAsyncExc(runner.thread, cpython_KeyboardInterrupt())
    return .interrupted
  }

  /// The thread of a job, as `threading.get_ident()` has it; nil when it does not run.
  func thread(of number: Int) -> UInt? { runners.withLock { $0[number]?.thread } }

  /// What each thread that runs a job is for, by the kernel's number of it.
  var threadRoles: [Int: String] {
    runners.withLock { runners in
      var roles: [Int: String] = [:]
      for (number, runner) in runners { roles[runner.kernelThread] = "job %\(number)" }
      return roles
    }
  }
}
