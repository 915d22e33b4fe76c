// The ssh door: what replssh does, by the first word of its command line.

internal import CSupervision
internal import Glibc
internal import ReplClient
internal import Shared
internal import SystemPackage

/// The whole of `replssh`, which only a server and sshd start.
public enum SecureShellDoor {
  /// Does what this process's command line says.
  public static func main() -> Never {
    let words = Array(CommandLine.arguments.dropFirst())
    do throws(ClientError) {
      switch (words.first, words.count) {
      case ("supervise", 1): try superviseByChild()
      case ("hold", 1): try Supervisor.hold()
      case ("daemon", 3...): throw becomeDaemon(parent: words[1], Array(words.dropFirst(2)))
      case ("session", 3): throw try RemoteSession(socket: words[1], keysFile: words[2]).become()
      default:
        throw ClientError(.usage, "this is started by replserve; see replserve(1), --ssh")
      }
    } catch {
      say(error)
      exit(error.code.rawValue)
    }
    exit(ExitCode.done.rawValue)
  }

  /// Where this program is. Without it nothing of a door can be told to sshd.
  static func ownPath() throws(ClientError) -> FilePath {
    guard let path = unsafe realpath("/proc/self/exe", nil) else {
      throw ClientError(.noServer, "cannot tell where replssh is installed: /proc is not mounted; mount it")
    }
    defer { unsafe free(path) }
    return unsafe FilePath(platformString: path)
  }

  private static func say(_ error: ClientError) {
    try? StandardStream(STDERR_FILENO).write(Array("replserve: \(error.message)\n".utf8))
  }

  /// Becomes sshd, which then ends with the supervisor even when that is killed.
  ///
  /// - Parameter parent: the number of the supervisor.
  /// - Returns: why it could not.
  private static func becomeDaemon(parent: String, _ words: [String]) -> ClientError {
    supervision_end_with_parent(SIGTERM)
    // It may have ended before that.
    guard "\(getppid())" == parent else { return ClientError(.noServer, "the supervisor of sshd has ended") }
    unsafe SpawnedWords(words).spawn { arguments in _ = unsafe execv(words.first ?? "", arguments) }
    return ClientError(.noServer, "cannot run \(words.first ?? ""): \(FileContent.lastError)")
  }

  /// Leaves the supervisor to itself: it must not be a child of the program for which it is there, which may wait for
  /// any child of its own.
  private static func superviseByChild() throws(ClientError) {
    // What the program has open is its own.
    Descriptors.close(from: STDERR_FILENO + 1)
    guard
      Spawn(words: [try ownPath().string, "hold"], startsSession: true).run() != nil
    else { throw ClientError(.noServer, "cannot start a process: \(FileContent.lastError)") }
  }
}

/// The descriptors of this process.
enum Descriptors {
  /// Closes all from a number on.
  static func close(from first: Int32) {
    guard let directory = unsafe opendir("/proc/self/fd") else { return }
    defer { unsafe closedir(directory) }
    var found: [Int32] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let number = Int32(name), number >= first { found.append(number) }
    }
    let own = unsafe dirfd(directory)
    for number in found where number != own { Glibc.close(number) }
  }
}

/// A program that is started, with the default for every signal.
struct Spawn {
  /// The path of the program, and the words behind it.
  var words: [String]
  /// Whether it leads a session of its own.
  var startsSession = false
  /// What becomes its standard error, the other two being nothing; nil lets it have what this process has.
  var errors: Int32?

  /// POSIX_SPAWN_SETSID of spawn.h, which the Glibc module leaves out.
  private static let setSession: Int32 = 0x80

  /// - Returns: its number; nil when it could not be started.
  func run() -> pid_t? {
    guard let program = words.first else { return nil }
    var actions = unsafe posix_spawn_file_actions_t()
    guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { return nil }
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    var attributes = posix_spawnattr_t()
    guard unsafe posix_spawnattr_init(&attributes) == 0 else { return nil }
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    if let errors {
      unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0)
      unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_RDWR, 0)
      unsafe posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
    }
    var none = sigset_t()
    var all = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    let session = startsSession ? Self.setSession : 0
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | session))
    var child = pid_t()
    return unsafe SpawnedWords(words).spawn { arguments in
      unsafe posix_spawn(&child, program, &actions, &attributes, arguments, environ) == 0 ? child : nil
    }
  }
}
