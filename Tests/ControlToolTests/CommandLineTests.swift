// The command line: which command is meant, and what is said of a wrong one.

import ArgumentParser
import ClientTestSupport
import ReplClient
import Testing

@testable import ControlTool

@Suite struct CommandLineTests {
  @Test(arguments: [
    ("ping", "ping", ""), ("-t x ping --json", "ping", "-t x --json"), ("--to=x --json ping", "ping", "--to=x --json"),
    ("--timeout 3 eval -f - x", "eval", "--timeout 3 -f - x"), ("interrupt -t ping", "interrupt", "-t ping"),
  ])
  func theCommandIsTakenOut(words: String, command: String, rest: String) {
    let parts = CommandLineParts(words.split(separator: " ").map(String.init))
    #expect(parts.command == command)
    #expect(parts.rest.joined(separator: " ") == rest)
  }

  /// What is cut off before it is parsed has to be known to the cut.
  @Test func theOptionsWithAValueAreKnown() throws {
    let help = try ToolRun.control("--help", runtime: FakeRuntime())
    let declared = help.output.split(separator: "\n").filter { $0.hasPrefix("  -") && $0.contains("<") }
      .flatMap { $0.split(whereSeparator: { ", ".contains($0) }).filter { $0.hasPrefix("-") }.map(String.init) }
    #expect(Set(declared) == CommandLineParts.optionsWithValue)
  }

  @Test(arguments: [
    "", "--json", "-t x", "--to x --json --timeout 0.5", "--timeout 3 -t name:x", "-t -x", "-t", "--timeout 0",
    "--timeout", "--json --json", "-t x -t y", "--to=x", "--each", "x", "--help", "--trust-user 0", "--reason x",
    "--no-header",
  ])
  func aPlainPingIsReadAsArgumentParserWould(text: String) throws {
    let words = text.split(separator: " ").map(String.init)
    guard let plain = PlainPing(words) else { return }
    let parsed = try Ping.parse(words).common
    #expect(plain.to == parsed.to)
    #expect(plain.timeout?.seconds == parsed.timeout)
    #expect(plain.isJSON == parsed.json)
    #expect(!parsed.each && !parsed.noHeader)
  }

  @Test(arguments: [([], true), (["-t", "x"], true), (["--each"], false), (["-t"], false), (["--help"], false)])
  func whatSaysMoreIsNoPlainPing(words: [String], isPlain: Bool) { #expect((PlainPing(words) != nil) == isPlain) }

  @Test func everyCommandHasHelp() throws {
    let runtime = try FakeRuntime()
    for command in CommandList.all {
      let run = try ToolRun.control(command.word, "--help", runtime: runtime)
      #expect(run.status == 0)
      #expect(run.output.contains("USAGE: replctl \(command.word)"))
      #expect(run.errors.isEmpty)
    }
    #expect(
      try ToolRun.control("help", "eval", runtime: runtime) == ToolRun.control("eval", "--help", runtime: runtime))
  }

  @Test(arguments: [("pong", "'ping'"), ("session", "'sessions'"), ("eval(", "'eval'"), ("evla", "'eval'")])
  func aWrongWordIsAnsweredWithNearOnes(word: String, near: String) throws {
    let run = try ToolRun.control(word, runtime: FakeRuntime())
    #expect(run.status == 64)
    #expect(run.errors.contains(near))
    #expect(run.errors.split(separator: "\n").count == 1)
  }

  @Test(arguments: [
    [], ["x\u{1B}[2J"], ["--nonsense"], ["ping", "--nonsense"], ["ping", "extra"], ["ping", "--timeout", "0"], ["eval"],
    ["ping", "--each", "-t", "1"], ["fg"], ["fg", "%"], ["fg", "%-1"], ["interrupt", "x"], ["interrupt", "1", "--all"],
    ["servers", "--each"], ["wait", "--each"], ["ping", "-t", "a/b"],
  ])
  func aWrongCommandLineIsOneLine(words: [String]) throws {
    let runtime = try FakeRuntime()
    let run = try ToolRun.control(words: words, runtime: runtime)
    #expect(run.status == 64)
    #expect(run.output.isEmpty)
    #expect(run.errors.hasPrefix("replctl: "))
    #expect(run.errors.split(separator: "\n").count == 1)
    #expect(!run.errors.contains("\u{1B}"))
  }
}

@Suite struct ElapsedTimeTests {
  @Test(arguments: [
    (0.0, "0s"), (3.9, "3s"), (59.999, "59s"), (130, "2m10s"), (3600, "1h00m"), (3900, "1h05m"), (273_600, "3d04h"),
    (-1, "0s"), (.nan, "0s"), (.infinity, "0s"),
  ])
  func people(seconds: Double, text: String) { #expect(ElapsedTime.short(seconds) == text) }

  @Test(arguments: [
    (0.0, "0.000"), (1.0005, "1.001"), (0.0004, "0.000"), (12.34, "12.340"), (1e300, "1000000000000.000"),
  ])
  func scripts(seconds: Double, text: String) { #expect(ElapsedTime.exact(seconds) == text) }
}

@Suite struct TableTests {
  @Test func aLongLastColumnIsCut() {
    var table = Table("A", "SOURCE")
    table.add(Table.Cell("x\u{1B}\n"), .source("0123456789abcdef\nmore"))
    #expect(table.lines(width: 20, hasHeader: false) == [#"x\x1b\n  01234567..."#])
    #expect(table.lines(width: nil, hasHeader: true) == ["A\tSOURCE", "x\\x1b\\n\t0123456789abcdef"])
  }
}
