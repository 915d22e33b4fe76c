// The session counter: numbers that no two sessions of a process share, over all its servers.
internal import Synchronization

/// Counts sessions from 1. One lives as long as the process, so that stopping a server and starting another
/// does not give a number twice.
public final class SessionCounter: Sendable {
  private let last = Atomic<Int>(0)

  public init() {}

  func next() -> SessionID { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
