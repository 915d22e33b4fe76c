// The elapsed time: seconds as people and as scripts want them.

enum ElapsedTime {
  /// `3s`, `2m10s`, `1h05m`, `3d04h`.
  static func short(_ seconds: Double) -> String {
    let whole = Int(clampedSeconds(seconds))
    let (minutes, hours, days) = (whole / 60, whole / 3600, whole / 86400)
    if minutes == 0 { return "\(whole)s" }
    if hours == 0 { return "\(minutes)m\(twoDigits(whole % 60))s" }
    if days == 0 { return "\(hours)h\(twoDigits(minutes % 60))m" }
    return "\(days)d\(twoDigits(hours % 24))h"
  }

  /// Seconds with three decimals.
  static func exact(_ seconds: Double) -> String { fixed(seconds, decimals: 3) }

  /// A number from 0 to some 10^12 with so many decimals, at most 6.
  static func fixed(_ number: Double, decimals: Int) -> String {
    let scale = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000][min(max(decimals, 0), 6)]
    let units = Int((clampedSeconds(number) * Double(scale)).rounded())
    guard scale > 1 else { return "\(units)" }
    let digits = String(units % scale)
    return "\(units / scale)." + String(repeating: "0", count: max(0, decimals - digits.utf8.count)) + digits
  }

  private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// What a server says may be anything.
  private static func clampedSeconds(_ seconds: Double) -> Double {
    seconds.isFinite ? min(max(0, seconds), 1e12) : 0
  }
}
