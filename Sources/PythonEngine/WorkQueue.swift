// The work queue: closures that a Python thread of ours runs with the interpreter held.
internal import DequeModule
internal import ReplServer

/// Work for one worker thread. Anybody may add, from any thread; the worker waits without the interpreter.
final class WorkQueue: Sendable {
  typealias Work = @Sendable (inout GIL) -> Void

  private struct State {
    var work: Deque<(work: Work, since: ContinuousClock.Instant)> = []
    /// When the work was added that the worker has taken and waits for the interpreter to do.
    var taken: ContinuousClock.Instant?
    var isClosed = false
  }

  private let monitor = Monitor(State())
  private let limit: Int

  /// - Parameter limit: how many pieces of work may wait.
  init(limit: Int = .max) { self.limit = limit }

  /// - Returns: false when the queue is closed or full; the work will not be done.
  func add(_ work: @escaping Work) -> Bool {
    monitor.signal { state in
      guard !state.isClosed, state.work.count < limit else { return false }
      state.work.append((work, .now))
      return true
    }
  }

  /// What is queued is still done; nothing more is taken.
  func close() { monitor.signal { $0.isClosed = true } }

  /// Does work until the queue is closed and empty.
  func run(_ gil: inout GIL) {
    while let work = gil.detached({ next() }) {
      monitor.withLock { $0.taken = nil }
      work(&gil)
    }
  }

  /// Since when some work has waited for the interpreter; nil when none waits.
  var waitingSince: ContinuousClock.Instant? { monitor.withLock { $0.taken ?? $0.work.first?.since } }

  private func next() -> Work? {
    monitor.wait { state -> Work?? in
      if let (work, since) = state.work.popFirst() {
        state.taken = since
        return .some(work)
      }
      return state.isClosed ? .some(nil) : nil
    }
  }
}
