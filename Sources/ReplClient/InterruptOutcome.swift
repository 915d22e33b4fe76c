// The outcome of an interrupt: what a server says that it did.

public import Shared

/// What an interrupt did.
public struct InterruptOutcome: Equatable, Sendable {
  public let name: String
  /// Where it is stuck, if it is.
  public let place: SourcePlace?

  public init(reply: JSON.Object) {
    name = reply["outcome"]?.stringValue ?? "unknown"
    place = reply["where"]?.objectValue.flatMap(SourcePlace.init)
  }

  public var inWords: String {
    switch name {
    case "blocked": place.map { "blocked in \($0.inWords)\(Self.callInWords($0))" } ?? "blocked"
    case "uninterruptible": "cannot be interrupted while the interpreter is held"
    default: name.escapedLine
    }
  }

  private static func callInWords(_ place: SourcePlace) -> String {
    place.call.map { " (system call \($0.escapedLine))" } ?? ""
  }

  /// Whether nothing of it runs on.
  public var isOver: Bool { ["interrupted", "idle", "stale"].contains(name) }
}

extension SourcePlace {
  /// `FUNCTION (FILE:LINE): TEXT`, in one line.
  public var inWords: String {
    let place = "\(function.isEmpty ? "?" : function) (\(file)\(line > 0 ? ":\(line)" : ""))"
    return (text.map { "\(place): \($0)" } ?? place).escapedLine
  }
}
