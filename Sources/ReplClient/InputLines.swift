// The input lines: the tool's standard input, for an evaluation that reads.

internal import SystemPackage

/// Reads lines when they are asked for.
public struct InputLines {
  private let input: FileDescriptor
  private var buffer: [UInt8] = []
  private var isAtEnd = false

  /// - Parameter descriptor: what to read from; nobody closes it before this is done with.
  public init(_ descriptor: Int32) { input = FileDescriptor(rawValue: descriptor) }

  /// What to wait for when there is no line yet.
  public var watched: Watched { Watched(input.rawValue, for: .reading) }

  /// A longer line is given in pieces, in bytes.
  private static let maximumLineLength = 1 << 16

  /// What the evaluation gets next; nil when that has to be waited for.
  public enum Next: Equatable {
    case text(String)
    case end
  }

  /// The next line that is there, with its newline.
  public mutating func next() -> Next? {
    if let newline = buffer.firstIndex(of: UInt8(ascii: "\n")) { return take(newline + 1) }
    if buffer.count >= Self.maximumLineLength { return take(wholeCharacters()) }
    guard isAtEnd else { return nil }
    return buffer.isEmpty ? .end : take(buffer.count)
  }

  /// Reads what is there. An input that cannot be read is at its end.
  public mutating func read() {
    var bytes = [UInt8](repeating: 0, count: 4096)
    do {
      let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe input.read(into: $0) }
      buffer += bytes.prefix(count)
      isAtEnd = count == 0
    } catch Errno.resourceTemporarilyUnavailable {
      return
    } catch {
      isAtEnd = true
    }
  }

  private mutating func take(_ count: Int) -> Next {
    defer { buffer.removeFirst(count) }
    return .text(String(decoding: buffer.prefix(count), as: UTF8.self))
  }

  /// How many bytes of the buffer do not cut a character of UTF-8 at their end.
  private func wholeCharacters() -> Int {
    let tail = buffer.suffix(4)
    guard let start = tail.lastIndex(where: { $0 & 0xC0 != 0x80 }), start > 0, buffer[start] >= 0xC0 else {
      return buffer.count
    }
    return start
  }
}
