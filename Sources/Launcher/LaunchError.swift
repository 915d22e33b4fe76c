// The launch error: why nothing was started, and what to do about it.

internal import Shared

/// Why the interpreter was not started.
struct LaunchError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What replserve exits with.
  let code: ExitCode

  /// What is wrong and what to do, in one line without the name of the tool.
  let message: String

  /// - Parameter message: it may quote what the caller wrote; what a terminal could obey is replaced.
  init(_ code: ExitCode, _ message: String) {
    self.code = code
    self.message = String(
      String.UnicodeScalarView(
        message.unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .lineSeparator, .paragraphSeparator: "?"
          default: scalar
          }
        }))
  }

  var description: String { message }
}
