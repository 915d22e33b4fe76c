// The frame error: why the bytes after a sync byte were not a frame.

/// A frame that was refused. The decoder that reported it has already gone on behind its sync byte.
public struct FrameError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of fault. New kinds may be added, so a `switch` over it needs a default.
  public struct Code: Hashable, Sendable {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The bytes after the sync byte are no header: a wrong letter, or a length that is not decimal digits.
    public static let malformedHeader = Code("malformedHeader")
    /// A header of another protocol version than 01.
    public static let unsupportedVersion = Code("unsupportedVersion")
    /// The length is over the decoder's maximum.
    public static let lengthTooLarge = Code("lengthTooLarge")
    /// The body ended before its length: at the next sync byte, or with the stream.
    public static let truncatedBody = Code("truncatedBody")
    /// The stream ended inside a header.
    public static let truncatedHeader = Code("truncatedHeader")
  }

  public let code: Code

  /// What is wrong, in one line and without the bytes of the peer.
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { "bad frame: \(message)" }
}
