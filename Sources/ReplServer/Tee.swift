// The tee: what the process itself prints, for the clients that listen in.
internal import Synchronization

/// Those who listen in. The host's threads write to it, and never wait: what a client does not take is dropped, the
/// oldest first.
public final class Tee: Sendable {
  private let listeners = Mutex<[ObjectIdentifier: SessionStreams]>([:])

  /// Gives every listener some output.
  public func write(_ bytes: [UInt8], to stream: OutputStream) {
    for listener in listeners.withLock({ Array($0.values) }) { _ = listener.write(bytes, to: stream) }
  }

  /// - Returns: whether it is the first one.
  func add(_ listener: SessionStreams) -> Bool {
    listeners.withLock { listeners in
      listeners[ObjectIdentifier(listener)] = listener
      return listeners.count == 1
    }
  }

  /// - Returns: whether it was the last one.
  func remove(_ listener: SessionStreams) -> Bool {
    listeners.withLock { $0.removeValue(forKey: ObjectIdentifier(listener)) != nil && $0.isEmpty }
  }
}
