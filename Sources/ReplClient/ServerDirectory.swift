// The server directory: the servers of this user on this machine that are alive.

internal import Glibc
public import Shared
internal import SystemPackage

/// Finds the servers in the runtime directory.
public struct ServerDirectory: Sendable {
  /// A server that lives: somebody holds its lock.
  public struct Entry: Hashable, Sendable {
    public let pid: Int32
    public let name: String
    public let socketPath: String

    /// `NAME[PID]`.
    public var label: String { "\(name)[\(pid)]" }

    public var destination: Destination { Destination(.unix(path: socketPath), label: label) }
  }

  private let directory: RuntimeDirectory

  public init(_ directory: RuntimeDirectory) { self.directory = directory }

  /// That of the user who runs the tool.
  ///
  /// - Parameter runtime: `$XDG_RUNTIME_DIR`; nil when it is not set.
  public static func ofThisUser(runtime: String?) -> ServerDirectory {
    ServerDirectory(
      RuntimeDirectory(runtime: runtime, user: Trust.ownUser) {
        FileStatus(of: $0, followsLinks: true)?.isDirectory == true
      }
    )
  }

  /// The servers, by pid and name. What a killed server has left is removed on the way.
  ///
  /// - Throws: `ClientError`, `.notPermitted` when others could have put something there.
  public func servers() throws(ClientError) -> [Entry] {
    guard let status = FileStatus(of: directory.path, followsLinks: false) else { return [] }
    let parent = FileStatus(of: directory.parent, followsLinks: true)
    if let refusal = directory.refusal(of: status.ownership, user: Trust.ownUser)
      ?? directory.refusal(ofParent: parent?.ownership, user: Trust.ownUser)
    {
      throw ClientError(.notPermitted, refusal)
    }
    let entries = try fileNames().compactMap { RuntimeEntryName(lockFileName: $0) }.filter {
      Self.isOurs($0) && isLive($0) && isReachable($0)
    }
    return entries.sorted { ($0.pid, $0.name) < ($1.pid, $1.name) }
      .map { Entry(pid: $0.pid, name: $0.name, socketPath: "\(directory.path)/\($0.socketFileName)") }
  }

  /// Whether a server can have that name; what has another one was put there by somebody else, and is left alone.
  private static func isOurs(_ entry: RuntimeEntryName) -> Bool {
    (try? Endpoint(parsing: "name:\(entry.name)")) != nil
  }

  private func fileNames() throws(ClientError) -> [String] {
    guard let stream = unsafe opendir(directory.path) else {
      throw ClientError(.failed, "cannot read \(directory.path): \(Errno(rawValue: Glibc.errno))")
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while names.count < Self.maximumFileCount, let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
        unsafe start.withMemoryRebound(to: CChar.self, capacity: Self.maximumFileNameLength + 1) {
          unsafe String(cString: $0)
        }
      }
      names.append(name)
    }
    return names
  }

  /// More than any number of servers; the directory is the user's own, and may hold anything.
  private static let maximumFileCount = 1 << 16
  /// NAME_MAX of limits.h.
  private static let maximumFileNameLength = 255

  /// Whether there is a socket yet: a server that is starting has its lock first.
  private func isReachable(_ entry: RuntimeEntryName) -> Bool {
    FileStatus(of: "\(directory.path)/\(entry.socketFileName)", followsLinks: false) != nil
  }

  /// Whether somebody holds the lock. If nobody does, the files go while we hold it, so that no server that is just
  /// starting loses its own.
  private func isLive(_ entry: RuntimeEntryName) -> Bool {
    let lockPath = "\(directory.path)/\(entry.lockFileName)"
    let number = unsafe open(lockPath, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard number >= 0 else { return false }
    let lock = OwnedDescriptor(adopting: number)
    guard flock(lock.number, LOCK_EX | LOCK_NB) != 0 else {
      unsafe unlink("\(directory.path)/\(entry.socketFileName)")
      // Its supervisor has removed these, unless that was killed, too.
      let door = "\(directory.path)/\(entry.doorDirectoryName)"
      unsafe unlink("\(door)/\(RuntimeEntryName.doorFileName)")
      unsafe rmdir(door)
      unsafe unlink(lockPath)
      return false
    }
    return Glibc.errno == EWOULDBLOCK
  }
}
