// Doc: what is known of a name. Source: how it is defined.

internal import ArgumentParser
internal import ReplClient
internal import Shared

struct Doc: ControlCommand {
  static let word = "doc"
  static var configuration: CommandConfiguration { described("Print what is known of a name.") }

  @OptionGroup var common: CommonOptions

  @Argument(help: "A name or a dotted expression.")
  var name: String

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      let fields = try visit.ask(.document, ["name": .string(name)])
      if visit.output.isJSON {
        try visit.output.print(Self.document(name: name, fields))
      } else {
        try visit.output.print(Self.lines(name: name, fields))
      }
      return ExitCode.done.rawValue
    }
  }

  /// The members that it always has.
  private static func document(name: String, _ fields: JSON.Object) -> JSON.Object {
    var document: JSON.Object = ["name": .string(name)]
    for key in ["kind", "type", "signature", "file", "line", "doc"] { document[key] = fields[key] ?? .null }
    document["truncated"] = fields["truncated"] ?? false
    return document
  }

  /// `NAME: KIND TYPE SIGNATURE`, `FILE:LINE`, an empty line and the documentation, as far as they are known.
  static func lines(name: String, _ fields: JSON.Object) -> [String] {
    let facts = ["kind", "type", "signature"].compactMap { fields[$0]?.stringValue }.filter { !$0.isEmpty }
    var lines = ["\(name): \(facts.joined(separator: " "))".escapedLine]
    if let file = fields["file"]?.stringValue {
      lines.append("\(file)\(fields["line"]?.integerValue.map { ":\($0)" } ?? "")".escapedLine)
    }
    if let doc = fields["doc"]?.stringValue, !doc.isEmpty { lines += [""] + doc.lines }
    return lines
  }
}

struct Source: ControlCommand {
  static let word = "source"
  static var configuration: CommandConfiguration { described("Print the source of a name.") }

  @OptionGroup var common: CommonOptions

  @Argument(help: "A name or a dotted expression.")
  var name: String

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      let fields = try visit.ask(.document, ["name": .string(name), "source": true])
      guard let source = fields["source"]?.stringValue else {
        throw ClientError(.failed, "the source of '\(name)' cannot be had")
      }
      if visit.output.isJSON {
        try visit.output.print([
          "name": .string(name), "file": fields["file"] ?? .null, "line": fields["line"] ?? .null,
          "source": .string(source), "truncated": fields["truncated"] ?? false,
        ])
      } else {
        try visit.output.print(source.lines)
      }
      if fields["truncated"]?.boolValue == true {
        visit.output.talk("this is not all of it: it is too long to be sent")
      }
      return ExitCode.done.rawValue
    }
  }
}

extension String {
  /// The lines of a text, whose last newline ends the last of them.
  var lines: [String] {
    // Nothing else ends a line: a form feed in a source is part of it.
    let parts = unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    return parts.last == "" ? Array(parts.dropLast()) : parts
  }
}
