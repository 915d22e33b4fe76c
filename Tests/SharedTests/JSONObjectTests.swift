// An object keeps its order, has each key once, and tells keys apart by their bytes.

import Shared
import Testing

@Suite struct JSONObjectTests {
  private func text(_ object: JSON.Object) -> String {
    String(decoding: JSON.object(object).serialized(), as: UTF8.self)
  }

  @Test func keepsTheOrderOfFirstMention() {
    var object: JSON.Object = ["z": 1, "a": 2, "m": 3]
    object["a"] = "again"
    object["b"] = nil
    object["b"] = 4
    #expect(object.keys == ["z", "a", "m", "b"])
    #expect(text(object) == #"{"z":1,"a":"again","m":3,"b":4}"#)
    #expect(object.map(\.key) == object.keys)
    #expect(object.map(\.value) == [1, "again", 3, 4])
    #expect(object.count == 4)
    #expect(object.underestimatedCount == 4)
  }

  @Test func theLastOfEqualKeysWins() {
    let object: JSON.Object = ["a": 1, "b": 2, "a": 3]
    #expect(text(object) == #"{"a":3,"b":2}"#)
  }

  @Test func removalKeepsTheOthersWithinReach() {
    var object = JSON.Object()
    #expect(object.isEmpty)
    for number in 0..<10 { object["\(number)"] = .integer(number) }
    for number in [0, 5, 9, 42] { object["\(number)"] = nil }
    #expect(object.keys == ["1", "2", "3", "4", "6", "7", "8"])
    for number in [1, 2, 3, 4, 6, 7, 8] { #expect(object["\(number)"] == .integer(number)) }
    for number in [0, 5, 9] { #expect(object["\(number)"] == nil) }
    object["5"] = "new"
    #expect(object.keys.last == "5")
    #expect(object["5"] == "new")
  }

  @Test func aNullIsAValue() {
    let object: JSON.Object = ["a": nil]
    #expect(object["a"] == .null)
    #expect(object["b"] == nil)
    #expect(text(object) == #"{"a":null}"#)
  }

  @Test func canonicallyEquivalentKeysAreTwo() {
    let composed = "\u{E9}"
    let decomposed = "e\u{301}"
    #expect(composed == decomposed)
    let object: JSON.Object = [composed: 1, decomposed: 2]
    #expect(object.count == 2)
    #expect(object[composed] == 1)
    #expect(object[decomposed] == 2)
  }

  @Test func equality() {
    #expect((["a": 1, "b": 2] as JSON.Object) == ["a": 1, "b": 2])
    #expect((["a": 1] as JSON.Object) != ["a": 2])
    #expect((["a": 1] as JSON.Object) != ["b": 1])
    #expect((["a": 1] as JSON.Object) != ["a": 1, "b": 2])
    #expect((["\u{E9}": 1] as JSON.Object) != ["e\u{301}": 1])
  }
}
