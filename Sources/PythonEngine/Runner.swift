// The runner: the thread that an evaluation or a job runs in.
internal import CPython

/// One thread, as the interpreter and as the kernel know it.
struct Runner: Equatable, Sendable {
  /// What `threading.get_ident()` gives in it.
  let thread: UInt
  /// gettid(2).
  let kernelThread: Int
  /// Where the interpreter keeps the thread's state, while the thread lives.
  let state: UInt

  /// The calling thread.
  /// - Parameter thread: what `threading.get_ident()` gives in it.
  init(thread: UInt, _ gil: borrowing GIL) {
    self.thread = thread
    kernelThread = PythonEngine.kernelThread
    state = unsafe UInt(bitPattern: PyThreadState_Get())
  }
}
