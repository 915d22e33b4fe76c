// The timestamp: moments in UTC, whatever the zone of the process.

import Glibc
import Testing

@testable import ReplServer

@Suite struct TimestampTests {
  @Test(arguments: [
    (0, 0, "1970-01-01T00:00:00.000Z"), (951_782_399, 999_999_999, "2000-02-28T23:59:59.999Z"),
    (951_782_400, 1_000_000, "2000-02-29T00:00:00.001Z"), (4_107_542_400, 0, "2100-03-01T00:00:00.000Z"),
    (1_795_568_523, 456_000_000, "2026-11-25T01:02:03.456Z"), (-1, 0, "1969-12-31T23:59:59.000Z"),
    (-62_162_035_200, 0, "0000-03-01T00:00:00.000Z"), (1_735_689_599, 0, "2024-12-31T23:59:59.000Z"),
    (253_402_300_799, 0, "9999-12-31T23:59:59.000Z"),
  ]) func aMomentIsWrittenByRFC3339(_ seconds: Int, _ nanoseconds: Int, _ text: String) {
    #expect(Timestamp(secondsSinceEpoch: seconds, nanoseconds: nanoseconds).text == text)
  }

  @Test func aMomentThatHasNoDateIsNoTrap() {
    for seconds in [Int.max, .min, 253_402_300_800, -62_162_035_201] {
      #expect(Timestamp(secondsSinceEpoch: seconds).text == "unknown")
    }
  }

  /// What the C library says of every day of some centuries.
  @Test func everyDayIsThatOfTheCLibrary() {
    for day in stride(from: -150_000, through: 150_000, by: 1) {
      var seconds = day * 86_400 + 86_399
      var parts = unsafe tm()
      unsafe gmtime_r(&seconds, &parts)
      var buffer = [CChar](repeating: 0, count: 32)
      let length = unsafe strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
      let text = String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let ours = Timestamp(secondsSinceEpoch: seconds).text
      if ours != text + ".000Z" {
        Issue.record("\(ours) is \(text)")
        return
      }
    }
  }

  @Test func nowIsNow() {
    #expect(Timestamp.now.text > "2026-")
    #expect(Timestamp.now.text.utf8.count == 24)
  }
}
