// The JSON error: what is wrong with a document, and at which byte.

/// A document that was refused.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of fault. New kinds may be added, so a `switch` over it needs a default.
  public struct Code: Hashable, Sendable {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// Over the limit of bytes.
    public static let tooLong = Code("tooLong")
    /// Over the limit of depth.
    public static let tooDeep = Code("tooDeep")
    /// Over the limit of values.
    public static let tooManyElements = Code("tooManyElements")
    /// Not UTF-8.
    public static let invalidUTF8 = Code("invalidUTF8")
    /// The document ends where more is needed.
    public static let unexpectedEnd = Code("unexpectedEnd")
    /// A byte that can not stand where it does, also after the end of the value.
    public static let unexpectedByte = Code("unexpectedByte")
    /// A backslash followed by what is no escape.
    public static let invalidEscape = Code("invalidEscape")
    /// A control character that must be escaped inside a string.
    public static let unescapedControl = Code("unescapedControl")
    /// A number against the grammar: `01`, `1.`, `.5`, `+1`.
    public static let invalidNumber = Code("invalidNumber")
    /// A number too large for a `Double`.
    public static let numberNotFinite = Code("numberNotFinite")
  }

  public let code: Code

  /// The offset of the byte at fault, from 0; the length of the document when it ended too early.
  public let byteOffset: Int

  /// What is wrong, in one line and without the bytes of the document.
  public let message: String

  init(_ code: Code, at byteOffset: Int, _ message: String) {
    self.code = code
    self.byteOffset = byteOffset
    self.message = message
  }

  public var description: String { "bad JSON at byte \(byteOffset): \(message)" }
}
