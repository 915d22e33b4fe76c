// The operation by which a tool says who is connected and why, and what that lets it do.
internal import NIOCore
internal import Shared

extension ControlConnection {
  func introduce(_ request: ControlRequest, _ reply: PendingReply) {
    let fields = request.fields
    let reason = (fields["reason"]?.stringValue ?? "").introducedLine(upTo: ServerLimits.reasonCharacters)
    guard !visitor.isIntroduced else { return complete(introduction: fields, reason, reply) }
    var secureShell: Visitor.SecureShell?
    if let ssh = fields["ssh"]?.objectValue {
      let words = ["user", "address", "key"].compactMap { name in
        ssh[name]?.stringValue?.introducedLine(upTo: ServerLimits.introducedWordCharacters)
      }
      guard words.count == 3 else {
        return reply.fail("The Introduce parameter 'ssh' needs 'user', 'address' and 'key', all strings.")
      }
      secureShell = Visitor.SecureShell(user: words[0], address: words[1], key: words[2])
    }
    if let words = fields["permit"]?.arrayValue?.compactMap(\.stringValue) {
      do throws(PermittedOperations.Unknown) {
        visitor.permitted = try PermittedOperations(words)
      } catch {
        return reply.fail("There is no permission '\(error.word.introducedLine(upTo: 40))'.")
      }
    }
    visitor.isIntroduced = true
    visitor.reason = reason.isEmpty ? nil : reason
    visitor.secureShell = secureShell
    var record: JSON.Object = [:]
    if let reason = visitor.reason { record["reason"] = .string(reason) }
    if let permitted = visitor.permitted { record["permit"] = .array(permitted.words.map { .string($0) }) }
    core.auditor.note("introduce", by: visitor, record)
    reply.ok()
  }

  /// Whoever relays a connection says whose it is and what that may do, and the client behind them, why. Nothing else can
  /// be said later, nor taken back.
  private func complete(introduction fields: JSON.Object, _ reason: String, _ reply: PendingReply) {
    guard visitor.reason == nil, !reason.isEmpty, fields["ssh"] == nil, fields["permit"] == nil else {
      return reply.fail("This connection has introduced itself already.")
    }
    visitor.reason = reason
    core.auditor.note("introduce", by: visitor, ["reason": .string(reason)])
    reply.ok()
  }

  /// Why this connection may not ask for that; nil when it may.
  func refusal(of operation: Operation, _ request: ControlRequest) -> (reason: String, code: FailureCode)? {
    if core.configuration.audit.requiresReason, visitor.reason == nil, !Self.needNoReason.contains(operation) {
      return ("This server asks why you connect: send Introduce with a 'reason' first.", .reasonRequired)
    }
    guard let permitted = visitor.permitted, !permitted.allow(operation) else { return nil }
    // What one has begun oneself, one may interrupt. With a job in it, the request is about that.
    if operation == .interrupt, request.fields["job"] == nil, let id = request.fields["session"]?.integerValue,
      isOwn(session: id)
    {
      return nil
    }
    let words = permitted.words.isEmpty ? "nothing" : permitted.words.joined(separator: ", ")
    return ("\(operation.name) is not permitted here: this connection is limited to \(words).", .notPermitted)
  }

  /// Whether a session is evaluating for this connection, or was opened by it.
  private func isOwn(session id: SessionID) -> Bool {
    ownSessions[id] != nil || evaluations.values.contains { $0.session.id == id }
  }

  /// To find out that a reason is wanted, to give it, and what the ancestor's clients ask for a text session that has
  /// given its own.
  private static let needNoReason: [Operation] = [
    .describeServer, .introduce, .pairWithSession, .tabComplete, .keyboardInterrupt,
  ]
}
