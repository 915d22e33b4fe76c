// The runtime directory: where the sockets of this user's servers are, by rule. Whoever looks does the looking.

/// The directory that holds one socket and one lock per server of a user.
///
/// The servers make it and the tools search it, so the rule stands here, once; what the file system says is given
/// as values.
public struct RuntimeDirectory: Equatable, Sendable {
  public let path: String

  /// - Parameters:
  ///   - runtime: `$XDG_RUNTIME_DIR`; nil when it is not set.
  ///   - user: whose servers they are.
  ///   - isDirectory: whether there is a directory at a path. Variables outlive directories: under sudo and in
  ///     containers the variable may name one that is not there.
  public init(runtime: String?, user: UInt32, isDirectory: (String) -> Bool) {
    if let runtime, runtime.utf8.first == UInt8(ascii: "/"), isDirectory(runtime) {
      path = runtime + "/repltools"
    } else {
      path = "/tmp/repltools-\(user)"
    }
  }

  /// A directory somewhere else.
  public init(path: String) { self.path = path }

  /// Whether nobody but its user can put anything into a directory.
  ///
  /// - Parameters:
  ///   - owner: of the directory.
  ///   - permissions: the bits of chmod(2).
  ///   - user: who it is to be safe for.
  public static func isSafe(owner: UInt32, permissions: UInt32, user: UInt32) -> Bool {
    owner == user && permissions & 0o022 == 0
  }
}

/// The name of a server's files in the runtime directory: `PID-NAME.sock` and `PID-NAME.lock`.
public struct RuntimeEntryName: Hashable, Sendable {
  public let pid: Int32
  public let name: String

  public init(pid: Int32, name: String) {
    self.pid = pid
    self.name = name
  }

  /// - Parameter fileName: of a lock; nil for every other file.
  public init?(lockFileName fileName: String) {
    guard fileName.utf8.count <= Limits.maximumSocketPathLength, fileName.hasSuffix(Self.lockEnd),
      let dash = fileName.firstIndex(of: "-"), let pid = Int32(fileName[..<dash]), pid > 0
    else { return nil }
    let name = fileName[fileName.index(after: dash)...].dropLast(Self.lockEnd.count)
    // The one way to write it: a name such as `+1-x` is none of ours.
    guard !name.isEmpty, "\(pid)" == fileName[..<dash] else { return nil }
    self.init(pid: pid, name: String(name))
  }

  private static let lockEnd = ".lock"

  public var socketFileName: String { "\(pid)-\(name).sock" }
  public var lockFileName: String { "\(pid)-\(name)\(Self.lockEnd)" }
}
