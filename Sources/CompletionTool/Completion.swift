// The completion: the candidates for one place in a source, as a server gives them.

internal import ReplClient
internal import Shared

/// What a server answers to Complete.
struct Completion: Equatable, Sendable {
  let candidates: [Candidate]
  /// Where what they replace begins, in code points.
  let start: Int
  /// Whether there were more.
  let isTruncated: Bool

  /// Asks a server.
  ///
  /// - Parameters:
  ///   - line: the source.
  ///   - cursor: in code points; nil for the end.
  ///   - withDocs: whether documentation is wanted.
  static func ask(
    _ connection: Connection, line: String, cursor: Int?, withDocs: Bool, until deadline: Deadline
  ) throws(ClientError) -> Completion {
    var fields: JSON.Object = ["line": .string(line), "docs": .bool(withDocs)]
    if let cursor { fields["cursor"] = .integer(cursor) }
    return Completion(reply: try connection.ask(.complete, fields, until: deadline))
  }

  init(reply: JSON.Object) {
    candidates = (reply["candidates"]?.arrayValue ?? []).compactMap { $0.objectValue.flatMap(Candidate.init) }
    start = max(0, reply["start"]?.integerValue ?? 0)
    isTruncated = reply["truncated"]?.boolValue ?? false
  }

  /// The lines to print.
  ///
  /// - Parameter head: what stands before each candidate, so that it takes the place of a whole prefix.
  func lines(head: String, withKinds: Bool, withDocs: Bool) -> [String] {
    candidates.map { candidate in
      var cells = [head + candidate.text]
      if withKinds { cells.append(candidate.kind) }
      if withDocs { cells.append(candidate.doc ?? "") }
      return cells.map(\.escapedLine).joined(separator: "\t")
    }
  }

  /// The documents to print.
  func documents(head: String) -> [JSON.Object] {
    candidates.map { candidate in
      [
        "text": .string(head + candidate.text), "kind": .string(candidate.kind),
        "doc": candidate.doc.map { .string($0) } ?? .null, "start": .integer(head.isEmpty ? start : 0),
      ]
    }
  }
}
