// The timestamp: a moment in UTC, as logs have it.
internal import Glibc

/// A moment, by RFC 3339 with milliseconds: `2026-11-25T01:02:03.456Z`.
struct Timestamp {
  private let moment: timespec

  static var now: Timestamp {
    var moment = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &moment)
    return Timestamp(moment: moment)
  }

  /// - Parameter secondsSinceEpoch: of the clock of the system.
  init(secondsSinceEpoch: Int, nanoseconds: Int = 0) {
    self.init(moment: timespec(tv_sec: secondsSinceEpoch, tv_nsec: nanoseconds))
  }

  private init(moment: timespec) { self.moment = moment }

  var text: String {
    var seconds = moment.tv_sec
    var parts = unsafe tm()
    guard unsafe gmtime_r(&seconds, &parts) != nil else { return "unknown" }
    let (year, month, day) = unsafe (parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday)
    let (hour, minute, second) = unsafe (parts.tm_hour, parts.tm_min, parts.tm_sec)
    let date = "\(year)-\(Self.digits(month))-\(Self.digits(day))"
    let time = "\(Self.digits(hour)):\(Self.digits(minute)):\(Self.digits(second))"
    return "\(date)T\(time).\(Self.digits(Int32(moment.tv_nsec / 1_000_000), count: 3))Z"
  }

  private static func digits(_ number: Int32, count: Int = 2) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
  }
}
