// The event loop thread: one thread of our own that runs one NIO event loop.
internal import CProcessHooks
internal import Dispatch
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A thread that runs an event loop until `stop`.
///
/// `MultiThreadedEventLoopGroup(numberOfThreads:)` makes threads that take the host's signals; this one has
/// every signal blocked, so that a signal meant for the host is always handled by a thread of the host, and a
/// write to a closed socket cannot end it by SIGPIPE.
final class EventLoopThread: Sendable {
  let eventLoop: any EventLoop
  private let thread: pthread_t
  /// Whether the loop still takes work: NIO complains on the host's stderr about work for one that has ended.
  private let isRunning = Mutex(true)
  /// NIO tells of the end of a loop by a dispatch queue. Any that runs would leave its threads and descriptors
  /// in the host for ever; this one is never activated, and we learn of the end by joining the thread.
  private static let silentQueue = DispatchQueue(label: "replserve.silent", attributes: .initiallyInactive)

  private init(eventLoop: any EventLoop, thread: pthread_t) {
    self.eventLoop = eventLoop
    self.thread = thread
  }

  /// Starts the thread and waits until its loop runs.
  /// - Throws: `ServerError` when the system has no thread to give.
  static func start() throws(ServerError) -> EventLoopThread {
    let started = Monitor<(any EventLoop)?>(nil)
    let argument = unsafe Unmanaged.passRetained(started)
    var mask = sigset_t()
    unsafe process_hooks_block_signals(&mask)
    defer { unsafe process_hooks_restore_signals(&mask) }
    var thread = pthread_t()
    let status = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe process_hooks_name_thread("replserve-loop")
        let started = unsafe Unmanaged<Monitor<(any EventLoop)?>>.fromOpaque(argument).takeRetainedValue()
        MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { loop in started.signal { $0 = loop } }
        return nil
      }, unsafe argument.toOpaque())
    guard status == 0 else {
      unsafe argument.release()
      throw ServerError(.noResources, "cannot start the event loop's thread: \(ServerError.text(of: status))")
    }
    return EventLoopThread(eventLoop: started.wait { $0 }, thread: thread)
  }

  /// Runs `body` on the loop soon, from whatever thread; never, when the loop has been stopped.
  func execute(_ body: @escaping @Sendable () -> Void) {
    isRunning.withLock { isRunning in
      if isRunning { eventLoop.execute(body) }
    }
  }

  /// Ends the loop and its thread. Must not be called on the loop.
  func stop() {
    let wasRunning = isRunning.withLock { isRunning in
      defer { isRunning = false }
      return isRunning
    }
    guard wasRunning else { return }
    eventLoop.shutdownGracefully(queue: Self.silentQueue) { _ in }
    pthread_join(thread, nil)
  }
}
