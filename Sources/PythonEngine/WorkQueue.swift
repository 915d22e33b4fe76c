// The work queue: closures that a Python thread of ours runs with the interpreter held.
internal import DequeModule
internal import ReplServer

/// Work for one worker thread. Anybody may add, from any thread; the worker waits without the interpreter.
final class WorkQueue: Sendable {
  typealias Work = @Sendable (inout GIL) -> Void

  private struct State {
    var work: Deque<Work> = []
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
      state.work.append(work)
      return true
    }
  }

  /// What is queued is still done; nothing more is taken.
  func close() { monitor.signal { $0.isClosed = true } }

  /// Does work until the queue is closed and empty.
  func run(_ gil: inout GIL) {
    while let work = gil.detached({ next() }) { work(&gil) }
  }

  private func next() -> Work? {
    monitor.wait { state -> Work?? in
      if let work = state.work.popFirst() { return .some(work) }
      return state.isClosed ? .some(nil) : nil
    }
  }
}
