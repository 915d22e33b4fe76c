// Printable text, deadlines and time limits.

import Testing

@testable import ReplClient

@Suite struct PrintableTextTests {
  @Test(arguments: [
    ("plain", "plain"), ("a\nb", "a?b"), ("\u{1B}[31m", "?[31m"), ("\u{85}", "?"), ("\u{2028}", "?"),
    ("\u{202E}x", "?x"),
    ("é\u{1F468}\u{200D}\u{1F469}", "é\u{1F468}\u{200D}\u{1F469}"),
  ])
  func aLineHoldsNothingThatATerminalObeys(text: String, expected: String) {
    #expect(text.printableLine == expected)
  }

  @Test func linesKeepNewlinesAndTabs() { #expect("a\n\tb\r".printableLines == "a\n\tb?") }

  @Test(arguments: [("a\nb\t\r", #"a\nb\t\r"#), ("\u{1}", #"\x01"#), ("\u{2028}", #"\u{2028}"#), (#"\n"#, #"\n"#)])
  func anEscapedLineShowsThem(text: String, expected: String) { #expect(text.escapedLine == expected) }
}

@Suite struct DeadlineTests {
  @Test func aDeadlinePasses() {
    #expect(Deadline.after(0).hasPassed)
    #expect(Deadline.after(-1).hasPassed)
    #expect(!Deadline.never.hasPassed)
    #expect(Deadline.after(0).pollMilliseconds == 0)
    #expect(Deadline.never.pollMilliseconds == -1)
    #expect(Deadline.never.secondsLeft == nil)
  }

  @Test(arguments: [1e300, Double.infinity, .nan]) func whatIsTooFarIsNever(seconds: Double) {
    #expect(Deadline.after(seconds) == .never)
  }

  @Test func aFarDeadlineFitsPoll() { #expect(Deadline.after(1e9).pollMilliseconds > 0) }

  @Test(arguments: [("1", 1.0), ("0.25", 0.25), (".5", 0.5)]) func aTimeLimitIsANumber(text: String, seconds: Double) {
    #expect(TimeLimit(argument: text)?.seconds == seconds)
  }

  @Test(arguments: ["", "0", "-1", "inf", "nan", "0x1p3", "1e400", "1s", "1.2.3"]) func nothingElseIs(text: String) {
    #expect(TimeLimit(argument: text) == nil)
  }
}
