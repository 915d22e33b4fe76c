// The termination watch: SIGTERM ends the server first, then the process, whatever the host is doing.
internal import CProcessHooks
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Turns SIGTERM into a byte on a pipe that the event loop reads.
///
/// The host's language never sees a handler, and the signal works while its interpreter is stuck: the loop
/// closes the doors and then gives the signal its default action and sends it again.
final class TerminationWatch: Sendable {
  private let loop: any EventLoop
  private let pipe = Mutex<(channel: any Channel, writeEnd: Int32, writeSlot: Int32)?>(nil)

  init(_ loop: any EventLoop) { self.loop = loop }

  /// - Parameters:
  ///   - listeners: closed when the signal arrives.
  ///   - cleanUp: run on the loop then.
  func begin(listeners: [any Channel], cleanUp: @escaping @Sendable () -> Void) -> Bool {
    var readEnd: Int32 = -1
    var writeEnd: Int32 = -1
    guard unsafe process_hooks_make_pipe(&readEnd, &writeEnd) else { return false }
    let handler = Handler {
      for channel in listeners { channel.close(promise: nil) }
      cleanUp()
      process_hooks_end_by_sigterm()
    }
    let slot = process_hooks_register_descriptor(writeEnd)
    let channel: any Channel
    do {
      channel = try NIOPipeBootstrap(group: loop)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler) }
        }
        .takingOwnershipOfDescriptor(input: readEnd).wait()
    } catch {
      process_hooks_forget_descriptor(slot)
      Glibc.close(readEnd)
      Glibc.close(writeEnd)
      return false
    }
    pipe.withLock { $0 = (channel, writeEnd, slot) }
    guard process_hooks_watch_sigterm(writeEnd) else {
      cancel()
      return false
    }
    return true
  }

  /// Gives the signal its default action back, if it still is ours.
  func cancel() {
    let taken = pipe.withLock { held in
      defer { held = nil }
      return held
    }
    guard let taken else { return }
    process_hooks_unwatch_sigterm()
    try? taken.channel.close().wait()
    process_hooks_forget_descriptor(taken.writeSlot)
    Glibc.close(taken.writeEnd)
  }

  private final class Handler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let action: @Sendable () -> Void

    init(_ action: @escaping @Sendable () -> Void) { self.action = action }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { action() }
  }
}
