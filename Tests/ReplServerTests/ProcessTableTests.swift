// The process table: who holds a socket, and what a process is called.

import Glibc
import Testing

@testable import ReplServer

@Suite struct ProcessTableTests {
  @Test func thisProcessHoldsASocketOfItsOwn() throws {
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var status = stat()
    try #require(unsafe fstat(socket, &status) == 0)
    let inode = try #require(UInt32(exactly: status.st_ino))
    #expect(ProcessTable.holder(ofSocket: inode) == getpid())
    close(socket)
    #expect(ProcessTable.holder(ofSocket: inode) == nil)
  }

  @Test func noSocketHasNoNumber() { #expect(ProcessTable.holder(ofSocket: 0) == nil) }

  @Test func aProcessHasAName() {
    #expect(!ProcessTable.name(of: getpid()).isEmpty)
    for pid: Int32 in [-1, 0, .max] { #expect(ProcessTable.name(of: pid) == "") }
  }
}
