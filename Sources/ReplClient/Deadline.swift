// The deadline: a point of the monotonic clock by which something has to have happened.

internal import Glibc

/// A point in time, or never.
public struct Deadline: Comparable, Sendable {
  /// In nanoseconds of CLOCK_MONOTONIC; `Int64.max` is never.
  private let instant: Int64

  public static let never = Deadline(instant: .max)

  /// - Parameter seconds: from now; a negative one counts as 0, and from some three hundred years on, or when it is not a number, it is never.
  public static func after(_ seconds: Double) -> Deadline {
    guard seconds < 9e9 else { return .never }
    let (instant, overflows) = now().addingReportingOverflow(Int64(max(0, seconds) * 1e9))
    return overflows ? .never : Deadline(instant: instant)
  }

  private init(instant: Int64) { self.instant = instant }

  public static func < (left: Deadline, right: Deadline) -> Bool { left.instant < right.instant }

  public var hasPassed: Bool { self != .never && Self.now() >= instant }

  /// The seconds that are left, 0 when it has passed; nil for never.
  public var secondsLeft: Double? { self == .never ? nil : Double(max(0, instant - Self.now())) / 1e9 }

  /// The timeout of poll(2): rounded up, so that a wait that ends has reached the deadline; -1 for never.
  var pollMilliseconds: Int32 {
    guard self != .never else { return -1 }
    let left = max(0, instant - Self.now())
    return Int32(clamping: left / 1_000_000 + (left % 1_000_000 == 0 ? 0 : 1))
  }

  /// The monotonic clock, in nanoseconds.
  static func now() -> Int64 {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_MONOTONIC, &time) == 0 else { return 0 }
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// Measures how long something takes.
public struct Stopwatch: Sendable {
  private let start = Deadline.now()

  public init() {}

  /// The seconds since it was made.
  public var seconds: Double { Double(Deadline.now() - start) / 1e9 }
}
