// The user names: what the users of this machine are called.
internal import Glibc

/// Names by number, from passwd(5). The C library would ask name services, which may take long, in a thread that
/// must not wait, and loads libraries into the host for it.
struct UserNames {
  private var known: [UInt32: String]

  /// - Parameter known: those that are known already; the Python side has asked.
  init(known: [UInt32: String] = [:]) { self.known = known }

  /// The name of a user; nil when the file does not have it.
  mutating func name(of user: UInt32) -> String? {
    if let name = known[user] { return name }
    guard known.count < ServerLimits.knownUserNames, let name = Self.read()[user] else { return nil }
    known[user] = name
    return name
  }

  private static func read() -> [UInt32: String] {
    let file = unsafe open("/etc/passwd", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [:] }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while bytes.count < ServerLimits.passwordFileBytes {
      let count = unsafe Glibc.read(file, &buffer, buffer.count)
      guard count > 0 else { break }
      bytes += buffer.prefix(count)
    }
    return parse(bytes)
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
