// The auditor: refusals that are too many, and what the log says when the file cannot be written.

import Glibc
import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct AuditorTests {
    private let directory: ScratchDirectory
    private let log = LineLog()
    private let minute = Monitor(10)
    private let lookUps = Monitor(0)
    private let auditor: Auditor
    private let visitor = Visitor(number: 3, peer: Peer(door: .text, owner: .user(0), address: "127.0.0.1:9"))

    init() throws {
      directory = try ScratchDirectory()
      let (minute, lookUps) = (minute, lookUps)
      auditor = Auditor(
        try AuditLog(path: directory["log"]), serverName: "unit", names: UserNames(known: [0: "zero"]),
        log: log.logger, minute: { minute.withLock { $0 } },
        holder: { _ in
          lookUps.withLock { $0 += 1 }
          return nil
        })
    }

    private func records() throws -> [JSON.Object] { try AuditTrail.records(of: directory.text(of: "log")) }

    private func refuse(_ count: Int) { for _ in 0..<count { auditor.refused(visitor, .foreign) } }

    @Test func whoeverIsRefusedIsNamed() throws {
      auditor.refused(visitor, .user)
      let record = try #require(records().first)
      #expect(record["event"] == "refuse")
      #expect(record["why"] == "user")
      #expect(record["connection"] == 3)
      #expect(record["peer"] == ["door": "text", "uid": 0, "user": "zero", "address": "127.0.0.1:9"])
    }

    @Test func manyRefusalsAreSummedUpInTheNextMinute() throws {
      refuse(ServerLimits.auditedRefusals + 7)
      #expect(try records().count == ServerLimits.auditedRefusals)
      minute.withLock { $0 += 1 }
      refuse(1)
      let last = try records().suffix(2)
      #expect(try records().count == ServerLimits.auditedRefusals + 2)
      #expect(last.first.map(AuditTrail.own) == ["why": "more", "count": 7])
      #expect(last.first?["peer"] == nil)
      #expect(last.last.map(AuditTrail.own) == ["why": "foreign"])
      // The count begins anew.
      refuse(ServerLimits.auditedRefusals)
      #expect(try records().count == 2 * ServerLimits.auditedRefusals + 1)
      minute.withLock { $0 += 1 }
      refuse(1)
      #expect(try records().suffix(2).first.map(AuditTrail.own) == ["why": "more", "count": 1])
    }

    /// All processes are looked through for one.
    @Test func theProcessOfAPeerIsLookedForOnlyWhereItIsWritten() {
      refuse(ServerLimits.auditedRefusals + 50)
      #expect(lookUps.withLock { $0 } == ServerLimits.auditedRefusals)
    }

    @Test func whatIsLeftIsWrittenAtTheEnd() throws {
      refuse(ServerLimits.auditedRefusals + 2)
      auditor.close()
      #expect(try records().suffix(2).map { $0["event"] } == ["refuse", "stop"])
      #expect(try records().suffix(2).first.map(AuditTrail.own) == ["why": "more", "count": 2])
      refuse(1)
      #expect(try records().last?["event"] == "stop")
    }

    @Test func anEndWithoutRefusalsIsTheStopAlone() throws {
      auditor.close()
      auditor.close()
      #expect(try records().map { $0["event"] } == ["stop"])
    }

    @Test func aLogThatFailsIsToldOfOnceAndSoIsThatItWorksAgain() throws {
      #expect(unsafe chmod(directory["log"], 0o666) == 0)
      for _ in 0..<3 {
        #expect(throws: AuditLog.Failure(reason: "others can write to it; chmod go-w it")) {
          try auditor.record("halt", by: visitor)
        }
      }
      let path = directory["log"]
      #expect(
        log.take() == [
          "error cannot write to the audit log \(path): others can write to it; chmod go-w it; "
            + "evaluations are refused until it can be"
        ])
      #expect(unsafe chmod(path, 0o600) == 0)
      for _ in 0..<2 { try auditor.record("halt", by: visitor) }
      #expect(log.take() == ["warning the audit log \(path) can be written to again"])
      #expect(try records().count == 2)
    }

    @Test func withoutALogNothingIsDone() throws {
      let none = Auditor(nil, serverName: "unit", names: UserNames(), log: log.logger)
      #expect(!none.isOn)
      try none.record("halt", by: visitor)
      none.refused(visitor, .user)
      // The process of a peer is looked for only where it is written down.
      let peer = Peer(door: .text, owner: .user(0), socketInode: 1)
      #expect(none.completed(peer) == peer)
      none.close()
      #expect(log.take() == [])
    }

    @Test func whoCameThroughSecureShellIsNamed() throws {
      visitor.secureShell = Visitor.SecureShell(user: "ada", address: "1.2.3.4:5", key: "SHA256:x")
      try auditor.record("halt", by: visitor)
      #expect(
        try records().first?["peer"]?.objectValue?["ssh"] == ["user": "ada", "address": "1.2.3.4:5", "key": "SHA256:x"])
    }
  }
}
