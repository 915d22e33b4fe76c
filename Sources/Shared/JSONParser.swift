// The JSON parser: the grammar of RFC 8259 over bytes that are known to be UTF-8.

/// Parses one document. It keeps its open arrays and objects on a stack of its own and never calls
/// itself, so that the depth of a document can not exhaust the thread's stack.
struct JSONParser {
  /// An array or object whose end has not been seen. Both kinds share one struct, because the payload
  /// of an enum would be copied each time a value is added.
  private struct Container {
    let isObject: Bool
    var elements: [JSON] = []
    var object = JSON.Object()
    var key = ""
  }

  private let bytes: [UInt8]
  private let limits: JSON.Limits
  private var offset = 0
  private var elementCount = 0
  private var stack: [Container] = []

  /// - Throws: `JSONError` when the bytes are not UTF-8.
  init(_ bytes: [UInt8], limits: JSON.Limits) throws(JSONError) {
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: bytes.span)
    } catch {
      throw JSONError(.invalidUTF8, at: error.byteOffsets.lowerBound, "not UTF-8")
    }
    self.bytes = bytes
    self.limits = limits
  }

  /// Returns the value of the whole document.
  mutating func parseDocument() throws(JSONError) -> JSON {
    while true {
      skipWhiteSpace()
      guard var value = try parseValueOrOpen() else { continue }
      // A complete value may complete its container, and that the next one.
      while !stack.isEmpty {
        add(value)
        guard let container = try closeOrContinue() else { break }
        value = container
      }
      if stack.isEmpty {
        skipWhiteSpace()
        guard offset == bytes.count else { throw unexpected("the end of the document") }
        return value
      }
    }
  }

  // MARK: Containers

  /// Returns a scalar or an empty container, or nil after opening one whose first value follows.
  private mutating func parseValueOrOpen() throws(JSONError) -> JSON? {
    elementCount += 1
    guard elementCount <= limits.maximumElementCount else {
      throw JSONError(
        .tooManyElements, at: offset, "more than \(limits.maximumElementCount) values in one document")
    }
    guard let byte = peek() else { throw unexpected("a value") }
    switch byte {
    case UInt8(ascii: "{"):
      try open(isObject: true)
      guard !skip(UInt8(ascii: "}")) else { return close() }
      try parseKey()
      return nil
    case UInt8(ascii: "["):
      try open(isObject: false)
      guard !skip(UInt8(ascii: "]")) else { return close() }
      return nil
    case UInt8(ascii: "\""):
      return .string(try parseString())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return try parseNumber()
    case UInt8(ascii: "t"):
      return try parseWord("true", .bool(true))
    case UInt8(ascii: "f"):
      return try parseWord("false", .bool(false))
    case UInt8(ascii: "n"):
      return try parseWord("null", .null)
    default:
      throw unexpected("a value")
    }
  }

  private mutating func open(isObject: Bool) throws(JSONError) {
    guard stack.count < limits.maximumDepth else {
      throw JSONError(.tooDeep, at: offset, "more than \(limits.maximumDepth) levels of nesting")
    }
    offset += 1
    stack.append(Container(isObject: isObject))
    skipWhiteSpace()
  }

  private mutating func close() -> JSON? {
    guard let container = stack.popLast() else { return nil }
    return container.isObject ? .object(container.object) : .array(container.elements)
  }

  private mutating func add(_ value: JSON) {
    guard let top = stack.indices.last else { return }
    if stack[top].isObject {
      stack[top].object[stack[top].key] = value
    } else {
      stack[top].elements.append(value)
    }
  }

  /// After a value: returns the container if it ends here, or nil when another value follows.
  private mutating func closeOrContinue() throws(JSONError) -> JSON? {
    let isObject = stack.last?.isObject ?? false
    skipWhiteSpace()
    if skip(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) { return close() }
    guard skip(UInt8(ascii: ",")) else { throw unexpected(isObject ? "',' or '}'" : "',' or ']'") }
    if isObject {
      skipWhiteSpace()
      try parseKey()
    }
    return nil
  }

  private mutating func parseKey() throws(JSONError) {
    guard peek() == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
    let key = try parseString()
    skipWhiteSpace()
    guard skip(UInt8(ascii: ":")) else { throw unexpected("':'") }
    guard let top = stack.indices.last else { return }
    stack[top].key = key
  }

  // MARK: Scalars

  private mutating func parseWord(_ word: String, _ value: JSON) throws(JSONError) -> JSON {
    for byte in word.utf8 {
      guard skip(byte) else { throw unexpected("'\(word)'") }
    }
    return value
  }

  private mutating func parseNumber() throws(JSONError) -> JSON {
    let start = offset
    var isInteger = true
    _ = skip(UInt8(ascii: "-"))
    if !skip(UInt8(ascii: "0")) {
      try skipDigits()
    } else if let next = peek(), isDigit(next) {
      throw JSONError(.invalidNumber, at: offset, "a number starts with a superfluous 0")
    }
    if skip(UInt8(ascii: ".")) {
      isInteger = false
      try skipDigits()
    }
    if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
      isInteger = false
      if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
      try skipDigits()
    }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if isInteger, let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else {
      throw JSONError(.numberNotFinite, at: start, "the number is too large")
    }
    return .number(value)
  }

  private mutating func skipDigits() throws(JSONError) {
    let start = offset
    while let byte = peek(), isDigit(byte) { offset += 1 }
    guard offset > start else {
      guard peek() != nil else { throw unexpected("a digit") }
      throw JSONError(.invalidNumber, at: offset, "a digit is missing in a number")
    }
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  // MARK: Strings

  private mutating func parseString() throws(JSONError) -> String {
    offset += 1
    var start = offset
    // Stays empty, and costs nothing, in a string without escapes.
    var unescaped: [UInt8] = []
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "\""):
        let rest = bytes[start..<offset]
        offset += 1
        if unescaped.isEmpty { return String(decoding: rest, as: UTF8.self) }
        unescaped.append(contentsOf: rest)
        return String(decoding: unescaped, as: UTF8.self)
      case UInt8(ascii: "\\"):
        unescaped.append(contentsOf: bytes[start..<offset])
        offset += 1
        unescaped.append(contentsOf: String(try parseEscape()).utf8)
        start = offset
      case 0..<0x20:
        throw JSONError(.unescapedControl, at: offset, "a control character in a string is not escaped")
      default:
        offset += 1
      }
    }
    throw unexpected("'\"'")
  }

  /// Parses what follows a backslash.
  private mutating func parseEscape() throws(JSONError) -> Unicode.Scalar {
    guard let byte = peek() else { throw unexpected("an escape") }
    let scalar: Unicode.Scalar
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scalar = Unicode.Scalar(byte)
    case UInt8(ascii: "b"): scalar = "\u{8}"
    case UInt8(ascii: "f"): scalar = "\u{C}"
    case UInt8(ascii: "n"): scalar = "\n"
    case UInt8(ascii: "r"): scalar = "\r"
    case UInt8(ascii: "t"): scalar = "\t"
    case UInt8(ascii: "u"):
      offset += 1
      return try parseUnicodeEscape()
    default:
      throw JSONError(.invalidEscape, at: offset, "no such escape in a string")
    }
    offset += 1
    return scalar
  }

  /// Parses the four digits after `\u`, and a second escape when the two are a surrogate pair.
  private mutating func parseUnicodeEscape() throws(JSONError) -> Unicode.Scalar {
    let unit = try parseFourHexDigits()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    guard unit < 0xDC00, peek() == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "u") else { return "\u{FFFD}" }
    let afterFirst = offset
    offset += 2
    let second = try parseFourHexDigits()
    guard second >= 0xDC00, second <= 0xDFFF else {
      // The second escape is a character of its own, and may start a pair: it is read again.
      offset = afterFirst
      return "\u{FFFD}"
    }
    let scalar = 0x10000 + (UInt32(unit - 0xD800) << 10) + UInt32(second - 0xDC00)
    return Unicode.Scalar(scalar) ?? "\u{FFFD}"
  }

  private mutating func parseFourHexDigits() throws(JSONError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = peek() else { throw unexpected("a hexadecimal digit") }
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default:
        throw JSONError(.invalidEscape, at: offset, "'\\u' needs four hexadecimal digits")
      }
      value = value << 4 | UInt16(digit)
      offset += 1
    }
    return value
  }

  // MARK: Bytes

  private func peek(_ distance: Int = 0) -> UInt8? {
    offset + distance < bytes.count ? bytes[offset + distance] : nil
  }

  /// Steps over the byte if it is the next one.
  private mutating func skip(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    offset += 1
    return true
  }

  private mutating func skipWhiteSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
  }

  private func unexpected(_ expected: String) -> JSONError {
    peek() == nil
      ? JSONError(.unexpectedEnd, at: offset, "the document ends where \(expected) should be")
      : JSONError(.unexpectedByte, at: offset, "expected \(expected)")
  }
}
