// The server description: what a server says of itself, in its first reply.

public import Shared

/// The `server` object of the reply to DescribeServer.
public struct ServerDescription: Equatable, Sendable {
  /// The name under which the tools find it.
  public let name: String
  public let pid: Int
  /// All of it.
  public let fields: JSON.Object

  /// - Parameter reply: nil when it is that of another server, such as the ancestor's.
  init?(reply: JSON.Object) {
    guard let fields = reply["server"]?.objectValue, fields["name"]?.stringValue == "repltools",
      let version = fields["protocol"]?.integerValue, version >= 1
    else { return nil }
    self.fields = fields
    name = (fields["instance"]?.stringValue ?? "").printableLine
    pid = fields["pid"]?.integerValue ?? 0
  }

  /// What it can do beyond what every server of ours can.
  public var features: Set<String> { Set((fields["features"]?.arrayValue ?? []).compactMap(\.stringValue)) }

  /// Whether it does nothing before it has been told why.
  public var requiresReason: Bool { fields["requires_reason"]?.boolValue ?? false }

  /// `NAME[PID]`.
  public var label: String { "\(name)[\(pid)]" }
}
