// The audit trail: a server with an audit log, and what stands in that.

import Glibc
import Shared

@testable import ReplServer

/// A running server that writes down what is done.
final class AuditTrail {
  let directory: ScratchDirectory
  let running: RunningServer
  var engine: FakeEngine { running.engine }

  init(requiresReason: Bool = false, hasUnixSocket: Bool = false, jobs: JobTable = JobTable()) throws {
    directory = try ScratchDirectory()
    running = try RunningServer(
      hasUnixSocket: hasUnixSocket, jobs: jobs,
      audit: ServerConfiguration.Audit(
        path: directory["log"], requiresReason: requiresReason, userNames: [0: "zero"]))
  }

  /// The log is there as long as the server is.
  deinit { running.server.stop() }

  /// What has been written so far.
  var records: [JSON.Object] {
    get throws { try Self.records(of: directory.text(of: "log")) }
  }

  static func records(of text: String) throws -> [JSON.Object] {
    try text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
      guard let record = try JSON(parsing: Array(line.utf8)).objectValue else {
        throw Patience.Exhausted(description: "no object: \(line)")
      }
      return record
    }
  }

  /// All that is ever written: the server is stopped.
  func allRecords() throws -> [JSON.Object] {
    running.server.stop()
    return try records
  }

  /// The records of an event, without the members that every one has.
  func own(_ event: String) throws -> [JSON.Object] {
    try records.filter { $0["event"] == .string(event) }.map(Self.own)
  }

  static func own(_ record: JSON.Object) -> JSON.Object {
    var fields = record
    for name in ["time", "pid", "server", "event", "peer", "connection"] { fields[name] = nil }
    return fields
  }

  /// The log can't be written to any more, whoever tries: others could write to it, too.
  func spoil() { chmod(0o666) }

  /// It can again.
  func repair() { chmod(0o600) }

  private func chmod(_ mode: UInt32) { _ = unsafe Glibc.chmod(directory["log"], mode) }
}
