// JSON: a value of RFC 8259, the language of the control messages.
//
// A codec of our own, because Foundation's costs a module that is loaded into other people's
// processes 7 MB, and because this one bounds what a peer can make it allocate.

/// A JSON value. The equality of strings is that of their code points, not Unicode's canonical one:
/// what two peers see as different texts is never taken for the same.
public enum JSON: Sendable {
  case null
  case bool(Bool)
  /// A number written without fraction and exponent, in the range of `Int`.
  case integer(Int)
  /// Any other number. One that is not finite can not be written, and becomes `null`.
  case number(Double)
  case string(String)
  case array([JSON])
  case object(JSON.Object)
}

extension JSON {
  /// Parses one document: strictly RFC 8259, in UTF-8, without a byte order mark.
  ///
  /// A surrogate escape that has no partner becomes U+FFFD; an integer outside `Int` becomes `.number`.
  ///
  /// - Parameters:
  ///   - bytes: the whole document; white space around it is allowed.
  ///   - limits: what the document may cost; they are checked before memory is spent.
  /// - Throws: `JSONError` with the offset of the byte at fault.
  public init(parsing bytes: some Collection<UInt8>, limits: Limits = .default) throws(JSONError) {
    guard bytes.count <= limits.maximumByteCount else {
      throw JSONError(
        .tooLong, at: limits.maximumByteCount, "the document is longer than \(limits.maximumByteCount) bytes")
    }
    var parser = try JSONParser(Array(bytes), limits: limits)
    self = try parser.parseDocument()
  }

  /// The value as a document: UTF-8, in one line, without spaces. It never holds the byte 0xFF.
  public func serialized() -> [UInt8] {
    var serializer = JSONSerializer()
    serializer.write(self)
    return serializer.bytes
  }
}

extension JSON {
  public var stringValue: String? {
    guard case .string(let value) = self else { return nil }
    return value
  }

  /// The value of an integer, also of one that was written as `2.0` or `2e0`.
  public var integerValue: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Self.integer(equalTo: value)
    default: nil
    }
  }

  /// `Int(exactly:)` would do, but it calls libm, which nothing else here needs.
  private static func integer(equalTo number: Double) -> Int? {
    // 2^63 is the first that does not fit; -2^63 still does, and NaN is in no range.
    guard number >= -0x1p63, number < 0x1p63 else { return nil }
    let integer = Int64(number)
    return Double(integer) == number ? Int(exactly: integer) : nil
  }

  /// The value of any number; an integer beyond 2^53 is rounded.
  public var numberValue: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  public var boolValue: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  public var arrayValue: [JSON]? {
    guard case .array(let value) = self else { return nil }
    return value
  }

  public var objectValue: JSON.Object? {
    guard case .object(let value) = self else { return nil }
    return value
  }
}

extension JSON: Equatable {
  public static func == (left: JSON, right: JSON) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.integer(let left), .integer(let right)): left == right
    case (.number(let left), .number(let right)): left == right
    case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
    case (.array(let left), .array(let right)): left == right
    case (.object(let left), .object(let right)): left == right
    default: false
    }
  }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  public init(nilLiteral: ()) { self = .null }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }

  public init(dictionaryLiteral elements: (String, JSON)...) {
    var object = Object()
    for (key, value) in elements { object[key] = value }
    self = .object(object)
  }
}
