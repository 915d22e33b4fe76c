// The word: one argument of a command line, byte for byte.

/// One argument of a command line. Its bytes are kept as they came, because what the program is given
/// must be what the caller wrote, and a file name need not be UTF-8.
struct Word: Equatable, Sendable {
  let bytes: [UInt8]

  init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  init(_ text: String) { bytes = Array(text.utf8) }

  /// The word as text; what is not UTF-8 is replaced, so this is for options and for messages only.
  var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension Word: ExpressibleByStringLiteral {
  init(stringLiteral value: String) { self.init(value) }
}
