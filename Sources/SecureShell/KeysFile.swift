// The keys file: the authorized keys, and whether sshd will believe them.

internal import Glibc
internal import ReplClient
internal import Shared

/// A file that sshd reads at every login.
struct KeysFile: Equatable, Sendable {
  let path: String

  /// The most bytes that are read; so many keys fit.
  private static let maximumLength = 1 << 24

  /// - Parameter path: absolute; nil is the file in the user's home.
  init(path: String?, home: String) { self.path = path ?? home + "/.ssh/authorized_keys" }

  init(path: String) { self.path = path }

  /// - Throws: `ClientError` when it is not there, or sshd would refuse every key in it.
  func check(_ account: Account) throws(ClientError) {
    guard let status = FileStatus(of: path, followsLinks: true) else {
      throw ClientError(
        .notPermitted,
        "there is no \(path), so nobody could log in; put a public key into it, or name another with --authorized-keys")
    }
    guard status.isFile else { throw ClientError(.notPermitted, "\(path) is no file with authorized keys") }
    try checkOwners(home: account.home)
    _ = try read()
  }

  /// The rule of sshd's StrictModes: the file and the directories above it, up to the home or the root.
  private func checkOwners(home: String) throws(ClientError) {
    guard let real = Self.real(path) else { throw ClientError(.notPermitted, "cannot find \(path)") }
    let realHome = Self.real(home)
    var place = real
    while true {
      guard let status = FileStatus(of: place, followsLinks: true) else { return }
      let isSafe = [0, getuid()].contains {
        RuntimeDirectory.isSafe(owner: status.owner, permissions: status.permissions, user: $0)
      }
      guard isSafe else {
        throw ClientError(
          .notPermitted,
          "others can write to \(place), so sshd would refuse every key; chmod go-w it, or name another file with "
            + "--authorized-keys")
      }
      guard place != realHome, place != "/", let slash = place.lastIndex(of: "/") else { return }
      place = slash == place.startIndex ? "/" : String(place[..<slash])
    }
  }

  private static func real(_ path: String) -> String? {
    guard let found = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(found) }
    return unsafe String(cString: found)
  }

  /// - Throws: `ClientError` when it cannot be read.
  func read() throws(ClientError) -> [UInt8] {
    guard let bytes = FileContent.read(path, maximumLength: Self.maximumLength) else {
      throw ClientError(.notPermitted, "cannot read \(path), or it is too long: \(FileContent.lastError)")
    }
    return bytes
  }

  /// How many keys there are in it.
  func keyCount() throws(ClientError) -> Int {
    try read().split(separator: UInt8(ascii: "\n")).count { AuthorizedKey(line: $0) != nil }
  }
}

/// The content of a small file.
enum FileContent {
  /// - Returns: nil when it cannot be read, or is longer.
  static func read(_ path: String, maximumLength: Int) -> [UInt8]? {
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else { return nil }
    let file = OwnedDescriptor(adopting: number)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(file.number, $0.baseAddress, $0.count) }
      guard count >= 0 else {
        if errno == EINTR { continue }
        return nil
      }
      if count == 0 { return bytes }
      bytes += buffer.prefix(count)
      guard bytes.count <= maximumLength else { return nil }
    }
  }

  /// The system's words for what the last call has said.
  static var lastError: String {
    let number = errno
    var buffer = [CChar](repeating: 0, count: 256)
    guard unsafe strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
