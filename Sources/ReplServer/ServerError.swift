// The server error: why a server could not be started.
internal import Glibc

/// Why a server could not start or do what was asked. One line, fit for a user.
public struct ServerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of fault. New kinds may be added, so a `switch` over it needs a default.
  public struct Code: Hashable, Sendable {
    private let name: String

    private init(_ name: String) { self.name = name }

    public static let addressUnavailable = Code("addressUnavailable")
    public static let notPermitted = Code("notPermitted")
    public static let noResources = Code("noResources")
  }

  public let code: Code
  public let message: String
  /// The system's error number behind it, or 0.
  public let errno: Int32

  init(_ code: Code, _ message: String, errno: Int32 = 0) {
    self.code = code
    self.message = message
    self.errno = errno
  }

  public var description: String { message }

  /// The system's words for an error number.
  static func text(of number: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard unsafe strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
