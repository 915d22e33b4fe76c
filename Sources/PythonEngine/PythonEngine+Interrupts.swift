// How the Python engine interrupts: an exception at once, and after a moment the end of the call it waits for.
internal import CPython
internal import ReplServer
internal import Shared

extension PythonEngine {
  /// The times of an interrupt, in milliseconds. All of them together are less than
  /// `ServerLimits.interruptEffectMilliseconds`.
  private enum Times {
    /// From the exception to the first strike: what is about to end needs none.
    static let first = 50
    /// From a strike to the exception that was withdrawn for it.
    static let again = 20
    /// From one strike to the next.
    static let next = 150
    /// How many there are.
    static let attempts = 4
  }

  func interrupt(_ target: EvaluationTarget, completion: @escaping @Sendable (InterruptOutcome) -> Void) {
    let isQueued: Bool
    switch target {
    case .session(let id, let number):
      guard let session = session(id) else { return completion(.stale) }
      isQueued = worker.add { [self] gil in completion(interrupt(session, number, gil)) }
    case .job(let number):
      isQueued = worker.add { [self] gil in
        let outcome = outcome(gil) { [jobs] gil in jobs.interrupt(number, gil) }
        completion(outcome)
        if outcome == .interrupted { strikeLater(target) { [jobs] in jobs.runner(of: number) } }
      }
    }
    if !isQueued { completion(.stale) }
  }

  /// - Parameter number: the evaluation that is meant; nil for whatever runs.
  func interrupt(_ session: PythonSession, _ number: Int?, _ gil: borrowing GIL) -> InterruptOutcome {
    let outcome = outcome(gil) { gil in session.interrupt(number, gil) }
    if outcome == .interrupted, let running = session.running, number == nil || number == running {
      strikeLater(.session(session.id, evaluation: running)) { session.runner(of: running) }
    }
    return outcome
  }

  private func outcome(
    _ gil: borrowing GIL, _ attempt: (borrowing GIL) -> PythonSession.Interrupt
  ) -> InterruptOutcome {
    switch attempt(gil) {
    case .outcome(let outcome): return outcome
    case .elsewhere(let session, let number):
      do throws(PythonError) {
        let isTold = try hooks.withdraw.call([.integer(session), .integer(number)], gil)
        if unsafe try Python.bool(isTold.pointer) { return .interrupted }
      } catch {
        Python.reportUnraisable(error)
      }
    }
    // The main thread has begun with it just now, so it is there that it is interrupted; or it is on its way out.
    if case .outcome(let outcome) = attempt(gil) { return outcome }
    return .interrupted
  }

  // MARK: what waits in C

  /// Ends the calls that it waits in, as long as it goes on.
  /// - Parameter runner: where it runs; nil once it is over.
  private func strikeLater(_ target: EvaluationTarget, _ runner: @escaping @Sendable () -> Runner?) {
    strike(1, interruptions.begin(target, runner), after: Times.first)
  }

  private func strike(_ attempt: Int, _ interruption: Interruptions.Number, after milliseconds: Int) {
    worker.add(after: milliseconds) { [self] gil in
      // Python first: it may let another thread run. What it finds out is only a hint to what follows.
      let way = interruptions.runner(of: interruption).map { unblock($0, interruption, gil) } ?? .none
      // From here on the interpreter is held to the end. What has been raised is no longer to be helped along: whoever
      // caught it may sleep and wait as they like.
      guard let runner = interruptions.runner(of: interruption),
        AsynchronousInterrupt.isPending(in: runner, gil) != false
      else { return interruptions.end(interruption) }
      if way != .woken {
        switch strike.attempt(attempt, on: runner, keepsInterrupt: way == .joins, gil) {
        case .stands: break
        case .withdrawn: raiseAgain(in: runner, interruption)
        case .pending: raiseUnlessItCame(in: runner, interruption)
        }
      }
      guard attempt < Times.attempts else {
        // What was withdrawn is still raised again.
        return worker.add(after: Times.next) { [interruptions] _ in interruptions.end(interruption) }
      }
      strike(attempt + 1, interruption, after: Times.next)
    }
  }

  /// Raises the exception again that was withdrawn, if what it is meant for still runs there: whoever catches the
  /// failure of the call must not get away with it.
  private func raiseAgain(in runner: Runner, _ interruption: Interruptions.Number) {
    worker.add(after: Times.again) { [interruptions] gil in
      guard interruptions.runner(of: interruption) == runner else { return }
      AsynchronousInterrupt.raise(in: runner.thread, gil)
    }
  }

  /// The same after a lock, unless it has come as the thread left that.
  private func raiseUnlessItCame(in runner: Runner, _ interruption: Interruptions.Number) {
    worker.add(after: Times.again) { [interruptions] gil in
      guard PendingInterrupts.withdraw(runner.thread, gil) else { return interruptions.end(interruption) }
      guard interruptions.runner(of: interruption) == runner else { return }
      AsynchronousInterrupt.raise(in: runner.thread, gil)
    }
  }

  /// What Python itself could do about a wait; the texts are those of interruption.py.
  private enum Way: String {
    case none
    case woken
    case joins
  }

  private func unblock(_ runner: Runner, _ interruption: Interruptions.Number, _ gil: borrowing GIL) -> Way {
    do throws(PythonError) {
      let text = try hooks.unblock.call([.integer(interruption), .integer(Int(bitPattern: runner.thread))], gil)
      return unsafe Way(rawValue: try Python.string(text.pointer, gil)) ?? .none
    } catch {
      Python.reportUnraisable(error)
      return .none
    }
  }
}
