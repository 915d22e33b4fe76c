// The history file: statements that were typed, kept for the next time.

internal import Glibc
internal import ReplClient
internal import Shared

/// One file that all clients of a user append to: a statement a line, as a JSON string, the oldest first.
///
/// It is locked while it is read or written; whoever makes it shorter writes a new one in its place.
struct HistoryFile: Equatable {
  let path: String

  /// The most statements that are kept, and the most bytes of one of them and of the file that is read.
  static let maximumCount = 10_000
  static let maximumStatementLength = 1 << 16
  static let maximumFileLength = 1 << 24

  /// - Parameters:
  ///   - stateHome: `$XDG_STATE_HOME`; one that is not absolute counts as not set.
  ///   - home: `$HOME`; nil for no history without the other.
  init?(stateHome: String?, home: String?) {
    if let stateHome, stateHome.hasPrefix("/") {
      path = stateHome + "/repltools/history"
    } else if let home, home.hasPrefix("/") {
      path = home + "/.local/state/repltools/history"
    } else {
      return nil
    }
  }

  /// Whether a statement is one to be kept: not what is blank or begins with a space.
  static func keeps(_ statement: String) -> Bool {
    guard let first = statement.unicodeScalars.first, first != " ", first != "\t" else { return false }
    return statement.utf8.count <= maximumStatementLength
      && statement.unicodeScalars.contains { !$0.properties.isWhitespace }
  }

  /// The line of the file for a statement, with its newline.
  static func line(for statement: String) -> [UInt8] { JSON.string(statement).serialized() + [UInt8(ascii: "\n")] }

  /// The statements in the bytes of a file; what is no statement is left out.
  static func statements(in bytes: [UInt8]) -> [String] {
    bytes.split(separator: UInt8(ascii: "\n")).suffix(maximumCount).compactMap { line in
      guard let text = (try? JSON(parsing: line))?.stringValue, keeps(text), !text.utf8.contains(0) else { return nil }
      return text
    }
  }

  // MARK: the file

  /// What is in it; nothing when there is none.
  /// - Throws: `ClientError` when it cannot be read.
  func load() throws(ClientError) -> [String] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return [] }
      throw failure("read")
    }
    defer { close(descriptor) }
    flock(descriptor, LOCK_SH)
    return Self.statements(in: try read(descriptor))
  }

  /// Adds a statement.
  /// - Throws: `ClientError` when it cannot be written.
  func append(_ statement: String) throws(ClientError) {
    try makeDirectories()
    let descriptor = try openLocked()
    defer { close(descriptor) }
    let line = Self.line(for: statement)
    guard write(line, to: descriptor) else { throw failure("write") }
    try shorten(descriptor)
  }

  /// Opens the file that is at the path while its lock is held: another client may just have put a new one there.
  private func openLocked() throws(ClientError) -> Int32 {
    for _ in 0..<16 {
      let descriptor = unsafe open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard descriptor >= 0 else { throw failure("open") }
      flock(descriptor, LOCK_EX)
      var mine = stat()
      var there = stat()
      if unsafe fstat(descriptor, &mine) == 0, unsafe stat(path, &there) == 0, mine.st_ino == there.st_ino {
        return descriptor
      }
      close(descriptor)
    }
    throw ClientError(.failed, "cannot lock the history '\(path)'")
  }

  /// Keeps the newer half when there is too much.
  private func shorten(_ descriptor: Int32) throws(ClientError) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_size > Self.maximumFileLength / 4 else { return }
    let kept = Self.statements(in: try read(descriptor)).suffix(Self.maximumCount / 2)
    var bytes: [UInt8] = []
    for statement in kept.reversed() {
      let line = Self.line(for: statement)
      guard bytes.count + line.count <= Self.maximumFileLength / 8 else { break }
      bytes = line + bytes
    }
    let new = "\(path).\(getpid())"
    let file = unsafe open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure("shorten") }
    defer { close(file) }
    guard write(bytes, to: file), unsafe rename(new, path) == 0 else {
      unsafe unlink(new)
      throw failure("shorten")
    }
  }

  private func read(_ descriptor: Int32) throws(ClientError) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    lseek(descriptor, 0, SEEK_SET)
    while bytes.count < Self.maximumFileLength {
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
      guard count >= 0 else { throw failure("read") }
      if count == 0 { break }
      bytes += buffer.prefix(count)
    }
    return bytes
  }

  private func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  private func makeDirectories() throws(ClientError) {
    var made = ""
    for part in path.split(separator: "/").dropLast() {
      made += "/" + part
      guard unsafe mkdir(made, 0o700) == 0 || errno == EEXIST else { throw failure("make the directory of") }
    }
  }

  private func failure(_ what: String) -> ClientError {
    ClientError(.failed, "cannot \(what) the history '\(path)': \(unsafe String(cString: strerror(errno)))")
  }
}
