// Tests of the script blocks: when it is worth asking whether a block is whole.

import Testing

@testable import TerminalClient

@Suite struct ScriptBlocksTests {
  @Test(arguments: ["x = 1", "def f():", "\"text\"", "@decorated", "elsewhere = 2"])
  func aLineThatMayStartABlock(_ line: String) { #expect(ScriptBlocks.mayStart(line)) }

  @Test(arguments: ["", "\n", "  x", "\tx", ")", "]", "}", "# said", "else:", "elif x:", "except E:", "finally:"])
  func aLineThatGoesOnWithOne(_ line: String) { #expect(!ScriptBlocks.mayStart(line)) }

  @Test func aSingleLineIsAskedAboutAtOnceAndALongerBlockAtTheNextStart() {
    var blocks = ScriptBlocks()
    blocks.add("for i in x:\n")
    #expect(blocks.isWorthAsking)
    blocks.foundIncomplete()
    blocks.add("  print(i)\n")
    #expect(!blocks.isWorthAsking)
    #expect(!blocks.isWorthAsking(before: "  more\n"))
    #expect(blocks.isWorthAsking(before: "y = 2\n"))
    #expect(blocks.take() == "for i in x:\n  print(i)\n")
    #expect(blocks.isBlank)
  }

  @Test func aLongBlockIsAskedAboutRarely() {
    var blocks = ScriptBlocks()
    var asked = 0
    for _ in 0..<100_000 {
      if blocks.isWorthAsking(before: "x\n") {
        asked += 1
        blocks.foundIncomplete()
      }
      blocks.add("x\n")
    }
    #expect(asked > 100)
    #expect(asked < 130)
  }
}
