// The time limit: what `--timeout` takes.

/// A number of seconds above 0.
public struct TimeLimit: Equatable, Sendable {
  public let seconds: Double

  /// - Parameter argument: decimal digits, with a point among them if wanted; nil for anything else.
  public init?(argument: String) {
    // Not what `Double` takes beyond that: hexadecimal, infinite and no number at all.
    guard argument.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: ".") }),
      let seconds = Double(argument), seconds > 0, seconds.isFinite
    else { return nil }
    self.seconds = seconds
  }
}
