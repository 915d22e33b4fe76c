// The introduction: what a tool tells a server of who is calling and why, from its surroundings.

public import Shared

extension Surroundings {
  /// The fields of Introduce: those of `$REPL_INTRODUCTION`, and the reason.
  ///
  /// - Parameter reason: of `--reason`; without it that of `$REPL_REASON` counts, then that of the introduction.
  /// - Returns: nil when there is nothing to say.
  /// - Throws: `ClientError` when the variable does not hold what Introduce takes. What it may restrict makes it too
  ///   important to be ignored.
  public func introduction(reason: String? = nil) throws(ClientError) -> JSON.Object? {
    var fields = try introductionOfVariable()
    if let reason = reason ?? self.reason.flatMap({ $0.isEmpty ? nil : $0 }) { fields["reason"] = .string(reason) }
    return fields.isEmpty ? nil : fields
  }

  private func introductionOfVariable() throws(ClientError) -> JSON.Object {
    guard let text = introduction, !text.isEmpty else { return [:] }
    guard let fields = (try? JSON(parsing: Array(text.utf8)))?.objectValue else {
      throw ClientError(.usage, "REPL_INTRODUCTION is no JSON object; unset it, or correct who sets it")
    }
    if let refusal = Operation.introduce.refusal(of: fields) {
      throw ClientError(.usage, "REPL_INTRODUCTION does not fit: \(refusal) Unset it, or correct who sets it")
    }
    return fields
  }
}
