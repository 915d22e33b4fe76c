// The JSON grammar, as a table of documents: what is taken and as what, what is refused, why and where.

import Shared
import Testing

@Suite struct JSONParserTests {
  // MARK: Taken

  static let taken: [(document: String, value: JSON)] = [
    // Words and white space.
    ("null", nil), ("true", true), ("false", false), (" \t\r\n null \n", nil),
    // Structure.
    ("[]", []), ("{}", [:]), ("[ ]", []), ("{ }", [:]), ("[[]]", [[]]), ("[{}]", [[:]]),
    (#"{"a":{}}"#, ["a": [:]]),
    ("[1,2]", [1, 2]), ("[1 , [2 ,3] ]", [1, [2, 3]]), (#"{"a":1,"b":[true]}"#, ["a": 1, "b": [true]]),
    (#" { "a" : 1 , "b" : 2 } "#, ["a": 1, "b": 2]), ("[null,null]", [nil, nil]), ("[\"\"]", [""]),
    (#"{"":0}"#, ["": 0]), (#"{"a":1,"a":2}"#, ["a": 2]), (#"{"a":1,"b":2,"a":{}}"#, ["a": [:], "b": 2]),
    (#"{"\u0061":1,"a":2}"#, ["a": 2]),
    // Integers, up to the ends of Int.
    ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("10", 10), ("9223372036854775807", .integer(.max)),
    ("-9223372036854775808", .integer(.min)), ("9223372036854775808", 9223372036854775808.0),
    ("-9223372036854775809", -9223372036854775809.0), ("100000000000000000000", 1e20),
    // Other numbers.
    ("0.0", 0.0), ("-0.0", -0.0), ("1.5", 1.5), ("-1.25", -1.25), ("0.1", 0.1), ("1e2", 100.0),
    ("1E2", 100.0),
    ("1e+2", 100.0), ("1e-2", 0.01), ("0e0", 0.0), ("0E-1", 0.0), ("12.5e003", 12500.0), ("1.0", 1.0),
    ("5e-324", .number(.leastNonzeroMagnitude)), ("1e-400", 0.0),
    ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
    ("0.30000000000000004", 0.30000000000000004),
    ("123456789012345678901234567890", 123456789012345678901234567890.0),
    // Strings.
    (#""""#, ""), (#""plain""#, "plain"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), ("\"/\"", "/"),
    ("\"\u{7F}\"", "\u{7F}"), (#""\u0000""#, "\0"), (#""\u00e9\u00E9""#, "éé"), (#""\u20ac""#, "€"),
    ("\"λ€😀\"", "λ€😀"), (#""a\u0000b""#, "a\0b"), ("\"\u{2028}\u{2029}\"", "\u{2028}\u{2029}"),
    ("\"\u{FEFF}\"", "\u{FEFF}"), ("\"\u{10FFFF}\"", "\u{10FFFF}"), (#""\uFFFF""#, "\u{FFFF}"),
    (#""null""#, "null"),
    ("\"e\u{301}\"", "e\u{301}"),
    // Surrogate escapes: pairs, and those without a partner.
    (#""\ud83d\ude00""#, "😀"), (#""\uD834\uDD1E!""#, "𝄞!"), (#""\udbff\udfff""#, "\u{10FFFF}"),
    (#""\ud800""#, "\u{FFFD}"), (#""\udc00""#, "\u{FFFD}"), (#""\ud800x""#, "\u{FFFD}x"),
    (#""\ud800\n""#, "\u{FFFD}\n"), (#""\ud800\u0041""#, "\u{FFFD}A"),
    (#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"),
    (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"), (#""\ud83d\\ude00""#, "\u{FFFD}\\ude00"),
  ]

  @Test(arguments: taken)
  func isTaken(document: String, value: JSON) throws {
    let parsed = try JSON(parsing: document.utf8)
    #expect(parsed == value)
    #expect(ParserProperties.json(Array(document.utf8)) == nil)
  }

  @Test func negativeZeroKeepsItsSign() throws {
    #expect(try JSON(parsing: "-0.0".utf8).numberValue?.sign == .minus)
    #expect(try JSON(parsing: "-1e-400".utf8).numberValue?.sign == .minus)
  }

  // MARK: Refused

  static let refused: [(document: String, code: JSONError.Code, offset: Int, message: String)] = [
    // Nothing there.
    ("", .unexpectedEnd, 0, "the document ends where a value should be"),
    ("  ", .unexpectedEnd, 2, "the document ends where a value should be"),
    // Words.
    ("nul", .unexpectedEnd, 3, "the document ends where 'null' should be"),
    ("nulL", .unexpectedByte, 3, "expected 'null'"), ("True", .unexpectedByte, 0, "expected a value"),
    ("tru", .unexpectedEnd, 3, "the document ends where 'true' should be"),
    ("fals3", .unexpectedByte, 4, "expected 'false'"),
    ("nullnull", .unexpectedByte, 4, "expected the end of the document"),
    ("NaN", .unexpectedByte, 0, "expected a value"), ("Infinity", .unexpectedByte, 0, "expected a value"),
    ("undefined", .unexpectedByte, 0, "expected a value"), ("'a'", .unexpectedByte, 0, "expected a value"),
    ("None", .unexpectedByte, 0, "expected a value"), ("*", .unexpectedByte, 0, "expected a value"),
    // What is no white space here.
    ("\u{FEFF}null", .unexpectedByte, 0, "expected a value"),
    ("\u{A0}1", .unexpectedByte, 0, "expected a value"),
    ("[\u{C}]", .unexpectedByte, 1, "expected a value"),
    ("1\0", .unexpectedByte, 1, "expected the end of the document"),
    ("[\u{2028}]", .unexpectedByte, 1, "expected a value"), ("é", .unexpectedByte, 0, "expected a value"),
    // Comments and second documents.
    ("1 // one", .unexpectedByte, 2, "expected the end of the document"),
    ("/**/1", .unexpectedByte, 0, "expected a value"),
    ("1 2", .unexpectedByte, 2, "expected the end of the document"),
    ("[]]", .unexpectedByte, 2, "expected the end of the document"),
    ("{}}", .unexpectedByte, 2, "expected the end of the document"),
    ("[],", .unexpectedByte, 2, "expected the end of the document"),
    ("# 1", .unexpectedByte, 0, "expected a value"),
    ("{}[]", .unexpectedByte, 2, "expected the end of the document"),
    // Arrays.
    ("[", .unexpectedEnd, 1, "the document ends where a value should be"),
    ("]", .unexpectedByte, 0, "expected a value"),
    ("[1", .unexpectedEnd, 2, "the document ends where ',' or ']' should be"),
    ("[1,", .unexpectedEnd, 3, "the document ends where a value should be"),
    ("[1,]", .unexpectedByte, 3, "expected a value"),
    ("[,1]", .unexpectedByte, 1, "expected a value"), ("[1,,2]", .unexpectedByte, 3, "expected a value"),
    ("[1 2]", .unexpectedByte, 3, "expected ',' or ']'"), ("[1}", .unexpectedByte, 2, "expected ',' or ']'"),
    ("[1:2]", .unexpectedByte, 2, "expected ',' or ']'"),
    ("[[1]", .unexpectedEnd, 4, "the document ends where ',' or ']' should be"),
    ("[,]", .unexpectedByte, 1, "expected a value"),
    ("[\"a\" \"b\"]", .unexpectedByte, 5, "expected ',' or ']'"),
    // Objects.
    ("{", .unexpectedEnd, 1, "the document ends where a key in double quotes should be"),
    ("{1:2}", .unexpectedByte, 1, "expected a key in double quotes"),
    ("{a:1}", .unexpectedByte, 1, "expected a key in double quotes"),
    ("{'a':1}", .unexpectedByte, 1, "expected a key in double quotes"),
    ("{null:1}", .unexpectedByte, 1, "expected a key in double quotes"),
    (#"{"a"}"#, .unexpectedByte, 4, "expected ':'"), (#"{"a" 1}"#, .unexpectedByte, 5, "expected ':'"),
    (#"{"a":}"#, .unexpectedByte, 5, "expected a value"),
    (#"{"a"::1}"#, .unexpectedByte, 5, "expected a value"),
    (#"{"a":1,}"#, .unexpectedByte, 7, "expected a key in double quotes"),
    (#"{,"a":1}"#, .unexpectedByte, 1, "expected a key in double quotes"),
    (#"{"a":1,,"b":2}"#, .unexpectedByte, 7, "expected a key in double quotes"),
    (#"{"a":1 "b":2}"#, .unexpectedByte, 7, "expected ',' or '}'"),
    (#"{"a":1]"#, .unexpectedByte, 6, "expected ',' or '}'"),
    (#"{"a":1"#, .unexpectedEnd, 6, "the document ends where ',' or '}' should be"),
    (#"{"a""#, .unexpectedEnd, 4, "the document ends where ':' should be"),
    (#"{"a":"#, .unexpectedEnd, 5, "the document ends where a value should be"),
    (#"{"a":1,"#, .unexpectedEnd, 7, "the document ends where a key in double quotes should be"),
    ("{]", .unexpectedByte, 1, "expected a key in double quotes"),
    // Numbers.
    ("-", .unexpectedEnd, 1, "the document ends where a digit should be"),
    ("--1", .invalidNumber, 1, "a digit is missing in a number"),
    ("+1", .unexpectedByte, 0, "expected a value"), (".5", .unexpectedByte, 0, "expected a value"),
    ("-.5", .invalidNumber, 1, "a digit is missing in a number"),
    ("1.", .unexpectedEnd, 2, "the document ends where a digit should be"),
    ("[1.]", .invalidNumber, 3, "a digit is missing in a number"),
    ("1.e5", .invalidNumber, 2, "a digit is missing in a number"),
    ("01", .invalidNumber, 1, "a number starts with a superfluous 0"),
    ("-01", .invalidNumber, 2, "a number starts with a superfluous 0"),
    ("00", .invalidNumber, 1, "a number starts with a superfluous 0"),
    ("1e", .unexpectedEnd, 2, "the document ends where a digit should be"),
    ("1e+", .unexpectedEnd, 3, "the document ends where a digit should be"),
    ("[1e]", .invalidNumber, 3, "a digit is missing in a number"),
    ("1e+-2", .invalidNumber, 3, "a digit is missing in a number"),
    ("1e2.5", .unexpectedByte, 3, "expected the end of the document"),
    ("0x10", .unexpectedByte, 1, "expected the end of the document"),
    ("1_000", .unexpectedByte, 1, "expected the end of the document"),
    ("1.2.3", .unexpectedByte, 3, "expected the end of the document"),
    ("-Infinity", .invalidNumber, 1, "a digit is missing in a number"),
    ("１", .unexpectedByte, 0, "expected a value"),
    ("1e400", .numberNotFinite, 0, "the number is too large"),
    ("[-1e400]", .numberNotFinite, 1, "the number is too large"),
    ("1" + String(repeating: "0", count: 400), .numberNotFinite, 0, "the number is too large"),
    ("1e99999999999999999999", .numberNotFinite, 0, "the number is too large"),
    // Strings.
    ("\"", .unexpectedEnd, 1, "the document ends where '\"' should be"),
    ("\"abc", .unexpectedEnd, 4, "the document ends where '\"' should be"),
    ("\"\n\"", .unescapedControl, 1, "a control character in a string is not escaped"),
    ("\"a\tb\"", .unescapedControl, 2, "a control character in a string is not escaped"),
    ("\"\0\"", .unescapedControl, 1, "a control character in a string is not escaped"),
    ("\"\u{1F}\"", .unescapedControl, 1, "a control character in a string is not escaped"),
    (#""\""#, .unexpectedEnd, 3, "the document ends where '\"' should be"),
    (#""\"#, .unexpectedEnd, 2, "the document ends where an escape should be"),
    (#""\x41""#, .invalidEscape, 2, "no such escape in a string"),
    (#""\a""#, .invalidEscape, 2, "no such escape in a string"),
    (#""\'""#, .invalidEscape, 2, "no such escape in a string"),
    (#""\0""#, .invalidEscape, 2, "no such escape in a string"),
    (#""\U0041""#, .invalidEscape, 2, "no such escape in a string"),
    (#""\é""#, .invalidEscape, 2, "no such escape in a string"),
    (#""\u""#, .invalidEscape, 3, "'\\u' needs four hexadecimal digits"),
    (#""\u00g0""#, .invalidEscape, 5, "'\\u' needs four hexadecimal digits"),
    (#""\u 041""#, .invalidEscape, 3, "'\\u' needs four hexadecimal digits"),
    (#""\u+041""#, .invalidEscape, 3, "'\\u' needs four hexadecimal digits"),
    (#""\u00"#, .unexpectedEnd, 5, "the document ends where a hexadecimal digit should be"),
    (#""\ud800\u""#, .invalidEscape, 9, "'\\u' needs four hexadecimal digits"),
    (#""\ud800\"#, .unexpectedEnd, 8, "the document ends where an escape should be"),
    (#""\ud800\x""#, .invalidEscape, 8, "no such escape in a string"),
    (#""\u{41}""#, .invalidEscape, 3, "'\\u' needs four hexadecimal digits"),
  ]

  @Test(arguments: refused)
  func isRefused(document: String, code: JSONError.Code, offset: Int, message: String) {
    #expect(throws: JSONError.self) { try JSON(parsing: document.utf8) }
    do throws(JSONError) {
      _ = try JSON(parsing: document.utf8)
    } catch {
      #expect(error.code == code)
      #expect(error.byteOffset == offset)
      #expect(error.message == message)
      #expect(error.description == "bad JSON at byte \(offset): \(message)")
    }
  }

  /// A document is refused at each place where it can end too early.
  @Test func everyPrefixIsRefused() throws {
    let document = Array(#"{"a":[1.5e+3,"\ud83d\ude00é",{"b":null}],"c":[true,false,{}]}"#.utf8)
    _ = try JSON(parsing: document)
    for length in document.indices {
      #expect(throws: JSONError.self, "the first \(length) bytes") {
        try JSON(parsing: document.prefix(length))
      }
    }
  }

  // MARK: UTF-8

  static let notUTF8: [(bytes: [UInt8], offset: Int)] = [
    ([0x22, 0xFF, 0x22], 1),  // never a byte of UTF-8
    ([0x22, 0x80, 0x22], 1),  // a continuation alone
    ([0x22, 0x61, 0xC3, 0x22], 2),  // cut short
    ([0x22, 0xE2, 0x82, 0x22], 1),
    ([0x22, 0xF0, 0x9F, 0x98, 0x22], 1),
    ([0x22, 0xC0, 0x80, 0x22], 1),  // overlong
    ([0x22, 0xC1, 0xBF, 0x22], 1),
    ([0x22, 0xE0, 0x80, 0x80, 0x22], 1),
    ([0x22, 0xF0, 0x80, 0x80, 0x80, 0x22], 1),
    ([0x22, 0xED, 0xA0, 0x80, 0x22], 1),  // a surrogate
    ([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], 1),  // over U+10FFFF
    ([0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], 1),
    ([0x31, 0x20, 0xC3], 2),  // behind the value
    ([0xFE], 0),
    ([0x5B, 0x31, 0x2C, 0xE9, 0x5D], 3),  // Latin-1
    ([0xFF, 0xFE, 0x31, 0x00], 0),  // UTF-16
  ]

  @Test(arguments: notUTF8)
  func invalidUTF8IsRefusedWithItsOffset(bytes: [UInt8], offset: Int) {
    do throws(JSONError) {
      Issue.record("parsed as \(try JSON(parsing: bytes))")
    } catch {
      #expect(error.code == .invalidUTF8)
      #expect(error.byteOffset == offset)
      #expect(error.description == "bad JSON at byte \(offset): not UTF-8")
    }
  }

  @Test func anyCollectionOfBytesIsParsed() throws {
    #expect(try JSON(parsing: "xx[1]".utf8.dropFirst(2)) == [1])
    #expect(try JSON(parsing: CollectionOfOne(UInt8(ascii: "1"))) == 1)
  }

  @Test func randomTokensNeverTrap() {
    var random = SplitMix64(seed: 4)
    let tokens = [
      "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "d83d", "de00", "\"a\"", "1", "-", "0", ".", "e", "+",
      "null",
      "true", " ", "é", "\u{0}",
    ]
    for _ in 0..<20_000 {
      let document = (0..<Int.random(in: 1...12, using: &random)).map { _ in
        tokens.randomElement(using: &random) ?? ""
      }
      let broken = ParserProperties.json(Array(document.joined().utf8))
      #expect(broken == nil, "\(document.joined())")
    }
  }
}
