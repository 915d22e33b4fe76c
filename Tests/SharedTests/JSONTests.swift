// JSON values: what they are equal to, what they are read as, and how they are written.

import Shared
import Testing

@Suite struct JSONTests {
  private func text(_ value: JSON) -> String { String(decoding: value.serialized(), as: UTF8.self) }

  // MARK: Writing

  static let written: [(value: JSON, text: String)] = [
    (nil, "null"), (true, "true"), (false, "false"), (0, "0"), (-12, "-12"),
    (.integer(.max), "9223372036854775807"),
    (.integer(.min), "-9223372036854775808"), (1.0, "1.0"), (-0.0, "-0.0"), (0.1, "0.1"), (1e20, "1e+20"),
    (.number(.leastNonzeroMagnitude), "5e-324"),
    (.number(.greatestFiniteMagnitude), "1.7976931348623157e+308"), (.number(.nan), "null"),
    (.number(.infinity), "null"), (.number(-.infinity), "null"), ([.number(.nan), 1], "[null,1]"),
    ("", #""""#),
    ("plain /", #""plain /""#), ("\"\\", #""\"\\""#), ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#),
    ("\0\u{1}\u{B}\u{1F}\u{7F}", "\"\\u0000\\u0001\\u000b\\u001f\u{7F}\""), ("é€😀", "\"é€😀\""),
    ("\u{2028}", "\"\u{2028}\""), ([], "[]"), ([:], "{}"), ([[], [:], [[]]], "[[],{},[[]]]"),
    ([1, "a", nil, [true]], #"[1,"a",null,[true]]"#),
    (["a": [1, ["b": [:]]], "c": 2], #"{"a":[1,{"b":{}}],"c":2}"#),
    (["\"\n": 1], #"{"\"\n":1}"#), (["[", "{", ["["], ["{": "{"]], #"["[","{",["["],{"{":"{"}]"#),
  ]

  @Test(arguments: written)
  func isWritten(value: JSON, text: String) {
    #expect(self.text(value) == text)
  }

  @Test func everyNumberReadsBack() throws {
    var random = SplitMix64(seed: 5)
    for _ in 0..<10_000 {
      let number = Double(bitPattern: random.next())
      guard number.isFinite else { continue }
      #expect(try JSON(parsing: JSON.number(number).serialized()) == .number(number))
      let integer = Int(truncatingIfNeeded: random.next())
      #expect(try JSON(parsing: JSON.integer(integer).serialized()) == .integer(integer))
    }
  }

  @Test func everyScalarReadsBack() throws {
    let all = (0...0x10FFFF as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init)
    var text = ""
    text.unicodeScalars.append(contentsOf: all)
    let limits = JSON.Limits(maximumByteCount: 8 << 20, maximumDepth: 1, maximumElementCount: 1)
    let value = JSON.string(text)
    #expect(try JSON(parsing: value.serialized(), limits: limits) == value)
  }

  /// Nothing but the value's own release recurses, so its depth is for the caller to bound.
  @Test func aDeepValueIsWrittenWithoutRecursion() {
    var value: JSON = []
    for _ in 0..<2_000 { value = [value] }
    #expect(value.serialized().count == 4_002)
  }

  // MARK: Reading

  @Test func valuesAreReadAsTheirType() {
    let all: [JSON] = [nil, true, 1, 1.5, "s", [1], ["a": 1]]
    #expect(all.map(\.boolValue) == [nil, true, nil, nil, nil, nil, nil])
    #expect(all.map(\.integerValue) == [nil, nil, 1, nil, nil, nil, nil])
    #expect(all.map(\.numberValue) == [nil, nil, 1, 1.5, nil, nil, nil])
    #expect(all.map(\.stringValue) == [nil, nil, nil, nil, "s", nil, nil])
    #expect(all.map(\.arrayValue) == [nil, nil, nil, nil, nil, [1], nil])
    #expect(all.map(\.objectValue) == [nil, nil, nil, nil, nil, nil, ["a": 1]])
  }

  @Test func aWholeNumberIsAnInteger() {
    #expect(JSON.number(2).integerValue == 2)
    #expect(JSON.number(-0.0).integerValue == 0)
    #expect(JSON.number(0.5).integerValue == nil)
    #expect(JSON.number(1e19).integerValue == nil)
    #expect(JSON.number(9223372036854775808).integerValue == nil)
    #expect(JSON.number(-9223372036854775808).integerValue == .min)
    #expect(JSON.number(.nan).integerValue == nil)
    #expect(JSON.number(.infinity).integerValue == nil)
  }

  // MARK: Equality

  @Test func valuesOfDifferentKindsDiffer() {
    let all: [JSON] = [nil, false, 0, 0.0, "", [], [:]]
    for (left, one) in all.enumerated() {
      for (right, other) in all.enumerated() { #expect((one == other) == (left == right)) }
    }
    #expect(JSON.bool(true) != false)
    #expect(JSON.integer(1) != 2)
    #expect(JSON.number(1) != 2.0)
    #expect(JSON.string("a") != "b")
    #expect(JSON.string("\u{E9}") != .string("e\u{301}"))
    #expect([1] as JSON != [2])
    #expect(["a": 1] as JSON != ["a": 2])
  }

  @Test func literals() {
    let name = "x"
    #expect(JSON.string("<x>") == "<\(name)>")
    #expect(["a": 1, "a": 2] as JSON == .object(["a": 2]))
  }
}
