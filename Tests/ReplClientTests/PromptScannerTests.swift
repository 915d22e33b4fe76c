// Tests of the prompt scanner: prompts at the end of what has come, however it is cut.

import ReplClient
import Testing

@Suite struct PromptScannerTests {
  private static func scanned(_ pieces: String...) -> [PromptScanner.Event] {
    var scanner = PromptScanner(first: ">>>> ", continuation: ".... ")
    return pieces.flatMap { scanner.append(Array($0.utf8)) }
  }

  private static func output(_ text: String) -> PromptScanner.Event { .output(Array(text.utf8)) }

  @Test func aPromptEndsWhatHasCome() {
    #expect(Self.scanned("42\n>>>> ") == [Self.output("42\n"), .prompt(isContinuation: false)])
    #expect(Self.scanned(".... ") == [.prompt(isContinuation: true)])
  }

  @Test func aPromptInTheMiddleIsOutput() {
    #expect(Self.scanned(">>>> said\n") == [Self.output(">>>> said\n")])
  }

  @Test func aPromptThatIsCut() {
    #expect(Self.scanned("42\n>>", ">> ") == [Self.output("42\n"), .prompt(isContinuation: false)])
    #expect(Self.scanned("a >", "b\n") == [Self.output("a "), Self.output(">b\n")])
  }

  @Test func whatIsHeldCanBeHad() {
    var scanner = PromptScanner(first: ">>>> ", continuation: ".... ")
    #expect(scanner.append("more? >".utf8) == [Self.output("more? ")])
    #expect(scanner.isHolding)
    #expect(scanner.flush() == Array(">".utf8))
    #expect(!scanner.isHolding)
  }
}
