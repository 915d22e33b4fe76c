// The steps: pieces of user code in a thread that is not ours, which an interrupt may reach while they run.
internal import CPython
internal import Synchronization

/// A task of an event loop runs step by step, and between its steps the thread is the host's: what an interrupt raises
/// must be raised within a step of that task, or not at all.
///
/// All of it happens with the interpreter held. Python code in its place could be hit itself, on its way out.
final class Steps: Sendable {
  private struct State {
    /// By token, what `threading.get_ident()` gives in the thread where the step runs.
    var threads: [Int: UInt] = [:]
    /// Those whose next step is interrupted at its beginning.
    var doomed: Set<Int> = []
  }

  private let state = Mutex(State())

  /// Runs a step in the calling thread.
  @_lifetime(borrow gil)
  func run(_ token: Int, thread: UInt, _ call: Callable, _ gil: borrowing GIL) throws(PythonError) -> Reference {
    let isDoomed = state.withLock { state in
      state.threads[token] = thread
      return state.doomed.remove(token) != nil
    }
    if isDoomed { _ = unsafe PyThreadState_SetAsyncExc(thread, cpython_KeyboardInterrupt()) }
    defer {
      // What was sent and not raised is taken back, before the host goes on in this thread.
      state.withLock { $0.threads[token] = nil }
      _ = PyThreadState_SetAsyncExc(thread, nil)
    }
    return try call.call([], gil)
  }

  /// Raises KeyboardInterrupt in the step that runs; when none does, in the next one.
  func strike(_ token: Int, _ gil: borrowing GIL) {
    let thread = state.withLock { state -> UInt? in
      if let thread = state.threads[token] { return thread }
      state.doomed.insert(token)
      return nil
    }
    if let thread { _ = unsafe PyThreadState_SetAsyncExc(thread, cpython_KeyboardInterrupt()) }
  }

  /// Lets the next step be.
  func spare(_ token: Int) { state.withLock { _ = $0.doomed.remove(token) } }
}
