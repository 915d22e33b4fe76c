// The socket diagnosis: what is asked of the kernel, and what its answers mean, as Linux 6.18 has given them.

import Glibc
import Shared
import Testing

@Suite struct SocketDiagnosisTests {
  typealias Address = SocketDiagnosis.Address

  private static func address(_ host: [UInt8], _ port: UInt16) throws -> Address {
    try #require(Address(host: host, port: port))
  }

  private static let loopback: [UInt8] = [127, 0, 0, 1]
  private static let loopback6 = [UInt8](repeating: 0, count: 15) + [1]
  private static let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + loopback

  // A listener on [::] of user 65534, to which 127.0.0.1 has connected, and one on [::1].
  private static let (port, clientPort): (UInt16, UInt16) = (36437, 37786)
  private static let (port6, clientPort6): (UInt16, UInt16) = (40817, 36532)
  private static let nobody: UInt32 = 65534

  private static func connection(sequence: UInt32 = 7) throws -> SocketDiagnosis {
    try #require(
      SocketDiagnosis(
        connectionFrom: address(loopback, port), to: address(loopback, clientPort), sequence: sequence))
  }

  private static func connection6() throws -> SocketDiagnosis {
    try #require(
      SocketDiagnosis(connectionFrom: address(loopback6, port6), to: address(loopback6, clientPort6), sequence: 7))
  }

  // MARK: the request

  @Test func aRequestIsAsTheKernelTakesIt() throws {
    let question = try #require(
      SocketDiagnosis(
        connectionFrom: Self.address([1, 2, 3, 4], 0x0506), to: Self.address([7, 8, 9, 10], 0x0B0C), sequence: 5))
    let expected = Recorded.bytes(
      "4800000014000100050000000000000002060000ffffffff05060b0c01020304000000000000000000000000"
        + "0708090a00000000000000000000000001000000ffffffffffffffff")
    // The recordings are those of a machine that has the least significant byte first.
    if 1.littleEndian == 1 { #expect(question.request == expected) }
  }

  @Test func aListenerHasNoOtherEnd() throws {
    let request = SocketDiagnosis(listenerAt: try Self.address(Self.loopback6, 0x0102)).request
    #expect(request.count == 72)
    #expect(request[16] == 10)
    #expect(Array(request[24..<28]) == [1, 2, 0, 0])
    #expect(Array(request[28..<44]) == Self.loopback6)
    #expect(request[44..<60].allSatisfy { $0 == 0 })
  }

  @Test func anAddressIsOfOneFamily() throws {
    #expect(Address(host: [], port: 1) == nil)
    #expect(Address(host: [1, 2, 3, 4, 5], port: 1) == nil)
    #expect(try Self.address(Self.mapped, 1) == Self.address(Self.loopback, 1))
    #expect(
      try SocketDiagnosis(
        connectionFrom: Self.address(Self.loopback, 1), to: Self.address(Self.loopback6, 1)) == nil)
  }

  @Test func loopbackIsTold() throws {
    for host in [Self.loopback, Self.loopback6, Self.mapped, [127, 255, 0, 9]] {
      #expect(try Self.address(host, 1).isLoopback)
    }
    let others: [[UInt8]] = [
      [128, 0, 0, 1], [0, 0, 0, 0], [UInt8](repeating: 0, count: 16), Self.loopback6.dropLast() + [2],
      [1] + Self.loopback6.dropFirst(), [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 10, 0, 0, 1],
    ]
    for host in others { #expect(try !Self.address(host, 1).isLoopback) }
  }

  // MARK: the reply

  @Test func aSocketThatAProcessHoldsHasItsUser() throws {
    #expect(try Self.connection().answer(Recorded.accepted) == .open(uid: Self.nobody, inode: 3434403))
    #expect(try Self.connection6().answer(Recorded.six) == .open(uid: Self.nobody, inode: 3434418))
  }

  @Test func aSocketInNoProcessIsUnheld() throws {
    #expect(try Self.connection().answer(Recorded.unaccepted) == .unheld)
    #expect(try Self.connection6().answer(Recorded.closed) == .unheld)
  }

  @Test func aListenerMayTakeMoreThanTheAddress() throws {
    let everywhere = SocketDiagnosis(listenerAt: try Self.address(Self.loopback, Self.port), sequence: 7)
    #expect(everywhere.answer(Recorded.listener) == .open(uid: Self.nobody, inode: 3434399))
    let one = SocketDiagnosis(listenerAt: try Self.address(Self.loopback6, Self.port6), sequence: 7)
    #expect(one.answer(Recorded.sixListener) == .open(uid: Self.nobody, inode: 3434414))
    let other = SocketDiagnosis(listenerAt: try Self.address(Self.loopback6, Self.port6 + 1), sequence: 7)
    #expect(other.answer(Recorded.sixListener) == .gone)
    // Another address than that on which this one listens.
    let elsewhere = SocketDiagnosis(listenerAt: try Self.address(Self.loopback, Self.port6), sequence: 7)
    #expect(elsewhere.answer(Recorded.sixListener) == .gone)
    // A connection is no listener.
    #expect(everywhere.answer(Recorded.accepted) == .gone)
  }

  @Test func theListenerThatTheKernelGivesInsteadOfAConnectionIsNone() throws {
    let question = try #require(
      SocketDiagnosis(
        connectionFrom: Self.address(Self.loopback, Self.port), to: Self.address(Self.loopback, 1), sequence: 7))
    #expect(question.answer(Recorded.fallback) == .gone)
  }

  @Test func whatIsNotThereIsGone() throws {
    #expect(try Self.connection().answer(Recorded.none) == .gone)
    var denied = Recorded.none
    denied[16] = 0xFF
    #expect(try Self.connection().answer(denied) == .unknown)
  }

  @Test func anAnswerToAnotherQuestionDoesNotCount() throws {
    #expect(try Self.connection(sequence: 8).answer(Recorded.accepted) == .unknown)
    #expect(try Self.connection(sequence: 8).answer(Recorded.none) == .unknown)
    // The family, the ports and the addresses, one bit of each byte of each.
    for offset in [16] + Array(20..<56) {
      var other = Recorded.accepted
      other[offset] ^= 1
      let answer = try Self.connection().answer(other)
      #expect(answer == .gone || answer == .unknown, "byte \(offset)")
    }
    // Another kind of message.
    var other = Recorded.accepted
    other[4] = 3
    #expect(try Self.connection().answer(other) == .unknown)
  }

  @Test func aReplyThatIsCutSaysNothing() throws {
    let question = try Self.connection()
    for reply in [Recorded.accepted, Recorded.none] {
      for length in 0..<reply.count { #expect(question.answer(Array(reply.prefix(length))) == .unknown) }
    }
    // A length that is less than what it must have, or more than there is.
    for (reply, least) in [(Recorded.accepted, 88), (Recorded.none, 20)] {
      for length in Array(0..<least) + [reply.count + 1, 0xFF00] {
        var changed = reply
        changed[0] = UInt8(length & 0xFF)
        changed[1] = UInt8(length >> 8)
        #expect(question.answer(changed) == .unknown)
      }
    }
  }

  @Test func randomRepliesNeverTrap() throws {
    var random = SplitMix64(seed: 11)
    let question = try Self.connection()
    for _ in 0..<20_000 {
      var reply = [Recorded.accepted, Recorded.none, Recorded.listener].randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1..<6, using: &random) {
        reply[Int.random(in: reply.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      _ = question.answer(Array(reply.prefix(Int.random(in: 0...reply.count, using: &random))))
    }
  }

  // MARK: this machine's kernel

  @Test(arguments: [AF_INET, AF_INET6]) func theKernelUnderstands(family: Int32) throws {
    let listener = try LoopbackSocket(family: family)
    try listener.listen()
    let client = try LoopbackSocket(family: family)
    try client.connect(to: listener)
    let question = try #require(SocketDiagnosis(connectionFrom: listener.address(), to: client.address()))
    #expect(try question.askKernel() == .unheld)
    let listening = SocketDiagnosis(listenerAt: try listener.address())
    guard case .open(getuid(), let listenerInode) = try listening.askKernel() else {
      Issue.record("the listener is not found")
      return
    }
    let accepted = accept(listener.descriptor, nil, nil)
    defer { close(accepted) }
    guard case .open(getuid(), let inode) = try question.askKernel() else {
      Issue.record("the connection is not found")
      return
    }
    #expect(inode != listenerInode)
    let nothing = try #require(
      SocketDiagnosis(
        connectionFrom: client.address(), to: Address(host: listener.address().host, port: 1) ?? client.address()))
    #expect(try nothing.askKernel() == .gone)
  }
}

extension SocketDiagnosis {
  fileprivate func askKernel() throws -> Answer {
    let descriptor = socket(AF_NETLINK, Int32(SOCK_DGRAM.rawValue), Self.netlinkProtocol)
    defer { close(descriptor) }
    try #require(unsafe send(descriptor, request, request.count, 0) == request.count)
    var reply = [UInt8](repeating: 0, count: Self.maximumReplyLength)
    let length = unsafe recv(descriptor, &reply, reply.count, Int32(MSG_DONTWAIT))
    try #require(length > 0)
    return answer(Array(reply.prefix(length)))
  }
}

/// A TCP socket on loopback, at a port that the system chooses.
private final class LoopbackSocket {
  let descriptor: Int32
  private let family: Int32

  init(family: Int32) throws {
    self.family = family
    descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    try unsafe use([UInt8](repeating: 0, count: 2), with: Glibc.bind)
  }

  deinit { close(descriptor) }

  func listen() throws { try #require(Glibc.listen(descriptor, 4) == 0) }

  func connect(to other: LoopbackSocket) throws { try unsafe use(other.name()[2..<4], with: Glibc.connect) }

  func address() throws -> SocketDiagnosis.Address {
    let name = try name()
    let host = family == AF_INET ? name[4..<8] : name[8..<24]
    return try #require(SocketDiagnosis.Address(host: Array(host), port: UInt16(name[2]) << 8 | UInt16(name[3])))
  }

  private func use(
    _ port: some Collection<UInt8>, with call: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32
  ) throws {
    var bytes = [UInt8](repeating: 0, count: family == AF_INET ? 16 : 28)
    bytes.replaceSubrange(0..<4, with: unsafe withUnsafeBytes(of: sa_family_t(family)) { unsafe Array($0) } + port)
    if family == AF_INET { bytes.replaceSubrange(4..<8, with: [127, 0, 0, 1]) } else { bytes[23] = 1 }
    let status = unsafe bytes.withUnsafeBytes {
      unsafe call(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
    try #require(status == 0)
  }

  private func name() throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 28)
    var length = socklen_t(bytes.count)
    let status = unsafe bytes.withUnsafeMutableBytes {
      unsafe getsockname(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
    }
    try #require(status == 0)
    return bytes
  }
}

extension SocketDiagnosisTests {
  /// Replies of the kernel.
  private enum Recorded {
    static let accepted = bytes(
      "740000001400000007000000171200000a0100008e55939a00000000000000000000ffff7f0000010000000000000000"
        + "0000ffff7f000001000000002c12000000000000000000000000000000000000feff0000a36734000500080000000000"
        + "0c00150001000000000000000600160012000000")
    static let unaccepted = bytes(
      "740000001400000007000000171200000a0100008e55939a00000000000000000000ffff7f0000010000000000000000"
        + "0000ffff7f000001000000002c12000000000000000000000000000000000000feff0000000000000500080000000000"
        + "0c00150001000000000000000600160012000000")
    static let listener = bytes(
      "7c0000001400000007000000171200000a0a00008e550000000000000000000000000000000000000000000000000000"
        + "0000000000000000000000002d12000000000000000000000100000080000000feff00009f6734000500080000000000"
        + "05000b00000000000c00150001000000000000000600160012000000")
    static let fallback = bytes(
      "7c0000001400000007000000171200000a0a00008e550000000000000000000000000000000000000000000000000000"
        + "0000000000000000000000002d12000000000000000000000000000080000000feff00009f6734000500080000000000"
        + "05000b00000000000c00150001000000000000000600160012000000")
    static let none = bytes(
      "5c000000020000000700000017120000feffffff4800000014000100070000000000000002060000ffffffff00010001"
        + "7f0000010000000000000000000000007f00000100000000000000000000000001000000ffffffffffffffff")
    static let six = bytes(
      "740000001400000007000000171200000a0100009f718eb4000000000000000000000000000000010000000000000000"
        + "0000000000000001000000003012000000000000000000000000000000000000feff0000b26734000500080000000000"
        + "0c00150001000000000000000600160012000000")
    static let sixListener = bytes(
      "7c0000001400000007000000171200000a0a00009f710000000000000000000000000000000000010000000000000000"
        + "0000000000000000000000003112000000000000000000000100000080000000feff0000ae6734000500080000000000"
        + "05000b00010000000c00150001000000000000000600160012000000")
    static let closed = bytes(
      "740000001400000007000000171200000a0401009f718eb4000000000000000000000000000000010000000000000000"
        + "0000000000000001000000003012000000000000c80000000000000001000000feff0000000000000500080003000000"
        + "0c00150001000000000000000600160012000000")

    static func bytes(_ digits: String) -> [UInt8] {
      let values = digits.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
      return stride(from: 0, to: values.count - 1, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
  }
}
