// The account: what sshd will think of the user whom the server runs as.

internal import Glibc
internal import ReplClient
internal import Shared

/// An entry of passwd(5).
struct Account: Equatable, Sendable {
  let name: String
  let home: String
  let shell: String

  /// How long the system may take to look one up, in seconds.
  private static let patience = 10.0
  private static let maximumEntryLength = 1 << 16

  /// - Parameter entry: a line of passwd(5); nil when it is none.
  init?(entry: String) {
    let fields = entry.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard fields.count >= 7, !fields[0].isEmpty, fields[5].hasPrefix("/") else { return nil }
    name = fields[0]
    home = fields[5]
    shell = fields[6].isEmpty ? "/bin/sh" : fields[6]
  }

  /// That of this process, if it can log in.
  ///
  /// - Throws: `ClientError`, with what keeps it from that.
  static func ofThisProcess() throws(ClientError) -> Account {
    // The tools are linked statically, and so cannot ask the C library.
    let user = getuid()
    guard let account = Account(entry: try lookUp("passwd", "\(user)")) else {
      throw ClientError(
        .notPermitted,
        "the user \(user) has no entry in the password database, so nobody can log in as that user by ssh")
    }
    try account.checkName()
    try account.checkShell()
    try account.checkLock()
    return account
  }

  private static func lookUp(_ database: String, _ key: String) throws(ClientError) -> String {
    let words = ["getent", database, key]
    return try ChildOutput.read(words, maximumLength: maximumEntryLength, until: .after(patience))?.text ?? ""
  }

  /// The name becomes a pattern of sshd_config(5).
  private func checkName() throws(ClientError) {
    let isPlain = name.utf8.allSatisfy {
      ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || "._+-$".utf8.contains($0)
    }
    guard isPlain else {
      throw ClientError(.notPermitted, "sshd cannot be told of a user with the name '\(name)'")
    }
  }

  /// sshd runs everything through it, the forced command, too.
  private func checkShell() throws(ClientError) {
    let base = shell.split(separator: "/").last ?? ""
    guard base != "nologin", base != "false", unsafe access(shell, X_OK) == 0 else {
      throw ClientError(
        .notPermitted,
        "\(name) cannot log in by ssh: the login shell, \(shell), lets nobody in, and sshd runs everything through it; "
          + "run the program as a user with a shell, or give this one a shell with chsh -s /bin/sh \(name)")
    }
  }

  /// Without PAM, sshd itself looks whether an account is locked, as far as it can read that. So can we.
  private func checkLock() throws(ClientError) {
    let fields = try Self.lookUp("shadow", name).split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count > 1, fields[1].hasPrefix("!") else { return }
    throw ClientError(
      .notPermitted,
      "the account \(name) is locked, and sshd lets nobody in there; a password of '*' keeps passwords out without that: "
        + "usermod -p '*' \(name)")
  }
}
