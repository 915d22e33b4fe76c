// The auditor: makes the records of the audit log.
internal import Glibc
internal import Logging
internal import Shared

/// Writes down who does what, when there is an audit log. Lives on the event loop.
///
/// A record has `time`, `pid`, `server`, `event` and, where somebody did it, `connection` and `peer`. The man page
/// replserve(1) describes the members.
final class Auditor {
  private var file: AuditLog?
  private let log: Logger
  private let serverName: String
  private var names: UserNames
  private var isFailing = false
  /// Refusals in this minute: anybody can have any number of them, and the file is not to grow by that.
  private var refusalMinute = 0
  private var refusalCount = 0
  private let minute: () -> Int
  private let holder: (_ socketInode: UInt32) -> Int32?

  /// - Parameters:
  ///   - file: nil when nothing is written down.
  ///   - minute: which minute it is.
  ///   - holder: finds the process that has a socket.
  init(
    _ file: AuditLog?, serverName: String, names: UserNames, log: Logger,
    minute: @escaping () -> Int = { time(nil) / 60 },
    holder: @escaping (_ socketInode: UInt32) -> Int32? = ProcessTable.holder
  ) {
    self.file = file
    self.serverName = serverName
    self.names = names
    self.log = log
    self.minute = minute
    self.holder = holder
  }

  var isOn: Bool { file != nil }

  /// Says that the server has stopped. Nothing is written after that.
  func close() {
    sumUpRefusals()
    note("stop", by: nil)
    file = nil
  }

  // MARK: records

  /// Writes a record of what is about to be done.
  /// - Throws: why it could not be written; then it is not to be done.
  func record(_ event: String, by visitor: Visitor?, _ fields: JSON.Object = [:]) throws(AuditLog.Failure) {
    guard let file else { return }
    var record: JSON.Object = [
      "time": .string(Timestamp.now.text), "pid": .integer(Int(getpid())), "server": .string(serverName),
      "event": .string(event),
    ]
    if let visitor {
      record["connection"] = .integer(visitor.number)
      record["peer"] = .object(peer(visitor))
    }
    for (name, value) in fields { record[name] = value }
    do throws(AuditLog.Failure) {
      try file.write(record)
    } catch {
      if !isFailing {
        log.error(
          "cannot write to the audit log \(file.path): \(error.reason); evaluations are refused until it can be")
      }
      isFailing = true
      throw error
    }
    if isFailing { log.warning("the audit log \(file.path) can be written to again") }
    isFailing = false
  }

  /// Writes a record of what has happened, or can do no harm.
  func note(_ event: String, by visitor: Visitor?, _ fields: JSON.Object = [:]) {
    try? record(event, by: visitor, fields)
  }

  /// A connection was refused or dropped.
  func refused(_ visitor: Visitor, _ refusal: Refusal) {
    guard isOn, countRefusal() else { return }
    // Only now: whoever may not come in could have all processes looked through as often as they like.
    note(
      "refuse", by: Visitor(number: visitor.number, peer: completed(visitor.peer)), ["why": .string(refusal.rawValue)])
  }

  /// sshd has let somebody not in.
  func refused(loginBy line: String) {
    guard isOn, countRefusal() else { return }
    note("refuse", by: nil, ["why": "ssh", "message": .string(line)])
  }

  /// - Returns: whether it is one of those that are written down by themselves.
  private func countRefusal() -> Bool {
    let minute = minute()
    if minute != refusalMinute {
      sumUpRefusals()
      refusalMinute = minute
    }
    refusalCount += 1
    return refusalCount <= ServerLimits.auditedRefusals
  }

  /// Tells of the refusals that were not written one by one.
  private func sumUpRefusals() {
    let left = refusalCount - ServerLimits.auditedRefusals
    if left > 0 { note("refuse", by: nil, ["why": "more", "count": .integer(left)]) }
    refusalCount = 0
  }

  /// An evaluation is about to begin.
  func begin(
    _ source: EvaluatedSource, session: SessionID, evaluation: Int, by visitor: Visitor
  ) throws(AuditLog.Failure) {
    var fields: JSON.Object = ["session": .integer(session), "evaluation": .integer(evaluation)]
    if let continued = source.continues { fields["continues"] = .integer(continued) }
    fields["source"] = .string(source.text)
    try record("evaluation", by: visitor, fields)
  }

  // MARK: peers

  /// A peer with the process that holds its socket. To find that takes a while, so it is done for the log alone.
  func completed(_ peer: Peer) -> Peer {
    guard isOn, peer.process == nil, let pid = holder(peer.socketInode) else { return peer }
    var peer = peer
    peer.process = Peer.Process(pid: pid, name: ProcessTable.name(of: pid))
    return peer
  }

  private func peer(_ visitor: Visitor) -> JSON.Object {
    let peer = visitor.peer
    var fields: JSON.Object = ["door": .string(peer.door.rawValue)]
    if let user = peer.user {
      fields["uid"] = .integer(Int(user))
      if let name = names.name(of: user) { fields["user"] = .string(name) }
    }
    if let process = peer.process {
      fields["pid"] = .integer(Int(process.pid))
      fields["program"] = .string(process.name)
    }
    if let address = peer.address { fields["address"] = .string(address) }
    if let ssh = visitor.secureShell {
      fields["ssh"] = ["user": .string(ssh.user), "address": .string(ssh.address), "key": .string(ssh.key)]
    }
    return fields
  }
}

/// What an evaluation runs, as the audit log has it.
struct EvaluatedSource {
  var text: String
  /// The evaluation whose block it goes on with: that one found the block incomplete, and `text` is what was added.
  var continues: Int?
}
