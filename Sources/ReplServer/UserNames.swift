// The user names: what the users of this machine are called.
internal import Glibc

/// Names by number, from passwd(5). The C library would ask name services, which may take long, in a thread that
/// must not wait, and loads libraries into the host for it.
struct UserNames {
  /// What is known of a user, which may be that there is no name.
  private var known: [UInt32: String?]
  private let read: () -> [UInt8]

  /// - Parameters:
  ///   - known: those that are known already; the Python side has asked.
  ///   - read: gives what passwd(5) describes.
  init(known: [UInt32: String] = [:], read: @escaping () -> [UInt8] = UserNames.passwordFile) {
    self.known = known
    self.read = read
  }

  /// The name of a user; nil when the file does not have it.
  mutating func name(of user: UInt32) -> String? {
    if let name = known[user] { return name }
    guard known.count < ServerLimits.knownUserNames else { return nil }
    let name = Self.parse(read())[user]
    known[user] = .some(name)
    return name
  }

  /// The file of this machine, as far as it is not too long.
  static func passwordFile() -> [UInt8] {
    let file = unsafe open("/etc/passwd", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while bytes.count < ServerLimits.passwordFileBytes {
      let count = unsafe Glibc.read(file, &buffer, buffer.count)
      guard count > 0 else { break }
      bytes += buffer.prefix(count)
    }
    return bytes
  }

  /// - Parameter bytes: lines of NAME:PASSWORD:UID:...; the first name of a user counts.
  static func parse(_ bytes: [UInt8]) -> [UInt32: String] {
    var names: [UInt32: String] = [:]
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false)
      guard parts.count > 2, !parts[0].isEmpty, let user = UInt32(String(decoding: parts[2], as: UTF8.self)),
        names[user] == nil
      else { continue }
      names[user] = String(decoding: parts[0], as: UTF8.self)
    }
    return names
  }
}
