// The user namespace: which user numbers that the kernel tells us may stand for more than one user.

/// user_namespaces(7): a user that has no number in our namespace is told of as the overflow user, usually 65534. In a
/// namespace that lacks some users, as those of containers do, that number may be anybody's.
enum UserNamespace {
  /// Whether a number may stand for users that have none here.
  static func isAmbiguous(_ user: UInt32) -> Bool {
    let overflow = UInt32(text(of: "/proc/sys/kernel/overflowuid").prefix { $0.isNumber }) ?? usualOverflowUser
    // Without a map, nobody has a number.
    return user == overflow && !isWhole(map: text(of: "/proc/self/uid_map"))
  }

  /// - Parameter map: as proc(5) has it: a line for each range, of the first number here, the first one outside, and how many.
  /// - Returns: whether every user has a number.
  static func isWhole(map: String) -> Bool {
    var count: UInt64 = 0
    for line in map.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 3, let length = UInt32(words[2]) else { return false }
      count += UInt64(length)
    }
    // The last number stands for no user.
    return count >= UInt64(UInt32.max)
  }

  private static let usualOverflowUser: UInt32 = 65534

  /// A small file; empty when it cannot be read.
  private static func text(of path: String) -> String {
    String(decoding: ProcessFiles.bytes(of: path, upTo: maximumLength) ?? [], as: UTF8.self)
  }

  /// The kernel's own limit is 340 ranges, in lines of 33 bytes.
  private static let maximumLength = 12 << 10
}
