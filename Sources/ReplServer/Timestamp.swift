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

  /// gmtime_r(3) would look for a time zone the first time, in the environment and the files of the host, and takes a lock.
  var text: String {
    guard (Self.firstSecond...Self.lastSecond).contains(moment.tv_sec) else { return "unknown" }
    let (days, rest) = (moment.tv_sec - Self.firstSecond).quotientAndRemainder(dividingBy: 86_400)
    // The year begins in March here, so that the day that only some years have is the last of one.
    let era = days / 146_097
    let dayOfEra = days % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let date = "\(Self.digits(year, count: 4))-\(Self.digits(month))-\(Self.digits(day))"
    let time = "\(Self.digits(rest / 3600)):\(Self.digits(rest / 60 % 60)):\(Self.digits(rest % 60))"
    return "\(date)T\(time).\(Self.digits(moment.tv_nsec / 1_000_000, count: 3))Z"
  }

  /// From the first of March of the year 0 on, and as long as a year has four digits.
  private static let firstSecond = -719_468 * 86_400
  private static let lastSecond = 253_402_300_799

  private static func digits(_ number: Int, count: Int = 2) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
  }
}
