// The strike: ends the call that an interrupted evaluation waits in, in the way that fits the call and its caller.
internal import CPython
internal import ReplServer

/// What the engine knows of ending calls of this interpreter.
struct Strike: Sendable {
  /// What became of one attempt.
  enum Outcome {
    /// The interrupt stands, or there was nothing to be done.
    case stands
    /// It was taken back for a moment, so that what cleans up after the call is not hit by it.
    case withdrawn
    /// It comes as the thread leaves the lock that it waits for.
    case pending
  }

  /// Whose code makes a call, which decides what becomes of a failure.
  private enum Caller {
    /// CPython's own: a failure is raised as OSError.
    case interpreter
    /// A library between CPython and the system: it passes a failure on, or makes a value of it.
    case library
    /// The same, and a failure of poll(2) means "try again" to it.
    case secureSockets
    /// Somebody else's. It may not expect a failure, so it is told of a signal first.
    case foreign
  }

  /// The version of the language: `3.12.1`.
  let version: String
  /// The file that the interpreter's code is in.
  private static let interpreter = BlockedCall.file(ofCodeAt: UInt(cpython_code()))

  /// Ends the call that a thread waits in, if it waits in one and there is a way. The interpreter is held from before
  /// the caller's look at who runs there until the end: nothing that needs it comes between.
  ///
  /// - Parameters:
  ///   - attempt: from 1 on.
  ///   - keepsInterrupt: the code around the wait takes one exception for its end.
  func attempt(_ attempt: Int, on runner: Runner, keepsInterrupt: Bool, _ gil: borrowing GIL) -> Outcome {
    guard let call = BlockedCall(ofThread: runner.kernelThread) else { return .stands }
    switch call.ending {
    case .timeOut:
      // The interrupt fires as the call returns.
      _ = call.strike(.timeOut)
      return .stands
    case .failure:
      return fail(call, attempt, runner, gil)
    case .signal:
      _ = call.strike(.signal)
      return .stands
    case .lock:
      return leaveLock(call, runner, keepsInterrupt: keepsInterrupt, gil)
    }
  }

  private func fail(_ call: BlockedCall, _ attempt: Int, _ runner: Runner, _ gil: borrowing GIL) -> Outcome {
    let caller = caller(of: call)
    if call.isPoll, attempt > 1 || caller == .secureSockets {
      _ = call.strike(.timeOut)
      return .stands
    }
    // A library that is not known gets the true answer twice, which every code must expect.
    if caller == .foreign, attempt <= 2 {
      _ = call.strike(.signal)
      return .stands
    }
    // What CPython raises unwinds undisturbed: a second exception would hit the first line of the clean-up. Code that
    // catches it and calls again gets both.
    let withdraws = caller == .interpreter && attempt <= 2
    if withdraws { AsynchronousInterrupt.withdraw(from: runner.thread, gil) }
    if call.strike(.failure) == .struck {
      StruckThreads.note(runner.thread)
      return withdraws ? .withdrawn : .stands
    }
    if withdraws { AsynchronousInterrupt.raise(in: runner.thread, gil) }
    return .stands
  }

  private func leaveLock(
    _ call: BlockedCall, _ runner: Runner, keepsInterrupt: Bool, _ gil: borrowing GIL
  ) -> Outcome {
    guard PendingInterrupts.isKnown(in: version), PendingInterrupts.want(runner.thread, gil) else { return .stands }
    if !keepsInterrupt { AsynchronousInterrupt.withdraw(from: runner.thread, gil) }
    if call.strike(.lock) == .struck { return .pending }
    PendingInterrupts.withdraw(runner.thread, gil)
    if !keepsInterrupt { AsynchronousInterrupt.raise(in: runner.thread, gil) }
    return .stands
  }

  // MARK: callers

  /// Modules of the standard library whose C code raises OSError when a call fails.
  private static let ownModules: Set<Substring> = [
    "_socket", "select", "_posixsubprocess", "fcntl", "_multiprocessing", "_queue", "_io", "time", "_posixshmem",
    "termios",
  ]

  private func caller(of call: BlockedCall) -> Caller {
    guard let path = call.caller else { return .foreign }
    if path == Self.interpreter { return .interpreter }
    let name = path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...]
    if path.contains("/lib-dynload/") {
      let module = name.prefix { $0 != "." }
      if Self.ownModules.contains(module) { return .interpreter }
      return module == "_ssl" ? .secureSockets : .library
    }
    // Those that other packages bring along belong to them.
    if path.contains("/site-packages/") || path.contains("/dist-packages/") { return .foreign }
    return ["libssl", "libcrypto", "libffi"].contains { name.hasPrefix($0) } ? .library : .foreign
  }
}
