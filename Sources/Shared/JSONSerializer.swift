// The JSON serializer: a value in, one line of UTF-8 out.

/// Writes values. Like the parser it keeps a stack of its own instead of calling itself.
struct JSONSerializer {
  /// An array or object whose end has not been written.
  private enum Container {
    case array(IndexingIterator<[JSON]>)
    case object(JSON.Object.Iterator)
  }

  /// What has been written.
  private(set) var bytes: [UInt8] = []

  /// Appends one value.
  mutating func write(_ value: JSON) {
    var stack: [Container] = []
    open(value, &stack)
    while let container = stack.popLast() {
      switch container {
      case .array(var elements):
        guard let element = elements.next() else {
          bytes.append(UInt8(ascii: "]"))
          continue
        }
        separate(from: UInt8(ascii: "["))
        stack.append(.array(elements))
        open(element, &stack)
      case .object(var members):
        guard let member = members.next() else {
          bytes.append(UInt8(ascii: "}"))
          continue
        }
        separate(from: UInt8(ascii: "{"))
        write(string: member.key)
        bytes.append(UInt8(ascii: ":"))
        stack.append(.object(members))
        open(member.value, &stack)
      }
    }
  }

  /// Writes a scalar, or the start of a container, which goes on the stack.
  private mutating func open(_ value: JSON, _ stack: inout [Container]) {
    switch value {
    case .null: bytes.append(contentsOf: "null".utf8)
    case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): bytes.append(contentsOf: String(value).utf8)
    case .number(let value): write(number: value)
    case .string(let value): write(string: value)
    case .array(let elements):
      bytes.append(UInt8(ascii: "["))
      stack.append(.array(elements.makeIterator()))
    case .object(let object):
      bytes.append(UInt8(ascii: "{"))
      stack.append(.object(object.makeIterator()))
    }
  }

  /// Writes a comma unless the container was only just opened: no value ends in its opening bracket.
  private mutating func separate(from opening: UInt8) {
    if bytes.last != opening { bytes.append(UInt8(ascii: ",")) }
  }

  /// Writes the shortest decimal that reads back as the same number, always with a point or an
  /// exponent, so that it does not come back as an integer.
  private mutating func write(number: Double) {
    bytes.append(contentsOf: (number.isFinite ? number.description : "null").utf8)
  }

  private mutating func write(string: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
      case 0x08: bytes.append(contentsOf: "\\b".utf8)
      case 0x09: bytes.append(contentsOf: "\\t".utf8)
      case 0x0A: bytes.append(contentsOf: "\\n".utf8)
      case 0x0C: bytes.append(contentsOf: "\\f".utf8)
      case 0x0D: bytes.append(contentsOf: "\\r".utf8)
      case 0..<0x20:
        bytes.append(contentsOf: (byte < 0x10 ? "\\u000" : "\\u00").utf8)
        bytes.append(contentsOf: String(byte, radix: 16).utf8)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
