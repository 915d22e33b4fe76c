// The text dialogue: what is said and evaluated, line by line, without a socket.

import Testing

@testable import ReplServer

@Suite struct TextDialogueTests {
  private var dialogue = TextDialogue(
    identity: EngineIdentity(language: "l", languageVersion: "1", primaryPrompt: "> ", continuationPrompt: ". "))

  private mutating func take(_ line: String) -> (text: String, step: TextDialogue.Step) {
    dialogue.take(line: Array(line.utf8))
  }

  /// Takes the first line of a block, which turns out to be incomplete.
  private mutating func begin(_ line: String) {
    _ = take(line)
    _ = dialogue.finish(evaluation: dialogue.runningEvaluation ?? 0, .incomplete)
  }

  // MARK: Greeting

  @Test func theGreetingEndsWithThePrompt() {
    #expect(dialogue.greeting(session: 3, banner: "") == "REPL session 3 connected.\n> ")
    #expect(dialogue.greeting(session: 1, banner: "Hi.") == "REPL session 1 connected.\nHi.\n> ")
    #expect(dialogue.greeting(session: 1, banner: "Hi.\n") == "REPL session 1 connected.\nHi.\n> ")
  }

  // MARK: Blocks

  @Test(arguments: [.value, .exception, .interrupted] as [Outcome])
  mutating func aLineIsEvaluatedAndThePromptComesBack(_ outcome: Outcome) {
    #expect(take("1 + 1\n") == ("", .evaluate(source: "1 + 1", number: 1, isFinal: false)))
    #expect(dialogue.runningEvaluation == 1)
    #expect(!dialogue.wantsLine)
    #expect(dialogue.finish(evaluation: 1, outcome) == ("> ", .wait))
    #expect(dialogue.runningEvaluation == nil)
    #expect(dialogue.wantsLine)
    #expect(take("2\n") == ("", .evaluate(source: "2", number: 2, isFinal: false)))
  }

  @Test mutating func anIncompleteBlockGrowsLineByLine() {
    #expect(take("if x:\n") == ("", .evaluate(source: "if x:", number: 1, isFinal: false)))
    #expect(dialogue.finish(evaluation: 1, .incomplete) == (". ", .wait))
    #expect(take("  y\n") == ("", .evaluate(source: "if x:\n  y", number: 2, isFinal: false)))
    #expect(dialogue.finish(evaluation: 2, .incomplete) == (". ", .wait))
    #expect(take("\n") == ("", .evaluate(source: "if x:\n  y\n", number: 3, isFinal: false)))
    #expect(dialogue.finish(evaluation: 3, .value) == ("> ", .wait))
    #expect(take("z\n") == ("", .evaluate(source: "z", number: 4, isFinal: false)))
  }

  @Test mutating func onlyTheLastNewlineIsTakenOff() {
    #expect(take("\n") == ("", .evaluate(source: "", number: 1, isFinal: false)))
    _ = dialogue.finish(evaluation: 1, .value)
    #expect(take("a\r\n") == ("", .evaluate(source: "a\r", number: 2, isFinal: false)))
    _ = dialogue.finish(evaluation: 2, .value)
    #expect(take("a") == ("", .evaluate(source: "a", number: 3, isFinal: false)))
  }

  @Test mutating func aLineIsNotTakenWhileOneIsEvaluated() {
    _ = take("a\n")
    #expect(take("b\n") == ("", .wait))
    #expect(dialogue.endOfInput() == ("", .wait))
    _ = dialogue.finish(evaluation: 1, .value)
    #expect(take("c\n") == ("", .evaluate(source: "c", number: 2, isFinal: false)))
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
    #expect(dialogue.endOfInput() == ("", .evaluate(source: "if x:", number: 2, isFinal: true)))
    #expect(dialogue.finish(evaluation: 2, .exception) == ("> ", .wait))
    #expect(dialogue.endOfInput() == ("\nBye.\n", .end))
  }

  @Test mutating func aFinalBlockThatIsStillIncompleteIsForgotten() {
    begin("if x:\n")
    _ = dialogue.endOfInput()
    #expect(dialogue.finish(evaluation: 2, .incomplete) == ("> ", .wait))
    #expect(dialogue.endOfInput() == ("\nBye.\n", .end))
  }

  // MARK: Refusals

  @Test mutating func invalidUTF8IsRefusedAndTheBlockForgotten() {
    begin("if x:\n")
    let refusal = "replserve: the input is not valid UTF-8; nothing was run\n> "
    #expect(dialogue.take(line: [0x61, 0xFF, 0x0A]) == (refusal, .wait))
    #expect(dialogue.runningEvaluation == nil)
    #expect(take("z\n") == ("", .evaluate(source: "z", number: 2, isFinal: false)))
  }

  @Test mutating func aBlockOverTheLimitIsRefusedAndForgotten() {
    let line = [UInt8](repeating: 0x61, count: ServerLimits.blockLength - 2) + [0x0A]
    guard case .evaluate = dialogue.take(line: line).step else {
      Issue.record("a block under the limit was not taken")
      return
    }
    _ = dialogue.finish(evaluation: 1, .incomplete)
    let refusal = "replserve: the block is longer than \(ServerLimits.blockLength) bytes\n> "
    #expect(take("b\n") == (refusal, .wait))
    #expect(take("z\n") == ("", .evaluate(source: "z", number: 2, isFinal: false)))
  }

  @Test mutating func aBlockAsLongAsTheLimitIsTaken() {
    _ = dialogue.take(line: [UInt8](repeating: 0x61, count: ServerLimits.blockLength - 2) + [0x0A])
    _ = dialogue.finish(evaluation: 1, .incomplete)
    #expect(take("b").step != .wait)
  }

  @Test mutating func anEngineThatCannotEvaluateSaysWhy() {
    _ = take("a\n")
    #expect(dialogue.finish(evaluation: 1, .unavailable("no thread")) == ("replserve: no thread\n> ", .wait))
    #expect(take("z\n") == ("", .evaluate(source: "z", number: 2, isFinal: false)))
  }

  // MARK: Interrupts and ends

  @Test mutating func anInterruptAtThePromptForgetsTheBlock() {
    begin("if x:\n")
    #expect(dialogue.interruptAtPrompt() == "\nKeyboardInterrupt\n> ")
    #expect(take("z\n") == ("", .evaluate(source: "z", number: 2, isFinal: false)))
    #expect(dialogue.interruptAtPrompt() == "")
  }

  @Test mutating func anOutcomeOfAnotherEvaluationIsIgnored() {
    #expect(dialogue.finish(evaluation: 0, .value) == ("", .wait))
    _ = take("a\n")
    _ = dialogue.finish(evaluation: 1, .value)
    #expect(dialogue.finish(evaluation: 1, .endOfSession) == ("", .wait))
    _ = take("b\n")
    #expect(dialogue.finish(evaluation: 1, .value) == ("", .wait))
    #expect(dialogue.finish(evaluation: 3, .value) == ("", .wait))
    #expect(dialogue.runningEvaluation == 2)
  }

  @Test mutating func aBlockMayEndItsSession() {
    _ = take("exit()\n")
    #expect(dialogue.finish(evaluation: 1, .endOfSession) == ("Bye.\n", .end))
    #expect(dialogue.isEnded)
    #expect(take("a\n") == ("", .wait))
  }

  @Test mutating func aSessionThatWasEndedIgnoresItsOutcome() {
    _ = take("a\n")
    dialogue.end()
    #expect(dialogue.isEnded)
    #expect(dialogue.runningEvaluation == nil)
    #expect(dialogue.finish(evaluation: 1, .value) == ("", .wait))
    #expect(dialogue.interruptAtPrompt() == "")
  }
}
