// The remote shell: the system's ssh, which carries a connection to a server on another machine.

internal import Glibc
internal import Shared
internal import SystemPackage

/// A running ssh whose command on the other machine is `replctl relay`. It ends with its last owner.
///
/// ssh itself asks for passphrases and unknown hosts on the terminal, reads `~/.ssh/config` and uses agents; this only
/// starts it, and says what became of it.
final class RemoteShell {
  private let host: String
  private let child: pid_t
  private var isReaped = false
  /// The end that ssh does not have, until it is taken.
  private var near: OwnedDescriptor?

  /// How long all of it may take when nobody says otherwise, in seconds: a person may have to type a passphrase.
  static let patience = 120.0

  /// A day; ssh counts in an int.
  private static let longestTimeout = 86_400.0

  /// What ssh ends with when it could not do its part.
  private static let sshFailed: Int32 = 255
  /// What a shell ends with when there is no such program.
  private static let noProgram: Int32 = 127

  /// - Parameter seconds: how long connecting may take, before anything is asked.
  /// - Throws: `ClientError` when there is no ssh here.
  init(user: String?, host: String, port: UInt16?, connectWithin seconds: Double) throws(ClientError) {
    self.host = host
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0, let first = ends.first, let second = ends.last else {
      throw ClientError(.failed, "cannot make a socket: \(Errno(rawValue: Glibc.errno))")
    }
    let near = OwnedDescriptor(adopting: first)
    let far = OwnedDescriptor(adopting: second)
    do throws(Errno) {
      try SystemCall.makeNonBlocking(near)
      child = try Self.start(Self.words(user: user, host: host, port: port, connectWithin: seconds), over: far)
    } catch {
      throw ClientError(.noServer, "cannot run ssh: \(error); install it (Debian: openssh-client)")
    }
    self.near = consume near
  }

  deinit { end() }

  /// The end of the connection that is ours; nil the second time.
  func takeSocket() -> OwnedDescriptor? {
    let taken = near.take()
    return taken
  }

  /// The command line of ssh.
  static func words(user: String?, host: String, port: UInt16?, connectWithin seconds: Double) -> [String] {
    var words = ["ssh", "-T"]
    if let port { words += ["-p", "\(port)"] }
    if let user { words += ["-l", user] }
    words += ["-o", "ConnectTimeout=\(max(1, Int(min(seconds, longestTimeout).rounded(.up))))"]
    // What the user's configuration forwards, or runs, for this host belongs to other connections.
    words += ["-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none"]
    return words + ["--", host, "replctl relay"]
  }

  private static func start(_ words: [String], over far: consuming OwnedDescriptor) throws(Errno) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { throw Errno.noMemory }
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    guard unsafe posix_spawnattr_init(&attributes) == 0 else { throw Errno.noMemory }
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    unsafe posix_spawn_file_actions_adddup2(&actions, far.number, STDIN_FILENO)
    unsafe posix_spawn_file_actions_adddup2(&actions, far.number, STDOUT_FILENO)
    // Ctrl-C, Ctrl-\ and Ctrl-Z are for the tool. ssh stays in its process group, so that it may use the terminal.
    var mask = sigset_t()
    unsafe sigemptyset(&mask)
    for number in [SIGINT, SIGQUIT, SIGTSTP] { unsafe sigaddset(&mask, number) }
    unsafe posix_spawnattr_setsigmask(&attributes, &mask)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var child = pid_t()
    let failure = unsafe SpawnedWords(words).spawn { arguments in
      unsafe posix_spawnp(&child, "ssh", &actions, &attributes, arguments, environ)
    }
    guard failure == 0 else { throw Errno(rawValue: failure) }
    return child
  }

  /// Ends ssh, if it has not ended.
  func end() {
    guard !isReaped else { return }
    // It puts a terminal back in order that it was asking on.
    kill(child, SIGTERM)
    _ = reap()
  }

  /// Waits for ssh to end, which closes its end of the socket no earlier than that.
  private func reap() -> Int32 {
    isReaped = true
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0 { guard Glibc.errno == EINTR else { return 0 } }
    return status
  }

  /// Why the connection has ended.
  func failure() -> ClientError {
    guard !isReaped else { return ClientError(.noServer, "the connection to \(host) has ended") }
    return Self.failure(host: host, status: reap())
  }

  /// - Parameter status: of ssh, as wait(2) has it.
  static func failure(host: String, status: Int32) -> ClientError {
    guard status & 0x7F == 0 else {
      return ClientError(.noServer, "ssh to \(host) was ended by signal \(status & 0x7F)")
    }
    switch (status >> 8) & 0xFF {
    case sshFailed: return ClientError(.noServer, "there is no connection to \(host): ssh has said why")
    case noProgram:
      return ClientError(.noServer, "there is no replctl on PATH on \(host); install repltools there")
    case 0: return ClientError(.noServer, "the server on \(host) closed the connection")
    case let code:
      // One of our own: `replctl relay` has told the rest on standard error.
      let known = ExitCode(rawValue: code)
      return ClientError(known ?? .noServer, "replctl on \(host) has ended with \(code)")
    }
  }
}
