// The job table: the jobs of a process, those that run and the last ones that have ended.
internal import DequeModule
internal import Synchronization

/// All jobs of a process, which outlive the server that started them.
///
/// A job that has ended is kept until there are more than `ServerLimits.finishedJobs` of them, or more than
/// `ServerLimits.finishedJobsOutputBytes` of output; one that the host still holds is kept until it lets go, too.
public final class JobTable: Sendable {
  private struct State {
    var lastNumber = 0
    var running: [Int: Job] = [:]
    var finished: Deque<Job> = []
    var held: [Int: Job] = [:]
    var watchers: [Int: @Sendable (Job, Change) -> Void] = [:]
    var lastWatcher = 0
  }

  /// What watchers are told of.
  enum Change {
    /// The host has started it by itself.
    case started
    case ended
  }

  private let state = Mutex(State())

  public init() {}

  /// Makes a job that the host starts by itself. It is held until `release`.
  /// - Parameters:
  ///   - source: what it runs.
  ///   - owner: who starts it.
  public func add(source: String, owner: String) -> Job {
    let job = add(source: source, requestedBy: owner)
    for watcher in state.withLock({ Array($0.watchers.values) }) { watcher(job, .started) }
    return job
  }

  /// Makes a job that a client has asked for.
  func add(source: String, requestedBy owner: String) -> Job {
    state.withLock { state in
      state.lastNumber += 1
      let job = Job(number: state.lastNumber, source: source, owner: owner)
      state.running[job.number] = job
      state.held[job.number] = job
      return job
    }
  }

  /// A job that is listed, or that the host holds.
  public func job(_ number: Int) -> Job? {
    state.withLock { state in
      state.running[number] ?? state.held[number] ?? state.finished.first { $0.number == number }
    }
  }

  /// The host has let go of its object for the job.
  public func release(_ number: Int) { state.withLock { $0.held[number] = nil } }

  /// The job was never started.
  public func remove(_ job: Job) {
    state.withLock { state in
      state.running[job.number] = nil
      state.held[job.number] = nil
    }
  }

  /// A job has ended: it becomes one of the last.
  public func finish(_ job: Job) {
    let watchers = state.withLock { state -> [@Sendable (Job, Change) -> Void] in
      guard state.running.removeValue(forKey: job.number) != nil else { return [] }
      state.finished.append(job)
      var bytes = state.finished.reduce(0) { $0 + $1.keptByteCount }
      while state.finished.count > ServerLimits.finishedJobs
        || (bytes > ServerLimits.finishedJobsOutputBytes && state.finished.count > 1),
        let oldest = state.finished.popFirst()
      {
        bytes -= oldest.keptByteCount
      }
      return Array(state.watchers.values)
    }
    for watcher in watchers { watcher(job, .ended) }
  }

  /// Calls `body` whenever a job has ended, or was started by the host, from any thread.
  /// - Returns: what to give to `unwatch`.
  func watch(_ body: @escaping @Sendable (Job, Change) -> Void) -> Int {
    state.withLock { state in
      state.lastWatcher += 1
      state.watchers[state.lastWatcher] = body
      return state.lastWatcher
    }
  }

  func unwatch(_ watcher: Int) { state.withLock { $0.watchers[watcher] = nil } }

  var runningCount: Int { state.withLock { $0.running.count } }

  /// The listed ones, in the order in which they were started.
  var listed: [Job] {
    state.withLock { state in
      (Array(state.running.values) + Array(state.finished)).sorted { $0.number < $1.number }
    }
  }

  /// A job that is listed.
  func listed(_ number: Int) -> Job? {
    state.withLock { state in state.running[number] ?? state.finished.first { $0.number == number } }
  }
}
