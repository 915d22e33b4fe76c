// The job watch: tells the event loop of the changes of a job.
internal import NIOCore
internal import Synchronization

/// Calls a closure on the event loop after changes of a job, many of them at once, until it is cancelled. It is made
/// and cancelled on the event loop.
final class JobWatch {
  private let job: Job
  private let body: NIOLoopBoundBox<(() -> Void)?>
  private var watcher: Int?

  /// - Parameter body: called on the event loop, also once soon after this.
  init(_ job: Job, core: ServerCore, body: @escaping () -> Void) {
    self.job = job
    let box = NIOLoopBoundBox<(() -> Void)?>(body, eventLoop: core.eventLoop)
    self.body = box
    let thread = core.thread
    let scheduled = ScheduledOnce()
    let tell: @Sendable () -> Void = {
      guard scheduled.begin() else { return }
      thread.execute {
        scheduled.end()
        box.value?()
      }
    }
    watcher = job.watch(tell)
    tell()
  }

  func cancel() {
    body.value = nil
    watcher.map(job.unwatch)
    watcher = nil
  }

  /// Whether a call is on its way already.
  private final class ScheduledOnce: Sendable {
    private let flag = Atomic<Bool>(false)

    func begin() -> Bool { !flag.exchange(true, ordering: .acquiringAndReleasing) }

    func end() { flag.store(false, ordering: .releasing) }
  }
}
