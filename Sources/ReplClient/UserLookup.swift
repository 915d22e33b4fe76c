// The user lookup: the number of a user.

internal import Shared

/// Finds the number of a user. As for hosts, getent(1) asks the C library in the tool's place.
enum UserLookup {
  /// - Parameter user: a number, which need not be in any table, or a name.
  static func number(of user: String, until deadline: Deadline) throws(ClientError) -> UInt32 {
    if !user.isEmpty, user.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
      // The greatest one stands for none: chown(2).
      guard let number = UInt32(user), number < .max else {
        throw ClientError(.usage, "no user has the number \(user.prefix(40)); give one from 0 to \(UInt32.max - 1)")
      }
      return number
    }
    let answer = try ChildOutput.read(
      ["getent", "passwd", "--", user], maximumLength: maximumAnswerLength, until: deadline)
    guard !user.isEmpty, let number = parse(answer?.output ?? [], name: user) else {
      throw ClientError(.usage, "the user '\(user.prefix(80))' is not known here; give the number, or check the name")
    }
    return number
  }

  private static let maximumAnswerLength = 1 << 16

  /// - Parameter output: a line of passwd(5).
  /// - Returns: the number of that user; nil when the line is about nobody or somebody else.
  static func parse(_ output: [UInt8], name: String) -> UInt32? {
    let line = output.prefix { $0 != UInt8(ascii: "\n") }
    let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard fields.count >= 3, fields[0].elementsEqual(name.utf8) else { return nil }
    return UInt32(String(decoding: fields[2], as: UTF8.self))
  }
}
