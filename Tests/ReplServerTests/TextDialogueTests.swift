// The text dialogue: what is said and evaluated, line by line, without a socket.

import Shared
import Testing

@testable import ReplServer

@Suite struct TextDialogueTests {
  private static let identity = EngineIdentity(
    language: "l", languageVersion: "1", primaryPrompt: "> ", continuationPrompt: ". ")
  private var dialogue = TextDialogue(identity: identity)

  private mutating func take(_ line: String) -> (text: String, step: TextDialogue.Step) {
    dialogue.take(line: Array(line.utf8))
  }

  /// Takes the first line of a block, which turns out to be incomplete.
  private mutating func begin(_ line: String) {
    _ = take(line)
    _ = dialogue.finish(.incomplete)
  }

  // MARK: Greeting

  @Test func theGreetingEndsWithThePrompt() {
    #expect(dialogue.greeting(session: 3, banner: "") == "REPL session 3 connected.\n> ")
    #expect(dialogue.greeting(session: 1, banner: "Hi.") == "REPL session 1 connected.\nHi.\n> ")
    #expect(dialogue.greeting(session: 1, banner: "Hi.\n") == "REPL session 1 connected.\nHi.\n> ")
  }

  // MARK: Blocks

  @Test(arguments: [.value, .exception, .interrupted] as [EvaluationReport.Outcome])
  mutating func aLineIsEvaluatedAndThePromptComesBack(_ outcome: EvaluationReport.Outcome) {
    #expect(take("1 + 1\n") == ("", .evaluate(source: "1 + 1", isFinal: false)))
    #expect(dialogue.isEvaluating)
    #expect(!dialogue.wantsLine)
    #expect(dialogue.finish(outcome) == ("> ", .wait))
    #expect(!dialogue.isEvaluating)
    #expect(dialogue.wantsLine)
    #expect(take("2\n") == ("", .evaluate(source: "2", isFinal: false)))
  }

  @Test mutating func anIncompleteBlockGrowsLineByLine() {
    #expect(take("if x:\n") == ("", .evaluate(source: "if x:", isFinal: false)))
    #expect(dialogue.finish(.incomplete) == (". ", .wait))
    #expect(take("  y\n") == ("", .evaluate(source: "if x:\n  y", isFinal: false, added: "  y")))
    #expect(dialogue.finish(.incomplete) == (". ", .wait))
    #expect(take("\n") == ("", .evaluate(source: "if x:\n  y\n", isFinal: false, added: "")))
    #expect(dialogue.finish(.value) == ("> ", .wait))
    #expect(take("z\n") == ("", .evaluate(source: "z", isFinal: false)))
  }

  @Test mutating func onlyTheLastNewlineIsTakenOff() {
    #expect(take("\n") == ("", .evaluate(source: "", isFinal: false)))
    _ = dialogue.finish(.value)
    #expect(take("a\r\n") == ("", .evaluate(source: "a\r", isFinal: false)))
    _ = dialogue.finish(.value)
    #expect(take("a") == ("", .evaluate(source: "a", isFinal: false)))
  }

  @Test mutating func aLineIsNotTakenWhileOneIsEvaluated() {
    _ = take("a\n")
    #expect(take("b\n") == ("", .wait))
    #expect(dialogue.endOfInput() == ("", .wait))
    _ = dialogue.finish(.value)
    #expect(take("c\n") == ("", .evaluate(source: "c", isFinal: false)))
  }

  // MARK: End of input

  @Test mutating func theEndOfInputEndsTheSession() {
    #expect(dialogue.endOfInput() == ("\nBye.\n", .end))
    #expect(dialogue.isEnded)
    #expect(!dialogue.wantsLine)
    #expect(take("a\n") == ("", .wait))
    #expect(dialogue.endOfInput() == ("", .wait))
  }

  @Test mutating func theEndOfInputMakesTheBlockFinal() {
    begin("if x:\n")
    #expect(dialogue.endOfInput() == ("", .evaluate(source: "if x:", isFinal: true, added: "")))
    #expect(dialogue.finish(.exception) == ("> ", .wait))
    #expect(dialogue.endOfInput() == ("\nBye.\n", .end))
  }

  @Test mutating func aFinalBlockThatIsStillIncompleteIsForgotten() {
    begin("if x:\n")
    _ = dialogue.endOfInput()
    #expect(dialogue.finish(.incomplete) == ("> ", .wait))
    #expect(dialogue.endOfInput() == ("\nBye.\n", .end))
  }

  // MARK: Refusals

  @Test mutating func invalidUTF8IsRefusedAndTheBlockForgotten() {
    begin("if x:\n")
    let refusal = "replserve: the input is not valid UTF-8; nothing was run\n> "
    #expect(dialogue.take(line: [0x61, 0xFF, 0x0A]) == (refusal, .wait))
    #expect(!dialogue.isEvaluating)
    #expect(take("z\n") == ("", .evaluate(source: "z", isFinal: false)))
  }

  @Test mutating func aBlockOverTheLimitIsRefusedAndForgotten() {
    let line = [UInt8](repeating: 0x61, count: ServerLimits.blockLength - 2) + [0x0A]
    guard case .evaluate = dialogue.take(line: line).step else {
      Issue.record("a block under the limit was not taken")
      return
    }
    _ = dialogue.finish(.incomplete)
    let refusal = "replserve: the block is longer than \(ServerLimits.blockLength) bytes\n> "
    #expect(take("b\n") == (refusal, .wait))
    #expect(take("z\n") == ("", .evaluate(source: "z", isFinal: false)))
  }

  @Test mutating func aBlockAsLongAsTheLimitIsTaken() {
    _ = dialogue.take(line: [UInt8](repeating: 0x61, count: ServerLimits.blockLength - 2) + [0x0A])
    _ = dialogue.finish(.incomplete)
    #expect(take("b").step != .wait)
  }

  @Test mutating func anEngineThatCannotEvaluateSaysWhy() {
    _ = take("a\n")
    #expect(dialogue.refuse("no thread") == ("replserve: no thread\n> ", .wait))
    #expect(take("z\n") == ("", .evaluate(source: "z", isFinal: false)))
  }

  // MARK: The reason

  @Test mutating func whoIsAskedWhySaysItInTheFirstLine() {
    var dialogue = TextDialogue(identity: Self.identity, asksForReason: true)
    #expect(
      dialogue.greeting(session: 1, banner: "Hi.").hasPrefix("REPL session 1 connected.\nHi.\nWhy do you connect?"))
    #expect(dialogue.greeting(session: 1, banner: "").hasSuffix("\n> "))
    #expect(dialogue.wantsLine)
    // White space is no reason.
    let again = dialogue.take(line: Array(" \t\r\n".utf8))
    #expect(again.text.hasSuffix("\n> "))
    #expect(again.step == .wait)
    #expect(dialogue.take(line: Array("  ticket\t7 \u{1B}[0m\r\n".utf8)) == ("> ", .introduce(reason: "ticket 7  [0m")))
    #expect(dialogue.take(line: Array("x\n".utf8)) == ("", .evaluate(source: "x", isFinal: false)))
  }

  @Test func whoGivesNoReasonEvaluatesNothing() {
    var dialogue = TextDialogue(identity: Self.identity, asksForReason: true)
    _ = dialogue.take(line: [0x0A])
    #expect(dialogue.interruptAtPrompt() == "\nKeyboardInterrupt\n> ")
    #expect(dialogue.endOfInput() == ("\nBye.\n", .end))
    #expect(dialogue.isEnded)
  }

  @Test func aReasonIsBounded() {
    var dialogue = TextDialogue(identity: Self.identity, asksForReason: true)
    let long = String(repeating: "é", count: ServerLimits.reasonCharacters + 1)
    let kept = String(repeating: "é", count: ServerLimits.reasonCharacters)
    #expect(dialogue.take(line: Array(long.utf8)).step == .introduce(reason: kept))
  }

  // MARK: Interrupts and ends

  @Test mutating func anInterruptAtThePromptForgetsTheBlock() {
    begin("if x:\n")
    #expect(dialogue.interruptAtPrompt() == "\nKeyboardInterrupt\n> ")
    #expect(take("z\n") == ("", .evaluate(source: "z", isFinal: false)))
    #expect(dialogue.interruptAtPrompt() == "")
  }

  @Test mutating func anOutcomeOfNothingIsIgnored() {
    #expect(dialogue.finish(.value) == ("", .wait))
    #expect(dialogue.refuse("no thread") == ("", .wait))
    _ = take("a\n")
    _ = dialogue.finish(.value)
    #expect(dialogue.finish(.ended) == ("", .wait))
    #expect(dialogue.wantsLine)
  }

  @Test mutating func aBlockMayEndItsSession() {
    _ = take("exit()\n")
    #expect(dialogue.finish(.ended) == ("Bye.\n", .end))
    #expect(dialogue.isEnded)
    #expect(take("a\n") == ("", .wait))
  }

  @Test mutating func aSessionThatWasEndedIgnoresItsOutcome() {
    _ = take("a\n")
    dialogue.end()
    #expect(dialogue.isEnded)
    #expect(!dialogue.isEvaluating)
    #expect(dialogue.finish(.value) == ("", .wait))
    #expect(dialogue.interruptAtPrompt() == "")
  }
}
