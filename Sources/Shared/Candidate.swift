// The candidate: one completion of a piece of source.

/// What a word may become.
public struct Candidate: Equatable, Sendable {
  /// What replaces the text between the start of the completion and the cursor.
  public var text: String
  /// What it names: `function`, `class`, `module`, `instance`, `keyword`, `parameter`, `key`, `file` and so on.
  public var kind: String
  /// A line of documentation.
  public var doc: String?

  public init(_ text: String, kind: String, doc: String? = nil) {
    self.text = text
    self.kind = kind
    self.doc = doc
  }

  public func fields() -> JSON.Object {
    var fields: JSON.Object = ["text": .string(text), "kind": .string(kind)]
    if let doc { fields["doc"] = .string(doc) }
    return fields
  }

  public init?(fields: JSON.Object) {
    guard let text = fields["text"]?.stringValue else { return nil }
    self.init(text, kind: fields["kind"]?.stringValue ?? "", doc: fields["doc"]?.stringValue)
  }
}
