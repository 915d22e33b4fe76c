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
    // A tool that looks for servers takes the lock of an entry for a moment, to see whether it is a dead one, and may
    // remove the file between our open and our lock: then it is made again.
    for attempt in 1...lockAttempts {
      let lock = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
      guard lock >= 0 else {
        let number = Glibc.errno
        throw unavailable(path, number)
      }
      if flock(lock, LOCK_EX | LOCK_NB) == 0, isStill(lock, at: path) {
        let entry = RuntimeEntry(socketPath: socketPath, lockPath: path, lock: lock)
        unsafe unlink(entry.socketPath)
        return entry
      }
      Glibc.close(lock)
      if attempt < lockAttempts { usleep(lockPauseMicroseconds) }
    }
    throw ServerError(.addressUnavailable, "another server of this process has the name \(name)")
  }

  private static let lockAttempts = 20
  private static let lockPauseMicroseconds: UInt32 = 1000

  /// Whether a path still names the file that is open.
  private static func isStill(_ descriptor: Int32, at path: String) -> Bool {
    var open = stat()
    var named = stat()
    return unsafe fstat(descriptor, &open) == 0 && stat(path, &named) == 0 && open.st_ino == named.st_ino
      && open.st_dev == named.st_dev
  }

  /// Removes the entry.
  deinit {
    unsafe unlink(socketPath)
    unsafe unlink(lockPath)
    process_hooks_forget_descriptor(lockSlot)
    Glibc.close(lock)
  }

  /// Makes the socket's file this user's alone; the directory keeps others out before that.
  func restrictSocket() { unsafe chmod(socketPath, mode_t(0o600)) }

  private static func unavailable(_ path: String, _ number: Int32) -> ServerError {
    ServerError(
      .noResources,
      "cannot make \(path): \(ServerError.text(of: number)); the server can do without a unix socket if told so",
      errno: number)
  }

  private static func directory() throws(ServerError) -> String {
    let own = getuid()
    let runtime = unsafe getenv("XDG_RUNTIME_DIR").map { unsafe String(cString: $0) }
    let path = RuntimeDirectory(runtime: runtime, user: own) { path in
      var status = stat()
      return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }.path
    if unsafe mkdir(path, mode_t(0o700)) != 0, Glibc.errno != EEXIST {
      let number = Glibc.errno
      throw unavailable(path, number)
    }
    var status = stat()
    guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
      RuntimeDirectory.isSafe(owner: status.st_uid, permissions: status.st_mode & 0o7777, user: own)
    else {
      throw ServerError(
        .notPermitted,
        "\(path) is not a directory that only this user can write to; remove it, or set XDG_RUNTIME_DIR")
    }
    return path
  }
}
