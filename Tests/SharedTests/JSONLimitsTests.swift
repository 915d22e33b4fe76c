// The limits of a document are met before they cost anything.

import Shared
import Testing

@Suite struct JSONLimitsTests {
  private func limits(bytes: Int = 1_000, depth: Int = 10, elements: Int = 100) -> JSON.Limits {
    JSON.Limits(maximumByteCount: bytes, maximumDepth: depth, maximumElementCount: elements)
  }

  private func nested(_ depth: Int) -> String {
    String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
  }

  private func error(_ document: String, _ limits: JSON.Limits) -> JSONError? {
    do throws(JSONError) {
      _ = try JSON(parsing: document.utf8, limits: limits)
      return nil
    } catch {
      return error
    }
  }

  @Test func bytes() {
    #expect(error("[1234]", limits(bytes: 6)) == nil)
    let tooLong = error("[1234] ", limits(bytes: 6))
    #expect(tooLong?.code == .tooLong)
    #expect(tooLong?.description == "bad JSON at byte 6: the document is longer than 6 bytes")
    #expect(error("", limits(bytes: -1))?.code == .unexpectedEnd)
    #expect(error("1", limits(bytes: -1))?.code == .tooLong)
  }

  @Test func depth() {
    #expect(error(nested(10), limits()) == nil)
    let tooDeep = error(nested(11), limits())
    #expect(tooDeep?.code == .tooDeep)
    #expect(tooDeep?.description == "bad JSON at byte 10: more than 10 levels of nesting")
    #expect(error(#"{"a":{"a":{}}}"#, limits(depth: 3)) == nil)
    #expect(error(#"{"a":{"a":{}}}"#, limits(depth: 2))?.byteOffset == 10)
    #expect(error("1", limits(depth: 0)) == nil)
    #expect(error("[]", limits(depth: 0))?.code == .tooDeep)
    #expect(error("[[],[],[[]]]", limits(depth: 3)) == nil)
    #expect(error(String(repeating: "[", count: 1_000_000), .default)?.code == .tooDeep)
    #expect(error(String(repeating: #"{"":"#, count: 200_000), .default)?.code == .tooDeep)
  }

  @Test func elements() {
    #expect(error("[1,2,3]", limits(elements: 4)) == nil)
    let tooMany = error("[1,2,3]", limits(elements: 3))
    #expect(tooMany?.code == .tooManyElements)
    #expect(tooMany?.description == "bad JSON at byte 5: more than 3 values in one document")
    #expect(error(#"{"a":1,"b":2}"#, limits(elements: 3)) == nil)
    #expect(error(#"{"a":1,"a":2}"#, limits(elements: 2))?.code == .tooManyElements)
    #expect(error("1", limits(elements: 0))?.code == .tooManyElements)
    #expect(error("[" + String(repeating: "[],", count: 300_000) + "1]", .default)?.code == .tooManyElements)
  }

  @Test func noLimitIsNegativeAndTheDepthHasACeiling() {
    let limits = JSON.Limits(maximumByteCount: .min, maximumDepth: .max, maximumElementCount: .min)
    #expect(limits.maximumByteCount == 0)
    #expect(limits.maximumDepth == JSON.Limits.greatestDepth)
    #expect(limits.maximumElementCount == 0)
  }

  @Test func theDefaultFitsOneControlMessage() {
    #expect(JSON.Limits.default.maximumByteCount == Limits.maximumControlBodyLength)
    #expect(JSON.Limits.default.maximumDepth == 64)
    #expect(JSON.Limits.default.maximumElementCount == 65_536)
  }

  /// The deepest value that can be had is parsed, compared, written and released without harm.
  @Test func theGreatestDepthIsSafe() throws {
    let document = nested(JSON.Limits.greatestDepth)
    let limits = limits(bytes: 10_000, depth: .max, elements: 10_000)
    let value = try JSON(parsing: document.utf8, limits: limits)
    #expect(value.serialized() == Array(document.utf8))
    let again = try JSON(parsing: document.utf8, limits: limits)
    #expect(value == again)
  }

  /// Many keys, long strings and long numbers cost time that grows with their length and no faster.
  @Test(.timeLimit(.minutes(1))) func theWorkIsLinear() throws {
    let limits = JSON.Limits(maximumByteCount: 8 << 20, maximumDepth: 8, maximumElementCount: 1 << 20)
    let members = (0..<60_000).map { "\"\($0)\":\($0)" }.joined(separator: ",")
    #expect(try JSON(parsing: "{\(members)}".utf8, limits: limits).objectValue?.count == 60_000)
    let escapes = String(repeating: "\\n", count: 500_000)
    #expect(try JSON(parsing: "\"\(escapes)\"".utf8, limits: limits).stringValue?.utf8.count == 500_000)
    let digits = String(repeating: "7", count: 1_000_000)
    #expect(try JSON(parsing: "0.\(digits)".utf8, limits: limits).numberValue == 7.0 / 9)
    // A key of combining marks in descending order, which is slow to normalise.
    let marks = String(repeating: "\u{345}\u{301}\u{31B}", count: 100_000)
    #expect(
      try JSON(parsing: "{\"a\(marks)\":1,\"a\(marks)\":2}".utf8, limits: limits).objectValue?.count == 1)
  }
}
