// The event loop thread: one thread of our own that runs one NIO event loop.
internal import CProcessHooks
internal import Dispatch
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// A thread that runs an event loop until `stop`.
///
/// `MultiThreadedEventLoopGroup(numberOfThreads:)` makes threads that take the host's signals; this one has
/// every signal blocked, so that a signal meant for the host is always handled by a thread of the host, and a
/// write to a closed socket cannot end it by SIGPIPE.
final class EventLoopThread: Sendable {
  let eventLoop: any EventLoop
  private let thread: pthread_t

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

  /// Ends the loop and its thread. Must not be called on the loop.
  func stop() {
    let loop = eventLoop
    loop.shutdownGracefully(queue: DispatchQueue.global()) { _ in }
    pthread_join(thread, nil)
  }
}
