// The signal watch: Ctrl-C and its kin as something that can be waited for.

public import Glibc
internal import Shared
internal import SystemPackage

/// Takes signals, by default SIGINT and SIGTERM, from the moment it is made for as long as it lives; then they do again
/// what they did before.
public final class SignalWatch {
  public enum Signal: Equatable, Sendable {
    /// SIGINT, as Ctrl-C sends it.
    case interrupt
    /// SIGTERM.
    case terminate
  }

  private let numbers: [Int32]
  private let descriptor: OwnedDescriptor

  /// - Parameter numbers: of signal(7); those that the process ignores are left alone.
  public init(_ numbers: [Int32] = [SIGINT, SIGTERM]) throws(ClientError) {
    self.numbers = numbers
    do {
      descriptor = try SystemCall.watchSignals(numbers)
    } catch {
      throw ClientError(.failed, "cannot watch for signals: \(error)")
    }
  }

  deinit { SystemCall.leaveSignals(numbers) }

  /// What to wait for.
  public var watched: Watched { Watched(descriptor.number, for: .reading) }

  /// The number of the next signal that came; nil when there is none.
  public func nextNumber() -> Int32? { (try? SystemCall.nextSignal(descriptor)) ?? nil }

  /// The next signal that came, of the two that are taken by default; nil when there is none.
  public func next() -> Signal? {
    guard let number = nextNumber() else { return nil }
    return number == SIGINT ? .interrupt : .terminate
  }
}
