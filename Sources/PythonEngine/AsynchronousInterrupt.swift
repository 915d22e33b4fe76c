// The asynchronous interrupt: the KeyboardInterrupt that a thread finds between two of its bytecodes.
internal import CPython
internal import ReplServer

/// Raises it in other threads, takes it back, and knows whether it has been raised. The interpreter is held throughout.
enum AsynchronousInterrupt {
  static func raise(in thread: UInt, _ gil: borrowing GIL) {
    _ = unsafe PyThreadState_SetAsyncExc(thread, cpython_KeyboardInterrupt())
  }

  /// Takes back one that has not come.
  static func withdraw(from thread: UInt, _ gil: borrowing GIL) { _ = PyThreadState_SetAsyncExc(thread, nil) }

  /// Whether one has not come yet; nil when that cannot be known.
  static func isPending(in runner: Runner, _ gil: borrowing GIL) -> Bool? {
    guard let place = place(gil) else { return nil }
    let (address, overflow) = runner.state.addingReportingOverflow(UInt(place * MemoryLayout<UInt>.size))
    guard !overflow, let word = BlockedCall.word(at: address) else { return nil }
    return word != 0
  }

  /// Words of a thread's state that are looked at: it is among the first few dozen in every version.
  private static let stateWords = 64

  /// Which word of a thread's state has it; nil when that cannot be told.
  ///
  /// The interpreter has no question for it, and the place differs by version: so the calling thread, which is one of
  /// ours, looks which word of its own state changes.
  private static func place(_ gil: borrowing GIL) -> Int? {
    guard let state = unsafe PyThreadState_Get() else { return nil }
    let address = UInt(bitPattern: state)
    let thread = UInt(PyThread_get_thread_ident())
    let before = BlockedCall.words(at: address, count: stateWords)
    raise(in: thread, gil)
    let during = BlockedCall.words(at: address, count: stateWords)
    withdraw(from: thread, gil)
    let after = BlockedCall.words(at: address, count: stateWords)
    guard let before, let during, let after, before.count == during.count, during.count == after.count else {
      return nil
    }
    let interrupt = UInt(bitPattern: unsafe cpython_KeyboardInterrupt())
    let found = during.indices.filter { before[$0] == 0 && during[$0] == interrupt && after[$0] == 0 }
    return found.count == 1 ? found.first : nil
  }
}
