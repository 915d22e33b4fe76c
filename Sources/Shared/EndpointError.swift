// The endpoint error: a text that names no server, and what to write instead.

/// A text that is not an endpoint.
public struct EndpointError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of fault. New kinds may be added, so a `switch` over it needs a default.
  public struct Code: Hashable, Sendable {
    private let name: String

    private init(_ name: String) { self.name = name }

    public static let empty = Code("empty")
    public static let badHost = Code("badHost")
    public static let badPort = Code("badPort")
    public static let tooManyParts = Code("tooManyParts")
    public static let bareIPv6Address = Code("bareIPv6Address")
    public static let badPath = Code("badPath")
    public static let badProcess = Code("badProcess")
    public static let badName = Code("badName")
    public static let badUser = Code("badUser")
    public static let unknownScheme = Code("unknownScheme")
  }

  /// The most characters of the text that a message repeats.
  private static let maximumQuotedLength = 60

  public let code: Code

  /// What is wrong and what to write instead, in one line of printable characters.
  public let message: String

  /// - Parameter text: what was given; it is quoted with everything that a terminal could obey replaced.
  init(_ code: Code, in text: some StringProtocol, _ advice: String) {
    let shown = text.unicodeScalars.prefix(Self.maximumQuotedLength).map { scalar in
      scalar.isASCII && scalar.value >= 0x20 && scalar.value < 0x7F ? Character(scalar) : "?"
    }
    self.code = code
    self.message = "'\(String(shown))': \(advice)"
  }

  public var description: String { message }
}
