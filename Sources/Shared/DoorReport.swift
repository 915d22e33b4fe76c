// The door report: what the supervisor of an ssh door tells the server, one JSON object a line.

/// A line from `replssh` to the process that has started it.
public enum DoorReport: Equatable, Sendable {
  /// Keys can log in now.
  case ready(address: String, port: UInt16, fingerprint: String)
  /// There will be no door, for this reason.
  case failed(Reason, String)
  /// What sshd says, a line of it, or a warning.
  case log(String, isWarning: Bool = false)

  /// Why there is no door, for a program.
  public enum Reason: String, Sendable {
    case notPermitted = "not-permitted"
    case unavailable
  }

  /// The longest line that is sent or taken, in bytes.
  public static let maximumLength = 1 << 14

  public init?(parsing line: some Collection<UInt8>) {
    guard line.count <= Self.maximumLength, let fields = (try? JSON(parsing: line))?.objectValue else { return nil }
    if let text = fields["log"]?.stringValue {
      self = .log(text, isWarning: fields["level"]?.stringValue == "warning")
    } else if let text = fields["failed"]?.stringValue {
      self = .failed(fields["code"]?.stringValue.flatMap(Reason.init) ?? .unavailable, text)
    } else if let port = fields["ready"]?.integerValue.flatMap({ UInt16(exactly: $0) }) {
      self = .ready(
        address: fields["address"]?.stringValue ?? "", port: port, fingerprint: fields["key"]?.stringValue ?? "")
    } else {
      return nil
    }
  }

  /// The line, with its newline.
  public var line: [UInt8] {
    let fields: JSON.Object =
      switch self {
      case .ready(let address, let port, let fingerprint):
        ["ready": .integer(Int(port)), "address": .string(address), "key": .string(fingerprint)]
      case .failed(let reason, let text): ["failed": .string(text), "code": .string(reason.rawValue)]
      case .log(let text, let isWarning):
        isWarning ? ["log": .string(text), "level": "warning"] : ["log": .string(text)]
      }
    return JSON.object(fields).serialized() + [UInt8(ascii: "\n")]
  }
}
