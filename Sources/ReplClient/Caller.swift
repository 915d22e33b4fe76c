// The caller: how a tool meets a server.

public import Shared

/// Whom a tool trusts, and what it says of itself.
public struct Caller: Equatable, Sendable {
  public var trust: Trust

  /// The fields of Introduce; nil when there is nothing to say.
  public var introduction: JSON.Object?

  public init(trust: Trust = Trust(), introduction: JSON.Object? = nil) {
    self.trust = trust
    self.introduction = introduction
  }
}
