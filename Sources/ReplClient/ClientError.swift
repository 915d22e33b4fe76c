// The client error: why a tool could not do what it was asked, and what to do about it.

public import Shared

/// Why something was not done at a server.
public struct ClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What the tool exits with.
  public let code: ExitCode

  /// What is wrong and what to do, in one line without the name of the tool.
  public let message: String

  /// What there is to choose from, a line each.
  public let details: [String]

  /// - Parameters:
  ///   - message: it may quote what came from outside; what a terminal could obey is replaced.
  ///   - details: the same holds for them.
  public init(_ code: ExitCode, _ message: String, details: [String] = []) {
    self.code = code
    self.message = message.printableLine
    self.details = details.map(\.printableLine)
  }

  /// A reply that refuses.
  ///
  /// - Parameters:
  ///   - reason: the server's words.
  ///   - fields: of the reply; its `code` decides the exit code.
  public init(refusal reason: String, fields: JSON.Object) {
    let code: ExitCode =
      switch fields["code"]?.stringValue {
      case "no-session", "no-job": .noSuchItem
      case "not-permitted", "reason-required": .notPermitted
      case "timeout": .timedOut
      default: .failed
      }
    let isAskedWhy = fields["code"]?.stringValue == "reason-required"
    self.init(code, isAskedWhy ? "this server asks for a reason: give --reason TEXT, or set REPL_REASON" : reason)
  }

  public var description: String { message }
}
