// The spare descriptor of a listener: what it takes to turn somebody away when the process has no descriptor left.
internal import CProcessHooks
internal import Glibc
internal import NIOCore

/// Stands at a listener, before the handler that has it wait after a failure.
///
/// Without it, whoever comes when no descriptor is left would wait in the kernel's queue for as long as that lasts, and
/// not be told why. So one is held back, and given up for as long as it takes to accept and close those who wait.
final class ArrivalsWithoutDescriptor: ChannelInboundHandler {
  typealias InboundIn = any Channel

  private let door: Peer.Door
  private let core: NIOLoopBound<ServerCore>
  private var spare = SpareDescriptor()

  init(door: Peer.Door, core: NIOLoopBound<ServerCore>) {
    self.door = door
    self.core = core
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? IOError, error.errnoCode == EMFILE || error.errnoCode == ENFILE {
      let listener = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { $0 }
      if let listener = listener ?? nil { turnAway(at: listener) }
    }
    context.fireErrorCaught(error)
  }

  func handlerRemoved(context: ChannelHandlerContext) { spare.giveUp() }

  private func turnAway(at listener: CInt) {
    let words = TurnedAway.words(.full, at: door)
    // As many as the kernel keeps: whoever comes meanwhile is dealt with after the wait.
    for _ in 0..<ServerLimits.backlog {
      spare.giveUp()
      let arrival = process_hooks_accept(listener)
      guard arrival >= 0 else { break }
      _ = unsafe send(arrival, words, words.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
      close(arrival)
      core.value.doorkeeper.refuseUnseen(from: nil, at: door)
    }
    // Where the host was quicker there is none now, and again one after the wait if it can be had.
    spare = SpareDescriptor()
  }
}

/// A descriptor that is held for no use of its own; none, when there was none to be had.
///
/// It is a socket, since no other file has its inode: a forked child closes what is on the table by that.
struct SpareDescriptor: ~Copyable {
  private var descriptor: CInt
  private var slot: CInt

  init() {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    slot = descriptor >= 0 ? process_hooks_register_descriptor(descriptor) : -1
  }

  deinit {
    process_hooks_forget_descriptor(slot)
    if descriptor >= 0 { close(descriptor) }
  }

  /// Lets somebody else have it.
  mutating func giveUp() {
    process_hooks_forget_descriptor(slot)
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    slot = -1
  }
}
