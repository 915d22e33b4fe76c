// The half-closed watch: finds out that nobody is left to answer, where the system does not say so by itself.
internal import NIOCore

/// A peer that says it sends nothing more either waits for its answers or is gone: in TCP both begin with a FIN. While
/// something is still to be answered, this looks now and then which it is, and closes the channel when it is gone.
/// Lives on the channel's loop.
final class HalfClosedWatch {
  private let channel: any Channel
  private let loop: any EventLoop
  private var look: Scheduled<Void>?

  init(_ channel: any Channel, core: ServerCore) {
    self.channel = channel
    loop = core.eventLoop
    schedule(after: ServerLimits.firstHalfClosedProbeMilliseconds)
  }

  func cancel() {
    look?.cancel()
    look = nil
  }

  private func schedule(after milliseconds: Int64) {
    look = loop.assumeIsolated().scheduleTask(in: .milliseconds(milliseconds)) { [weak self] in self?.lookNow() }
  }

  private func lookNow() {
    switch PeerSocket.look(local: channel.localAddress, remote: channel.remoteAddress) {
    case .gone: channel.close(promise: nil)
    case .open, .unknown: schedule(after: ServerLimits.halfClosedProbeMilliseconds)
    }
  }
}
