// The operation: a command of the control port as data.
//
// One table says what each needs and returns. DescribeServer serves it, the manual page and the
// tools are checked against it, and a server refuses by it.

/// A command that a control port answers.
public struct Operation: Equatable, Sendable {
  /// What a field may hold.
  public enum FieldType: String, CaseIterable, Sendable {
    case boolean
    case number
    /// An integer in the range of 64 bits, signed.
    case integer
    /// An integer from 0 on.
    case count
    case string
    case stringOrNull = "string or null"
    case strings = "array of strings"
    case array
    case object
    case objects = "array of objects"

    /// Whether a value is of this type.
    public func admits(_ value: JSON) -> Bool {
      switch self {
      case .boolean: value.boolValue != nil
      case .number: value.numberValue != nil
      case .integer: value.integerValue != nil
      case .count: value.integerValue.map { $0 >= 0 } ?? false
      case .string: value.stringValue != nil
      case .stringOrNull: value == .null || value.stringValue != nil
      case .array: value.arrayValue != nil
      case .strings: value.arrayValue?.allSatisfy { $0.stringValue != nil } ?? false
      case .object: value.objectValue != nil
      case .objects: value.arrayValue?.allSatisfy { $0.objectValue != nil } ?? false
      }
    }
  }

  /// A field of a request or of a reply.
  public struct Field: Equatable, Sendable {
    public let name: String
    public let type: FieldType
    /// Whether the field is always there.
    public let required: Bool
    /// One line of documentation.
    public let summary: String

    public init(_ name: String, _ type: FieldType, required: Bool = true, _ summary: String) {
      self.name = name
      self.type = type
      self.required = required
      self.summary = summary
    }

    /// The field as DescribeServer gives it.
    public func json() -> JSON {
      [
        "name": .string(name), "type": .string(type.rawValue), "required": .bool(required),
        "doc": .string(summary),
      ]
    }
  }

  /// The value of `command`.
  public let name: String
  /// What it does, in one line.
  public let summary: String
  /// The fields of the request beside `command` and `id`.
  public let parameters: [Field]
  /// The fields of an `ok` reply beside `status` and `id`.
  public let returns: [Field]
  /// Whether it is answered at all. What has no reply is told by others, or cannot fail in a way that matters.
  public let hasReply: Bool

  public init(
    _ name: String, _ summary: String, parameters: [Field] = [], returns: [Field] = [], hasReply: Bool = true
  ) {
    self.name = name
    self.summary = summary
    self.parameters = parameters
    self.returns = returns
    self.hasReply = hasReply
  }

  /// The operation as DescribeServer gives it.
  public func json() -> JSON {
    [
      "name": .string(name), "doc": .string(summary), "parameters": .array(parameters.map { $0.json() }),
      "returns": .array(returns.map { $0.json() }), "reply": .bool(hasReply),
    ]
  }

  /// Why the fields of a request do not fit this operation, fit to be sent back; nil when they do.
  ///
  /// Unknown fields are ignored. The words for a missing field are those of `unpythonic.net`.
  public func refusal(of fields: JSON.Object) -> String? {
    let required = parameters.filter(\.required)
    if required.contains(where: { fields[$0.name] == nil }) {
      let names = required.map { "'\($0.name)'" }
      return names.count == 1
        ? "Request is missing the \(name) parameter \(names.joined())."
        : "Request is missing at least one of the \(name) parameters \(names.joined(separator: " and "))."
    }
    for parameter in parameters {
      guard let value = fields[parameter.name], !parameter.type.admits(value) else { continue }
      return "The \(name) parameter '\(parameter.name)' is not of type \(parameter.type.rawValue)."
    }
    return nil
  }
}

extension Operation {
  /// The operations in the order in which they are documented.
  public static let all: [Operation] =
    ancestral + ofIntroduction + ofSessions + ofJobs + ofInquiry + ofAttachment

  private static let byName: [String: Operation] = {
    var table: [String: Operation] = [:]
    for operation in all { table[operation.name] = operation }
    return table
  }()

  /// The operation of that name.
  public static func named(_ name: String) -> Operation? { byName[name] }
}
