// The launch configuration: what the launcher tells the script that it starts the interpreter with.

internal import Shared

/// The first argument of `_launch.py`, one JSON object. The target of the program follows as an argument
/// of its own: a file name need not be UTF-8, and JSON has to be.
struct LaunchConfiguration: Equatable, Sendable {
  var mode: Program.Mode
  var stays: Bool
  var bind: BindAddress
  var port: UInt16
  var controlPort: UInt16
  var banner: String?
  var name: String?
  var announces: Bool
  var hasSocket: Bool
  var access: Access
  /// What `--ssh` was given; nil when it was not.
  var secureShell: SecureShell?

  /// An sshd beside the server.
  struct SecureShell: Equatable, Sendable {
    /// `[ADDRESS:]PORT`.
    var address: String
    var authorizedKeys: String?
    var hostKey: String?
  }

  /// Who may connect, and what is told of them.
  struct Access: Equatable, Sendable {
    /// By number or name.
    var allowedUsers: [String]
    /// Whether `bind` may be an address that other machines can reach.
    var isOpen: Bool
    var auditLog: String?
    var requiresReason: Bool
    var logLevel: LogLevel
  }

  var json: JSON {
    [
      "mode": .string(mode.rawValue),
      "stay": .bool(stays),
      "bind": .string(bind.text),
      "repl_port": .integer(Int(port)),
      "control_port": .integer(Int(controlPort)),
      "banner": banner.map(JSON.string) ?? .null,
      "name": name.map(JSON.string) ?? .null,
      "announce": .bool(announces),
      "socket": .bool(hasSocket),
      "allow_uid": .array(access.allowedUsers.map { .string($0) }),
      "insecure_bind": .bool(access.isOpen),
      "audit_log": access.auditLog.map(JSON.string) ?? .null,
      "require_reason": .bool(access.requiresReason),
      "log_level": .string(access.logLevel.rawValue),
      "ssh": secureShell.map { .string($0.address) } ?? .null,
      "authorized_keys": secureShell?.authorizedKeys.map(JSON.string) ?? .null,
      "host_key": secureShell?.hostKey.map(JSON.string) ?? .null,
    ]
  }
}
