// The file status: what stat(2) says of a path.

internal import Glibc
internal import Shared

public struct FileStatus: Equatable, Sendable {
  public let owner: UInt32
  /// The bits of chmod(2).
  public let permissions: UInt32
  public let isDirectory: Bool
  public let isFile: Bool

  /// What the rule of the runtime directory wants to know.
  var ownership: RuntimeDirectory.Ownership {
    RuntimeDirectory.Ownership(owner: owner, permissions: permissions, isDirectory: isDirectory)
  }

  /// - Parameter followsLinks: whether a symbolic link stands for what it points to. Nil when there is nothing.
  public init?(of path: String, followsLinks: Bool) {
    var status = stat()
    guard unsafe (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
    owner = status.st_uid
    permissions = status.st_mode & 0o7777
    isDirectory = status.st_mode & S_IFMT == S_IFDIR
    isFile = status.st_mode & S_IFMT == S_IFREG
  }
}
