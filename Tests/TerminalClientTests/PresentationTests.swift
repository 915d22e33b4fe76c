// Tests of what is shown: candidates, tracebacks, questions, and the call at the cursor.

import ArgumentParser
import ReplClient
import Shared
import Testing

@testable import TerminalClient

@Suite struct PresentationTests {
  private static let plain = Palette.none
  private static let coloured = Palette(wanted: true, noColor: nil, terminal: "xterm")

  private static func list(_ texts: [String], kind: String = "function", start: Int = 0) -> CandidateList {
    CandidateList(reply: [
      "start": .integer(start),
      "candidates": .array(texts.map { ["text": .string($0), "kind": .string(kind)] }),
    ])
  }

  // MARK: candidates

  @Test func theCommonPrefix() {
    #expect(Self.list(["apple", "apricot"]).commonPrefix == "ap")
    #expect(Self.list(["apple"]).commonPrefix == "apple")
    #expect(Self.list(["a", "b"]).commonPrefix == "")
    #expect(Self.list([]).commonPrefix == "")
  }

  @Test func columnsWithKinds() {
    #expect(Self.list(["apple", "fig"]).lines(columns: 80, palette: Self.plain) == ["apple function  fig   function"])
    #expect(
      Self.list(["apple", "fig"]).lines(columns: 20, palette: Self.plain) == ["apple function", "fig   function"])
  }

  @Test func aMillionCandidatesAreBounded() {
    let list = Self.list((0..<20_000).map { "name\($0)" })
    #expect(list.candidates.count == Limits.maximumCandidateCount)
    let lines = list.lines(columns: 80, palette: Self.plain)
    #expect(lines.count == 41)
    #expect(lines.last?.hasPrefix("... and ") == true)
  }

  @Test func controlCharactersAreHarmless() {
    #expect(Self.list(["evil\u{1B}[2J", "good"]).candidates.map(\.text) == ["good"])
    let lines = Self.list(["good"], kind: "\u{1B}]0;x\u{7}").lines(columns: 80, palette: Self.plain)
    #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 } })
  }

  @Test(arguments: [-5, 0, 3, 1 << 40]) func aStartThatLiesIsTaken(_ start: Int) {
    let question = CompletionQuestion(text: Array("abc".utf8), point: 3)
    #expect("abc".hasSuffix(question.word(from: Self.list(["abcd"], start: start).start)))
  }

  @Test func aQuestionHoldsWholeLinesUpToTheLimit() {
    let text = Array((0..<2000).map { "line \($0)" }.joined(separator: "\n").utf8)
    let question = CompletionQuestion(text: text, point: text.count)
    #expect(question.line.utf8.count <= Limits.maximumCompletionTextLength)
    #expect(question.line.hasPrefix("line "))
    #expect(question.line.hasSuffix("line 1999"))
  }

  // MARK: colours

  @Test func aTracebackIsColoured() {
    let text = "Traceback (most recent call last):\n  File \"x\", line 1\n    1/0\n    ~^~\nZeroDivisionError: no\n"
    let red = "\u{1B}[1;31m"
    #expect(Self.coloured.traceback(text).contains(red + "ZeroDivisionError: no\u{1B}[0m\n"))
    #expect(Self.plain.traceback(text) == text)
    #expect(Self.coloured.traceback("E: \u{1B}]0;title\u{7}\n") == red + "E: ?]0;title?\u{1B}[0m\n")
  }

  @Test(arguments: [("1", "xterm"), (nil, "dumb"), (nil, nil)] as [(String?, String?)])
  func noColours(_ noColor: String?, _ terminal: String?) {
    #expect(!Palette(wanted: true, noColor: noColor, terminal: terminal).isOn)
  }

  // MARK: questions

  @Test(arguments: [
    ("who? ", "who? "), ("\u{1B}[1mwho?\u{1B}[0m ", "who? "), ("half\rwho? ", "who? "), ("a\u{7}b", "a?b"),
  ])
  func thePromptOfAQuestion(_ line: String, _ shown: String) { #expect(QuestionPrompt.visible(line) == shown) }

  @Test(
    arguments: [
      ("f(1, ", "f"), ("a.b(c(1), ", "a.b"), ("x = a.b(", "a.b"), ("name", "name"), ("f(g(", "g"), ("", nil),
      ("1 + ", nil),
      ("f(x)", nil), ("(", nil),
    ] as [(String, String?)])
  func theCallAtTheCursor(_ text: String, _ name: String?) {
    #expect(CallAtCursor.name(in: text, point: text.utf8.count) == name)
  }

  // MARK: Ctrl-C

  @Test func pressesOfCtrlC() {
    var presses = InterruptPresses()
    #expect(presses.press(isKnown: false) == .nothing)
    #expect(presses.press(isKnown: false) == .nothing)
    #expect(presses.started() == .interrupt)
    #expect(presses.press(isKnown: true) == .nothing)
    presses.answered(isOver: false)
    #expect(presses.press(isKnown: true) == .leave)
    presses.answered(isOver: true)
    #expect(presses.press(isKnown: true) == .interrupt)
  }

  // MARK: history

  @Test func theHistoryKeepsWholeStatements() {
    let statements = ["x = [1,\n2]", "'ž\u{1B}'", "\u{2028}"]
    let bytes = statements.flatMap { HistoryFile.line(for: $0) }
    #expect(HistoryFile.statements(in: bytes) == statements.filter(HistoryFile.keeps))
    #expect(HistoryFile.statements(in: Array("no json\n{}\n\"good\"\n\"cut".utf8)) == ["good"])
  }

  @Test(arguments: [" secret", "\tsecret", "", "\n"]) func whatIsNotKept(_ statement: String) {
    #expect(!HistoryFile.keeps(statement))
  }

  @Test func whereTheHistoryIs() {
    #expect(HistoryFile(stateHome: "/s", home: "/h")?.path == "/s/repltools/history")
    #expect(HistoryFile(stateHome: "relative", home: "/h")?.path == "/h/.local/state/repltools/history")
    #expect(HistoryFile(stateHome: nil, home: nil) == nil)
  }

  // MARK: the command line

  @Test(
    arguments: [
      (["h"], "h"), (["h", "1"], "h:1"), (["h", "1", "2"], "h:1:2"), (["::1", "1"], "[::1]:1"), ([], nil),
      (["-t", "name:x"], "name:x"),
    ] as [([String], String?)])
  func theEndpoint(_ words: [String], _ endpoint: String?) throws {
    #expect(try ConnectOptions.parse(words).endpoint == endpoint)
  }
}
