// The output: data to standard output, talk to standard error.

internal import ReplClient
internal import Shared
internal import SystemPackage

/// Writes what the commands have to say. Everything is written at once: nothing waits in a buffer.
final class Output {
  let isJSON: Bool
  let hasHeader: Bool
  /// The width of the terminal; nil when the output is for programs.
  let width: Int?
  /// `NAME[PID]` of the server that is spoken of, when there may be several.
  var label: String?

  let output: FileDescriptor
  let errors: FileDescriptor

  init(_ surroundings: Surroundings, isJSON: Bool = false, hasHeader: Bool = true) {
    output = FileDescriptor(rawValue: surroundings.output)
    errors = FileDescriptor(rawValue: surroundings.errors)
    width = surroundings.width
    self.isJSON = isJSON
    self.hasHeader = hasHeader
  }

  /// What stands before a line for people.
  var linePrefix: String { label.map { "\($0): " } ?? "" }

  /// Writes lines for people or for scripts.
  func print(_ lines: [String]) throws(ClientError) {
    try write(lines.map { linePrefix + $0 + "\n" }.joined().utf8)
  }

  func print(_ line: String) throws(ClientError) { try print([line]) }

  /// Writes one JSON document.
  func print(_ object: JSON.Object) throws(ClientError) {
    var members: JSON.Object = [:]
    if let label { members["server"] = .string(label) }
    for (key, value) in object { members[key] = value }
    try write(JSON.object(members).serialized() + [UInt8(ascii: "\n")])
  }

  private func write(_ bytes: some Sequence<UInt8>) throws(ClientError) {
    try StandardStream(output.rawValue).write(Array(bytes))
  }

  static func failure(_ error: any Error) -> ClientError { ClientError(.failed, "cannot write the output: \(error)") }

  // MARK: talk

  /// Writes a line about what the tool does. There is nobody to tell when that fails.
  func talk(_ line: String) { talk(lines: ["replctl: \(line.printableLine)"]) }

  func talk(_ error: ClientError) { talk(lines: ["replctl: \(error.message)"] + error.details.map { "  \($0)" }) }

  /// Writes a text of several lines, such as a traceback.
  func talk(text: String) {
    talk(lines: text.printableLines.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
  }

  private func talk(lines: [String]) {
    let ended = lines.last == "" ? lines.dropLast() : lines[...]
    try? StandardStream(errors.rawValue).write(Array(ended.map { linePrefix + $0 + "\n" }.joined().utf8))
  }
}
