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
    owner == user && permissions & othersMayWrite == 0
  }

  /// What the file system says of a directory.
  public struct Ownership: Equatable, Sendable {
    public let owner: UInt32
    /// The bits of chmod(2).
    public let permissions: UInt32
    public let isDirectory: Bool

    public init(owner: UInt32, permissions: UInt32, isDirectory: Bool) {
      self.owner = owner
      self.permissions = permissions
      self.isDirectory = isDirectory
    }
  }

  /// The directory that it is in.
  public var parent: String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
  }

  /// Why it must not be used, in one line that says what to do; nil when it may.
  ///
  /// - Parameters:
  ///   - directory: what it is, itself and not what a symbolic link in its place points to.
  ///   - user: who it is to be safe for.
  public func refusal(of directory: Ownership?, user: UInt32) -> String? {
    if let directory, directory.isDirectory,
      Self.isSafe(owner: directory.owner, permissions: directory.permissions, user: user)
    {
      return nil
    }
    return "\(path) is not a directory that only this user can write to; remove it, or set XDG_RUNTIME_DIR"
  }

  /// Why nothing in the directory that it is in is safe; nil when it is. Who can rename what is in there, can put
  /// another directory in the place of this one at any time.
  ///
  /// - Parameters:
  ///   - parent: what that is; a symbolic link stands for what it points to.
  ///   - user: who it is to be safe for.
  public func refusal(ofParent parent: Ownership?, user: UInt32) -> String? {
    if let parent, parent.isDirectory, parent.owner == user || parent.owner == 0,
      parent.permissions & Self.othersMayWrite == 0 || parent.permissions & Self.sticky != 0
    {
      return nil
    }
    return "others can replace what is in \(self.parent); make it writable by this user alone, or set XDG_RUNTIME_DIR"
  }

  private static let othersMayWrite: UInt32 = 0o022
  /// Who can write to the directory cannot remove or rename what is another's: chmod(2).
  private static let sticky: UInt32 = 0o1000
}

/// The name of a server's files in the runtime directory: `PID-NAME.sock` and `PID-NAME.lock`, and `PID-NAME.ssh/`.
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
  private static let socketEnd = ".sock"
  private static let doorEnd = ".ssh"

  public var socketFileName: String { "\(pid)-\(name)\(Self.socketEnd)" }
  public var lockFileName: String { "\(pid)-\(name)\(Self.lockEnd)" }
  /// The directory of the ssh door, which holds one file.
  public var doorDirectoryName: String { "\(pid)-\(name)\(Self.doorEnd)" }
  public static let doorFileName = "sshd_config"
  /// That directory, of the server with this socket.
  public static func doorDirectory(besideSocket path: String) -> String {
    (path.hasSuffix(socketEnd) ? String(path.dropLast(socketEnd.count)) : path) + doorEnd
  }
}
