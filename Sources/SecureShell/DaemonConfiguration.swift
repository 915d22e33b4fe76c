// The daemon's configuration: what sshd is told, for a door that leads to one server and nowhere else.

internal import ReplClient
internal import Shared

/// The content of an sshd_config(5).
struct DaemonConfiguration: Equatable, Sendable {
  /// Addresses with their ports, as ListenAddress has them.
  var listens: [String]
  var hostKey: String
  var authorizedKeys: String
  /// The only user who can log in: the server's own.
  var user: String
  /// The words of what every session runs.
  var command: [String]

  /// Seconds for a login; somebody may be typing a passphrase.
  static let loginGraceSeconds = 60
  /// Keys that one connection may offer; an agent may hold many.
  static let maximumAuthenticationTries = 20
  /// Sessions at once over one connection, as a client that shares one has them.
  static let maximumSessions = 10
  /// Connections at once that have not logged in: from the first number on some are refused, from the last on all.
  static let maximumStartups = "10:30:60"
  /// Seconds of silence after which a client is asked whether it is there, and how often before it is given up.
  static let clientAliveSeconds = 30
  static let clientAliveProbes = 3

  /// - Throws: `ClientError`, `.usage` for what sshd could not be told.
  func text() throws(ClientError) -> String {
    var lines = ["# Made by replssh, and removed with its server."]
    lines += listens.map { "ListenAddress \($0)" }
    lines += [
      "HostKey \(try Self.quoted(hostKey, "the host key"))",
      "AuthorizedKeysFile \(try Self.quoted(Self.withoutTokens(authorizedKeys), "the file of authorized keys"))",
      "AllowUsers \(user)",
      "ForceCommand \(try Self.command(command))",
    ]
    return (lines + Self.rules).joined(separator: "\n") + "\n"
  }

  private static let rules = [
    "PermitRootLogin prohibit-password",
    "StrictModes yes",
    // Nothing but keys that stand in the file.
    "PubkeyAuthentication yes",
    "AuthenticationMethods publickey",
    "PasswordAuthentication no",
    // The old name of KbdInteractiveAuthentication, which every version knows.
    "ChallengeResponseAuthentication no",
    "PermitEmptyPasswords no",
    "HostbasedAuthentication no",
    "GSSAPIAuthentication no",
    "KerberosAuthentication no",
    "UsePAM no",
    "AuthorizedKeysCommand none",
    "AuthorizedPrincipalsFile none",
    "TrustedUserCAKeys none",
    // Nothing but the forced command.
    "DisableForwarding yes",
    "AllowTcpForwarding no",
    "AllowStreamLocalForwarding no",
    "AllowAgentForwarding no",
    "X11Forwarding no",
    "GatewayPorts no",
    "PermitOpen none",
    "PermitListen none",
    "PermitTunnel no",
    "PermitUserRC no",
    "PermitUserEnvironment no",
    "PermitTTY yes",
    // The forced command is told which key it was.
    "ExposeAuthInfo yes",
    "LogLevel VERBOSE",
    "LoginGraceTime \(loginGraceSeconds)",
    "MaxAuthTries \(maximumAuthenticationTries)",
    "MaxSessions \(maximumSessions)",
    "MaxStartups \(maximumStartups)",
    "ClientAliveInterval \(clientAliveSeconds)",
    "ClientAliveCountMax \(clientAliveProbes)",
    "UseDNS no",
    "PidFile none",
    "PrintMotd no",
    "PrintLastLog no",
    "Banner none",
  ]

  /// A value in quotation marks. What sshd would take for something else has no escape in all of its versions.
  static func quoted(_ value: String, _ what: String) throws(ClientError) -> String {
    let isPlain = value.unicodeScalars.allSatisfy { $0 != "\"" && $0 != "\\" && $0.value >= 0x20 && $0.value != 0x7F }
    guard isPlain else {
      throw ClientError(
        .usage, "\(what) has a path that sshd cannot be told: '\(value)'; use one without quotes and backslashes")
    }
    return "\"\(value)\""
  }

  /// The path, with what sshd would replace in it doubled.
  private static func withoutTokens(_ path: String) -> String {
    path.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
  }

  /// The command, for the user's login shell. The rest of the line is its own, as it stands.
  private static func command(_ words: [String]) throws(ClientError) -> String {
    for word in words where word.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
      throw ClientError(.usage, "a path holds a control character, which sshd cannot be told: '\(word)'")
    }
    return words.map(\.shellQuoted).joined(separator: " ")
  }
}
