// The runtime directory: one socket and one lock per server of this user, and nobody else's.
internal import CProcessHooks
internal import Glibc
internal import Shared

/// A server's entry in `$XDG_RUNTIME_DIR/repltools`, or `/tmp/repltools-UID`.
///
/// A held lock is what makes an entry live; an entry whose lock nobody holds is left over from a process that
/// was killed, and whoever sees it may remove it.
struct RuntimeEntry: ~Copyable {
  let socketPath: String
  private let lockPath: String
  private let lock: Int32
  private let lockSlot: Int32

  private init(socketPath: String, lockPath: String, lock: Int32) {
    self.socketPath = socketPath
    self.lockPath = lockPath
    self.lock = lock
    // A forked child must not hold the lock: the entry would outlive its server.
    lockSlot = process_hooks_register_descriptor(lock)
  }

  /// Makes the directory if need be, and takes the entry's lock.
  /// - Throws: `ServerError` when the directory is not safe or the entry is in use.
  static func make(name: String, pid: Int32) throws(ServerError) -> RuntimeEntry {
    let directory = try directory()
    let names = RuntimeEntryName(pid: pid, name: name)
    let socketPath = "\(directory)/\(names.socketFileName)"
    guard socketPath.utf8.count <= Limits.maximumSocketPathLength else {
      throw ServerError(.addressUnavailable, "the path of the socket is too long: \(socketPath); use a shorter name")
    }
    let path = "\(directory)/\(names.lockFileName)"
    let lock = try takeLock(path, name: name)
    let entry = RuntimeEntry(socketPath: socketPath, lockPath: path, lock: lock)
    unsafe unlink(entry.socketPath)
    return entry
  }

  /// Creates and takes a lock.
  ///
  /// A tool that lists the servers takes the locks that nobody holds, for a moment, and removes their files: that may
  /// hit a file just before its server has locked it. So what looks like another server is looked at again, and a lock
  /// counts only when its file is still there.
  private static func takeLock(_ path: String, name: String) throws(ServerError) -> Int32 {
    for attempt in 1... {
      let lock = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
      guard lock >= 0 else {
        let number = Glibc.errno
        throw unavailable(path, number)
      }
      if flock(lock, LOCK_EX | LOCK_NB) == 0, isFile(lock, at: path) { return lock }
      Glibc.close(lock)
      guard attempt < lockAttempts else { break }
      usleep(lockIntervalMicroseconds)
    }
    throw ServerError(.addressUnavailable, "another server of this process has the name \(name)")
  }

  /// Together far longer than a tool holds a lock.
  private static let lockAttempts = 10
  private static let lockIntervalMicroseconds: UInt32 = 2_000

  /// Whether a descriptor is that of the file which has this path now.
  private static func isFile(_ descriptor: Int32, at path: String) -> Bool {
    var own = stat()
    var named = stat()
    return unsafe fstat(descriptor, &own) == 0 && lstat(path, &named) == 0 && own.st_ino == named.st_ino
      && own.st_dev == named.st_dev
  }

  /// Removes the entry.
  deinit {
    unsafe unlink(socketPath)
    unsafe unlink(lockPath)
    process_hooks_forget_descriptor(lockSlot)
    Glibc.close(lock)
  }

  /// Gives the socket's file back to its user where the umask has taken that, too.
  func openSocketToOwner() { unsafe chmod(socketPath, mode_t(0o600)) }

  private static func unavailable(_ path: String, _ number: Int32) -> ServerError {
    ServerError(
      .noResources,
      "cannot make \(path): \(ServerError.text(of: number)); the server can do without a unix socket if told so",
      errno: number)
  }

  private static func directory() throws(ServerError) -> String {
    let own = getuid()
    let runtime = unsafe getenv("XDG_RUNTIME_DIR").map { unsafe String(cString: $0) }
    let directory = RuntimeDirectory(runtime: runtime, user: own) { path in
      ownership(path, followsLinks: true)?.isDirectory == true
    }
    let path = directory.path
    if let refusal = directory.refusal(ofParent: ownership(directory.parent, followsLinks: true), user: own) {
      throw ServerError(.notPermitted, refusal)
    }
    if unsafe mkdir(path, mode_t(0o700)) != 0, Glibc.errno != EEXIST {
      let number = Glibc.errno
      throw unavailable(path, number)
    }
    if let refusal = directory.refusal(of: ownership(path, followsLinks: false), user: own) {
      throw ServerError(.notPermitted, refusal)
    }
    return path
  }

  private static func ownership(_ path: String, followsLinks: Bool) -> RuntimeDirectory.Ownership? {
    var status = stat()
    guard unsafe (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
    return RuntimeDirectory.Ownership(
      owner: status.st_uid, permissions: status.st_mode & 0o7777, isDirectory: status.st_mode & S_IFMT == S_IFDIR)
  }
}
