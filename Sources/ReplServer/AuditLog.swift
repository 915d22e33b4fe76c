// The audit log: a file that says who did what, one JSON object a line.
internal import CProcessHooks
internal import Glibc
internal import Shared

/// The file. It is used on the event loop only, and written at once: what a record tells of is not done before the
/// record is in the file.
final class AuditLog {
  /// Why a record could not be written, in the system's words.
  struct Failure: Error, Equatable {
    let reason: String
  }

  let path: String
  private var descriptor: Int32 = -1
  private var slot: Int32 = -1
  /// Whether a record was cut short: the next one begins a new line.
  private var isCut = false

  /// Opens the file, and makes it when there is none.
  /// - Throws: `ServerError` when it cannot be written to, or others could.
  init(path: String) throws(ServerError) {
    self.path = path
    do throws(Failure) {
      try open()
    } catch {
      throw ServerError(.notPermitted, "cannot write to the audit log \(path): \(error.reason)")
    }
  }

  deinit { close() }

  /// Appends a record.
  func write(_ record: JSON.Object) throws(Failure) {
    if !isCurrent {
      close()
      try open()
    }
    var line = JSON.object(record).serialized()
    line.append(UInt8(ascii: "\n"))
    if isCut { line.insert(UInt8(ascii: "\n"), at: 0) }
    var rest = line[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, Glibc.errno == EINTR { continue }
      guard count > 0 else {
        let number = Glibc.errno
        isCut = isCut || rest.count < line.count
        throw Failure(reason: ServerError.text(of: count == 0 ? ENOSPC : number))
      }
      rest = rest.dropFirst(count)
    }
    isCut = false
  }

  /// Whether the path still leads to the open file: whoever rotates logs renames it, and may make another.
  private var isCurrent: Bool {
    guard descriptor >= 0 else { return false }
    var own = stat()
    var named = stat()
    return unsafe fstat(descriptor, &own) == 0 && stat(path, &named) == 0 && own.st_ino == named.st_ino
      && own.st_dev == named.st_dev
  }

  private func open() throws(Failure) {
    // A pipe without a reader would block otherwise.
    let opened = unsafe Glibc.open(
      path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode_t(0o600))
    guard opened >= 0 else {
      let number = Glibc.errno
      throw Failure(
        reason: number == ELOOP ? "it is a symbolic link; name the file itself" : ServerError.text(of: number))
    }
    if let reason = Self.fault(of: opened) {
      Glibc.close(opened)
      throw Failure(reason: reason)
    }
    descriptor = opened
    slot = process_hooks_register_descriptor(opened)
    isCut = false
  }

  /// What is wrong with an open file as an audit log; nil when nothing is.
  private static func fault(of descriptor: Int32) -> String? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return ServerError.text(of: Glibc.errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { return "it is not a regular file" }
    guard [geteuid(), 0].contains(status.st_uid) else { return "it belongs to the user \(status.st_uid)" }
    guard status.st_mode & 0o022 == 0 else { return "others can write to it; chmod go-w it" }
    return nil
  }

  private func close() {
    guard descriptor >= 0 else { return }
    process_hooks_forget_descriptor(slot)
    Glibc.close(descriptor)
    descriptor = -1
  }
}
