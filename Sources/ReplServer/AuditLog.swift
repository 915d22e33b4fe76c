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
  /// Whether the last line may lack its end: a record was cut short, or the file has just been opened and may have been
  /// left so.
  private var mayBeCut = false

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
    var line = Self.printable(JSON.object(record).serialized())
    line.append(UInt8(ascii: "\n"))
    if mayBeCut, lacksLineEnd { line.insert(UInt8(ascii: "\n"), at: 0) }
    var rest = line[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, Glibc.errno == EINTR { continue }
      guard count > 0 else {
        let number = Glibc.errno
        mayBeCut = true
        throw Failure(reason: ServerError.text(of: count == 0 ? ENOSPC : number))
      }
      rest = rest.dropFirst(count)
    }
    mayBeCut = false
  }

  /// Escapes what some programs take for the end of a line, and what terminals obey or reorder a line by: what a visitor
  /// has sent is not to look like another record.
  /// - Parameter document: JSON, which has such characters in strings only.
  private static func printable(_ document: [UInt8]) -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(document.count + 1)
    for scalar in String(decoding: document, as: UTF8.self).unicodeScalars {
      if (0x20..<0x7F).contains(scalar.value) {
        line.append(UInt8(truncatingIfNeeded: scalar.value))
        continue
      }
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator:
        for unit in UTF16.encode(scalar) ?? UTF16.EncodedScalar() {
          let digits = String(unit, radix: 16)
          line += "\\u\(String(repeating: "0", count: max(0, 4 - digits.utf8.count)))\(digits)".utf8
        }
      default: line += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
      }
    }
    return line
  }

  /// Whether the file ends in the midst of a line.
  private var lacksLineEnd: Bool {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_size > 0 else { return false }
    var last: UInt8 = 0
    return unsafe pread(descriptor, &last, 1, status.st_size - 1) == 1 && last != UInt8(ascii: "\n")
  }

  /// Whether the path still leads to the open file, and that is still fit: whoever rotates logs renames it, and may make
  /// another, and anybody who may can change its mode.
  private var isCurrent: Bool {
    guard descriptor >= 0 else { return false }
    var own = stat()
    var named = stat()
    return unsafe fstat(descriptor, &own) == 0 && lstat(path, &named) == 0 && own.st_ino == named.st_ino
      && own.st_dev == named.st_dev && Self.fault(of: own) == nil
  }

  private func open() throws(Failure) {
    // A pipe or a device might block otherwise. What was written last is read, too.
    let opened = unsafe Glibc.open(
      path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode_t(0o600))
    guard opened >= 0 else {
      let number = Glibc.errno
      throw Failure(
        reason: number == ELOOP ? "it is a symbolic link; name the file itself" : ServerError.text(of: number))
    }
    var status = stat()
    if let reason = unsafe fstat(opened, &status) == 0 ? Self.fault(of: status) : ServerError.text(of: Glibc.errno) {
      Glibc.close(opened)
      throw Failure(reason: reason)
    }
    slot = process_hooks_register_descriptor(opened)
    guard slot >= 0 else {
      // A forked child would keep it.
      Glibc.close(opened)
      throw Failure(reason: "too many descriptors are open")
    }
    descriptor = opened
    mayBeCut = true
  }

  /// What is wrong with a file as an audit log; nil when nothing is.
  private static func fault(of status: stat) -> String? {
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
