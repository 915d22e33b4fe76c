// The work queue: closures that a Python thread of ours runs with the interpreter held.
internal import DequeModule
internal import ReplServer

/// Work for one worker thread. Anybody may add, from any thread; the worker waits without the interpreter.
final class WorkQueue: Sendable {
  typealias Work = @Sendable (inout GIL) -> Void

  private struct State {
    var work: Deque<(work: Work, since: ContinuousClock.Instant)> = []
    /// What is to be done later, the next first.
    var later: [(work: Work, due: ContinuousClock.Instant)] = []
    /// When the work was added that the worker has taken and waits for the interpreter to do.
    var taken: ContinuousClock.Instant?
    var isClosed = false
  }

  /// What the worker does next.
  private enum Next {
    case work(Work)
    /// Nothing before that time.
    case wait(until: ContinuousClock.Instant)
    case end
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

  /// Adds work that is to be done once some time has passed; it is dropped when the queue is closed before.
  func add(after milliseconds: Int, _ work: @escaping Work) {
    let due = ContinuousClock.now + .milliseconds(milliseconds)
    monitor.signal { state in
      guard !state.isClosed, state.later.count < limit else { return }
      let index = state.later.firstIndex { $0.due > due } ?? state.later.endIndex
      state.later.insert((work, due), at: index)
    }
  }

  /// What is queued is still done; nothing more is taken.
  func close() {
    monitor.signal { state in
      state.isClosed = true
      state.later = []
    }
  }

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
    var due: ContinuousClock.Instant?
    while true {
      switch waitForNext(until: due) {
      case .work(let work): return work
      case .wait(let until): due = until
      case .end: return nil
      }
    }
  }

  /// Waits for something to do.
  /// - Parameter due: when to look again at the latest; nil when there is nothing to be done later.
  private func waitForNext(until due: ContinuousClock.Instant?) -> Next {
    guard let due else { return monitor.wait { Self.take(&$0) } }
    let milliseconds = Int(((due - ContinuousClock.now).seconds * 1000).rounded(.up))
    return monitor.wait(milliseconds: milliseconds) { state in
      let next = Self.take(&state)
      // What is due first is known already.
      if case .wait(let until)? = next, until == due { return nil }
      return next
    } ?? .wait(until: due)
  }

  /// Takes what can be done at once.
  private static func take(_ state: inout State) -> Next? {
    if let (work, due) = state.later.first, due <= .now {
      state.later.removeFirst()
      state.taken = due
      return .work(work)
    }
    if let (work, since) = state.work.popFirst() {
      state.taken = since
      return .work(work)
    }
    if state.isClosed { return .end }
    return state.later.first.map { .wait(until: $0.due) }
  }
}
