// The pending interrupts: KeyboardInterrupts that wait for a thread to leave the lock it waits for.
internal import CPython
internal import Glibc
internal import Synchronization

/// A lock of CPython 3.12 and 3.13 makes the interpreter's pending calls when a signal has ended its wait, and gives up
/// when one of them fails. So ours fails, in the thread that is meant, and only there: `acquire` raises, and no `with`
/// goes on without its lock.
///
/// The function that queues a call for any thread is not in the stable ABI. It has had four arguments since 3.12, and
/// before that another meaning: it is used in the versions that are known, if it is there.
enum PendingInterrupts {
  typealias Function = @convention(c) (UnsafeMutableRawPointer?) -> Int32
  private typealias Add =
    @convention(c) (OpaquePointer?, Function?, UnsafeMutableRawPointer?, Int32) -> Int32

  /// Milliseconds in which other threads may be asked again and again until the one that is meant comes by.
  private static let patience = Duration.milliseconds(100)

  /// Until when each thread's interrupt stands. Touched by whoever holds the interpreter.
  private static let wanted = Mutex<[UInt: ContinuousClock.Instant]>([:])

  private static let add: Add? = {
    guard let symbol = unsafe dlsym(nil, "_PyEval_AddPendingCall") else { return nil }
    return unsafe unsafeBitCast(symbol, to: Add.self)
  }()

  /// Whether there is such a way in a version of the language: `3.12.1`.
  static func isKnown(in version: String) -> Bool {
    guard version.hasPrefix("3.12.") || version.hasPrefix("3.13.") else { return false }
    return unsafe add != nil
  }

  /// Lets the next pending call fail that a thread makes.
  /// - Returns: false when too much is pending already.
  static func want(_ thread: UInt, _ gil: borrowing GIL) -> Bool {
    wanted.withLock { $0[thread] = .now + patience }
    if queue(thread) { return true }
    withdraw(thread, gil)
    return false
  }

  /// Takes an interrupt back.
  /// - Returns: whether it had not come.
  @discardableResult
  static func withdraw(_ thread: UInt, _ gil: borrowing GIL) -> Bool {
    wanted.withLock { $0.removeValue(forKey: thread) != nil }
  }

  private static func queue(_ thread: UInt) -> Bool {
    guard let add = unsafe add else { return false }
    // The thread travels as the pointer itself: nothing is left to be freed when the call never comes.
    let argument = unsafe UnsafeMutableRawPointer(bitPattern: thread)
    return unsafe add(PyInterpreterState_Get(), { PendingInterrupts.come(UInt(bitPattern: $0)) }, argument, 0) == 0
  }

  /// Called by the interpreter, in some thread that holds it.
  private static func come(_ thread: UInt) -> Int32 {
    let isHere = UInt(PyThread_get_thread_ident()) == thread
    let (isDue, isLeft) = wanted.withLock { wanted -> (Bool, Bool) in
      guard let until = wanted[thread] else { return (false, false) }
      if !isHere, ContinuousClock.now < until { return (false, true) }
      wanted[thread] = nil
      return (isHere, false)
    }
    if isDue {
      unsafe PyErr_SetNone(cpython_KeyboardInterrupt())
      return -1
    }
    if isLeft, !queue(thread) { wanted.withLock { _ = $0.removeValue(forKey: thread) } }
    return 0
  }
}
