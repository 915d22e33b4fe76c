// The host key: what a client knows the door by. It is made once, and kept.

internal import Glibc
internal import ReplClient
internal import Shared

/// A private key of sshd.
struct HostKey: Equatable, Sendable {
  let path: String

  /// How long ssh-keygen may take, in seconds.
  private static let patience = 30.0
  private static let maximumAnswerLength = 1 << 14
  private static let missing = "cannot run ssh-keygen; install it (Debian: openssh-client)"

  /// - Parameters:
  ///   - path: nil is one file for all servers of this user.
  ///   - state: `$XDG_STATE_HOME`; nil when it is not set.
  static func prepare(path: String?, home: String, state: String?) throws(ClientError) -> HostKey {
    let key: HostKey
    if let path {
      key = HostKey(path: path)
    } else {
      let states = state.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home + "/.local/state"
      makeDirectories(states + "/repltools")
      key = HostKey(path: states + "/repltools/ssh_host_ed25519_key")
    }
    if unsafe access(key.path, F_OK) != 0 { try key.make() }
    try key.check()
    return key
  }

  private static func makeDirectories(_ path: String) {
    var made = ""
    for part in path.split(separator: "/") {
      made += "/" + part
      // What fails here is said better by the one who wants the directory.
      unsafe mkdir(made, mode_t(0o700))
    }
  }

  /// Makes it under another name, in a directory of its own beside it. Of two servers that start at once one is first.
  private func make() throws(ClientError) {
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    var template = "\(parent)/.repltools-key-XXXXXX".utf8.map { CChar(bitPattern: $0) } + [0]
    guard unsafe mkdtemp(&template) != nil else {
      throw ClientError(
        .notPermitted, "cannot make a host key in \(parent): \(FileContent.lastError); name another with --host-key")
    }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let draft = folder + "/key"
    defer {
      unsafe unlink(draft)
      unsafe unlink(draft + ".pub")
      unsafe rmdir(folder)
    }
    let words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "repltools", "-f", draft]
    let answer = try ChildOutput.read(
      words, withErrors: true, maximumLength: Self.maximumAnswerLength, until: .after(Self.patience))
    guard let answer, answer.status != 127 else { throw ClientError(.noServer, Self.missing) }
    guard answer.status == 0 else { throw ClientError(.noServer, "ssh-keygen made no host key: \(answer.text)") }
    guard unsafe link(draft, path) == 0 || errno == EEXIST else {
      throw ClientError(.notPermitted, "cannot make the host key \(path): \(FileContent.lastError)")
    }
  }

  /// sshd would refuse it, and not say that to anybody.
  private func check() throws(ClientError) {
    guard let status = FileStatus(of: path, followsLinks: true), status.isFile else {
      throw ClientError(.notPermitted, "the host key \(path) is not there, or no file")
    }
    guard status.permissions & 0o077 == 0, [0, getuid()].contains(status.owner) else {
      throw ClientError(
        .notPermitted, "the host key \(path) is not this user's alone, and sshd would refuse it; chmod 600 it")
    }
  }

  /// Its fingerprint, as clients show it.
  func fingerprint() throws(ClientError) -> String {
    let answer = try ChildOutput.read(
      ["ssh-keygen", "-lf", path], withErrors: true, maximumLength: Self.maximumAnswerLength,
      until: .after(Self.patience))
    guard let answer else { throw ClientError(.noServer, Self.missing) }
    guard answer.status == 0, let fingerprint = Fingerprint.inAnswer(answer.text) else {
      throw ClientError(.notPermitted, "the host key \(path) is none: \(answer.text)")
    }
    return fingerprint
  }
}

/// A fingerprint, which is ssh-keygen's business.
enum Fingerprint {
  /// - Parameter answer: a line such as `256 SHA256:... comment (ED25519)`.
  static func inAnswer(_ answer: String) -> String? {
    let words = answer.split(whereSeparator: \.isWhitespace)
    return words.dropFirst().first.flatMap { $0.contains(":") ? String($0) : nil }
  }

  /// That of a key which has logged in.
  ///
  /// - Returns: nil when ssh-keygen does not say.
  static func of(_ key: PublicKey) -> String? {
    let line = Array("\(key.type) \(key.blob)\n".utf8)
    let answer = try? ChildOutput.read(
      ["ssh-keygen", "-lf", "-"], input: line, maximumLength: 1 << 12, until: .after(10))
    return answer.flatMap { inAnswer($0.text) }
  }
}
