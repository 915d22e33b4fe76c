// Tests of the key stream: what was pasted is told from what was typed, however the bytes are cut.

import Testing

@testable import TerminalClient

@Suite struct KeyStreamTests {
  private static let input = Array("ab\u{1B}[A\u{1B}[200~x = 1\ry\u{1B}[201~z\u{1B}[200~\u{1B}[201~".utf8)

  /// The events, typed bytes in a row put together.
  private static func texts(_ pieces: [[UInt8]]) -> [String] {
    var keys = KeyStream()
    var texts: [String] = []
    var typed: [UInt8] = []
    func end() {
      if !typed.isEmpty { texts.append("typed \(String(decoding: typed, as: UTF8.self))") }
      typed = []
    }
    for piece in pieces {
      keys.append(piece)
      while let event = keys.next() {
        switch event {
        case .byte(let byte): typed.append(byte)
        case .paste(let bytes):
          end()
          texts.append("pasted \(String(decoding: bytes, as: UTF8.self))")
        case .tooLong:
          end()
          texts.append("too long")
        }
      }
    }
    end()
    return texts
  }

  private static let wanted = ["typed ab\u{1B}[A", "pasted x = 1\ry", "typed z", "pasted "]

  @Test func atOnce() { #expect(Self.texts([Self.input]) == Self.wanted) }

  @Test func everyCutThatLeavesTheFirstMarkWhole() {
    let first = 5 + 6
    for cut in first..<(Self.input.count - 12) {
      #expect(Self.texts([Array(Self.input[..<cut]), Array(Self.input[cut...])]) == Self.wanted, "cut at \(cut)")
    }
  }

  @Test func aPasteThatIsTooLongIsDroppedAndWhatFollowsIsNot() {
    let long = [UInt8](repeating: 0x78, count: KeyStream.maximumPasteLength + 100)
    let mark = (start: Array("\u{1B}[200~".utf8), end: Array("\u{1B}[201~".utf8))
    #expect(Self.texts([mark.start, long, mark.end, Array("after".utf8)]) == ["too long", "typed after"])
    #expect(Self.texts([mark.start + long + mark.end + Array("after".utf8)]) == ["too long", "typed after"])
  }

  @Test func clearingForgetsAPasteThatIsNotWhole() {
    var keys = KeyStream()
    keys.append("\u{1B}[200~half".utf8)
    #expect(keys.next() == nil)
    keys.clear()
    keys.append("x".utf8)
    #expect(keys.next() == .byte(0x78))
  }
}
