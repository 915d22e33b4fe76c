// The remote session: what sshd runs for whoever has logged in, whatever they have asked for.

internal import Glibc
internal import ReplClient
internal import Shared
internal import SystemPackage

/// The forced command of the door: from a key and a command line to one of our tools at one server.
struct RemoteSession {
  private let socket: String
  private let command: RemoteCommand
  private let introduction: JSON.Object

  /// Variables that the tools get: what sshd and the login shell have set besides is no business of theirs.
  private static let keptVariables = [
    "HOME", "LOGNAME", "PATH", "SHELL", "TERM", "TZ", "USER", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "SSH_CONNECTION",
  ]
  private static let maximumAuthenticationLength = 1 << 16

  /// - Parameters:
  ///   - socket: of the server.
  ///   - keysFile: the authorized keys.
  /// - Throws: `ClientError`: the key may not do that, or nobody could.
  init(socket: String, keysFile: String) throws(ClientError) {
    let environment = Environment()
    guard let path = environment["SSH_USER_AUTH"],
      let content = FileContent.read(path, maximumLength: Self.maximumAuthenticationLength),
      let key = PublicKey(authentication: content)
    else {
      throw ClientError(.notPermitted, "sshd does not say which key has logged in; it must be OpenSSH 7.6 or later")
    }
    let policy = try KeyPolicy(of: key, in: try KeysFile(path: keysFile).read(), name: keysFile)
    self.socket = socket
    command = try RemoteCommand(line: environment["SSH_ORIGINAL_COMMAND"], permit: policy.permit)
    var ssh: JSON.Object = [
      "user": .string(environment["USER"] ?? environment["LOGNAME"] ?? ""),
      "address": .string(Self.address(environment["SSH_CONNECTION"] ?? "")),
    ]
    guard let fingerprint = Fingerprint.of(key) else {
      throw ClientError(
        .failed, "ssh-keygen does not tell the fingerprint of the key; install it (Debian: openssh-client)")
    }
    ssh["key"] = .string(fingerprint)
    var introduction: JSON.Object = ["ssh": .object(ssh)]
    if let permit = policy.permit { introduction["permit"] = .array(permit.map { .string($0) }) }
    self.introduction = introduction
  }

  /// - Parameter connection: address and port of the client, then of the server, with blanks between them.
  static func address(_ connection: String) -> String {
    let words = connection.split(separator: " ")
    guard words.count >= 2 else { return "" }
    return words[0].contains(":") ? "[\(words[0])]:\(words[1])" : "\(words[0]):\(words[1])"
  }

  /// Becomes the tool.
  ///
  /// - Returns: why it could not.
  func become() throws(ClientError) -> ClientError {
    // PREFIX/libexec/repltools/replssh
    let prefix = try SecureShellDoor.ownPath().removingLastComponent().removingLastComponent().removingLastComponent()
    let program = prefix.appending("bin").appending(command.tool.rawValue).string
    let environment = Environment()
    var variables = Self.keptVariables.compactMap { name in environment[name].map { "\(name)=\($0)" } }
    variables.append("REPL_INTRODUCTION=" + String(decoding: JSON.object(introduction).serialized(), as: UTF8.self))
    // The pager of replconnect runs nothing for its user.
    variables.append("LESSSECURE=1")
    let words = [program, "-t", "unix:\(socket)"] + command.words
    unsafe SpawnedWords(words).spawn { arguments in
      unsafe SpawnedWords(variables).spawn { variables in
        _ = unsafe execve(program, arguments, variables)
      }
    }
    return ClientError(.noServer, "cannot run \(program): \(FileContent.lastError); install repltools again")
  }
}

/// The environment of this process.
struct Environment {
  subscript(name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}
