// The server's owner: what is concluded from the kernel's answers, and whom a tool trusts.

import Glibc
import Shared
import Testing

@testable import ReplClient

@Suite struct ServerOwnerTests {
  typealias Answer = SocketDiagnosis.Answer

  private static func address(_ last: UInt8, _ port: UInt16, first: UInt8 = 127) throws -> SocketDiagnosis.Address {
    try #require(SocketDiagnosis.Address(host: [first, 0, 0, last], port: port))
  }

  /// - Parameter answers: of the kernel, in order. All of them must be asked for.
  private func owner(of server: SocketDiagnosis.Address, from own: SocketDiagnosis.Address, _ answers: Answer...) throws
    -> ServerOwner
  {
    var left = answers[...]
    var questions: [SocketDiagnosis] = []
    let owner = ServerOwner.find(own: own, server: server) { question in
      questions.append(question)
      return left.popFirst() ?? .unknown
    }
    #expect(left.isEmpty)
    #expect(questions.count == answers.count)
    let connection = try #require(SocketDiagnosis(connectionFrom: server, to: own))
    #expect(questions == Array([connection, SocketDiagnosis(listenerAt: server), connection].prefix(answers.count)))
    return owner
  }

  private func onLoopback(_ answers: Answer...) throws -> ServerOwner {
    let (server, own) = try (Self.address(1, 8128), Self.address(1, 50_000))
    return switch answers.count {
    case 1: try owner(of: server, from: own, answers[0])
    default: try owner(of: server, from: own, answers[0], answers[1], answers[2])
    }
  }

  @Test func whoHoldsTheConnectionOwnsIt() throws {
    #expect(try onLoopback(.open(uid: 7, inode: 1)) == .user(7))
    #expect(try onLoopback(.gone) == .untold)
    #expect(try onLoopback(.unknown) == .untold)
  }

  @Test func untilItIsAcceptedTheListenerOwnsIt() throws {
    #expect(try onLoopback(.unheld, .open(uid: 7, inode: 1), .unheld) == .user(7))
    #expect(try onLoopback(.unheld, .gone, .unheld) == .closed)
    #expect(try onLoopback(.unheld, .unknown, .unheld) == .untold)
    #expect(try onLoopback(.unheld, .open(uid: 7, inode: 1), .gone) == .closed)
    #expect(try onLoopback(.unheld, .open(uid: 7, inode: 1), .unknown) == .untold)
  }

  @Test func aStrangerWhoAcceptedAndMadeRoomForOurListenerIsSeen() throws {
    #expect(try onLoopback(.unheld, .open(uid: getuid(), inode: 1), .open(uid: 7, inode: 2)) == .user(7))
  }

  @Test func anotherMachineIsToldFromAnAddressOfThisOne() throws {
    let (server, own) = try (Self.address(1, 8128, first: 10), Self.address(2, 50_000, first: 10))
    #expect(try owner(of: server, from: own, .gone) == .elsewhere)
    #expect(try owner(of: server, from: own, .unknown) == .elsewhere)
    #expect(try owner(of: server, from: own, .open(uid: 7, inode: 1)) == .user(7))
    let same = try Self.address(1, 50_000, first: 10)
    #expect(try owner(of: server, from: same, .gone) == .untold)
    #expect(try owner(of: server, from: same, .unknown) == .untold)
  }

  @Test func trustIsForOneselfAndForWhoWasNamed() throws {
    let other = getuid() &+ 1
    #expect(Trust().includes(getuid()))
    #expect(!Trust().includes(other))
    let trust = try Trust(also: ["\(other)", "root"], until: .after(20))
    #expect(trust.includes(other) && trust.includes(0) && trust.includes(getuid()))
    #expect(!trust.includes(other &+ 1))
  }

  @Test(arguments: ["", "no-such-user", "-1", "+0", "0x0", "4294967295", "4294967296", "root:x", "--help", "a\nb"])
  func aUserThatThereIsNotIsAnErrorOfUsage(user: String) {
    let error = #expect(throws: ClientError.self) { try Trust(also: [user], until: .after(20)) }
    #expect(error?.code == .usage)
    #expect(error?.message.contains("give") == true)
  }

  @Test func aLineOfTheUsersIsRead() {
    #expect(UserLookup.parse(Array("a:x:12:13:A:/:/bin/sh\n".utf8), name: "a") == 12)
    for line in ["b:x:12:13:A:/:/bin/sh\n", "a:x\n", "a:x:y:1\n", "", "a:x:-1:1", "ab:x:1:1"] {
      #expect(UserLookup.parse(Array(line.utf8), name: "a") == nil)
    }
  }
}
