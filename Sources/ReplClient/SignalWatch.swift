// The signal watch: Ctrl-C and its kin as something that can be waited for.

internal import Glibc
internal import Shared
internal import SystemPackage

/// Takes SIGINT and SIGTERM from the moment it is made for as long as it lives; then they end the process again.
public final class SignalWatch {
  public enum Signal: Equatable, Sendable {
    /// SIGINT, as Ctrl-C sends it.
    case interrupt
    /// SIGTERM.
    case terminate
  }

  private static let numbers = [SIGINT, SIGTERM]

  private let descriptor: OwnedDescriptor

  public init() throws(ClientError) {
    do {
      descriptor = try SystemCall.watchSignals(Self.numbers)
    } catch {
      throw ClientError(.failed, "cannot watch for signals: \(error)")
    }
  }

  deinit { SystemCall.leaveSignals(Self.numbers) }

  /// What to wait for.
  public var watched: Watched { Watched(descriptor.number, for: .reading) }

  /// The next signal that came; nil when there is none.
  public func next() -> Signal? {
    guard let number = (try? SystemCall.nextSignal(descriptor)) ?? nil else { return nil }
    return number == SIGINT ? .interrupt : .terminate
  }
}
