// The lines of authorized keys, and what they let a key do.

import ReplClient
import Shared
import Testing

@testable import SecureShell

@Suite struct AuthorizedKeyTests {
  private static let key = PublicKey(type: "ssh-ed25519", blob: "AAAAB3==")
  private typealias Option = AuthorizedKey.Option

  @Test(
    arguments: [
      ("ssh-ed25519 AAAAB3== me@here", []),
      ("  \tssh-ed25519\tAAAAB3==", []),
      ("ssh-ed25519 AAAAB3==\r", []),
      ("restrict ssh-ed25519 AAAAB3== x", [("restrict", nil)]),
      ("No-PTY,From=\"10.0.0.*,!10.0.0.1\" ssh-ed25519 AAAAB3==", [("no-pty", nil), ("from", "10.0.0.*,!10.0.0.1")]),
      ("command=\"echo \\\"a, b\\\" c\",pty ssh-ed25519 AAAAB3==", [("command", "echo \"a, b\" c"), ("pty", nil)]),
      (
        "environment=\"A=1 2\",environment=\"B=x=y\" ssh-ed25519 AAAAB3==",
        [("environment", "A=1 2"), ("environment", "B=x=y")]
      ),
      ("command=\"ssh-rsa AAAA\" ssh-ed25519 AAAAB3==", [("command", "ssh-rsa AAAA")]),
      ("command=\"c:\\dir\" ssh-ed25519 AAAAB3==", [("command", "c:\\dir")]),
      (",,pty,, ssh-ed25519 AAAAB3==", [("pty", nil)]),
    ] as [(String, [(String, String?)])])
  func aLine(_ line: String, _ options: [(String, String?)]) throws {
    let found = try #require(AuthorizedKey(line: Array(line.utf8)))
    #expect(found.key == Self.key)
    #expect(found.options == options.map { Option(name: $0.0, value: $0.1) })
  }

  @Test(arguments: [
    "", "   ", "# ssh-ed25519 AAAAB3==", "ssh-ed25519", "pty", "pty ssh-ed25519", "command=\"open ssh-ed25519 AAAAB3==",
    "hello world there",
  ])
  func whatIsNoKey(_ line: String) { #expect(AuthorizedKey(line: Array(line.utf8)) == nil) }

  @Test func everyPrefixOfALineIsTaken() {
    let line = Array("a=\"x\\\"y,z\",b=,=c,\"q\" ssh-ed25519 AAAAB3== \u{0} é".utf8)
    for length in 0...line.count { _ = AuthorizedKey(line: line.prefix(length)) }
  }

  @Test func whatSshdTellsOfTheLogin() {
    let told = "keyboard-interactive\npublickey ssh-ed25519 AAAAB3==\n"
    #expect(PublicKey(authentication: Array(told.utf8)) == Self.key)
    #expect(PublicKey(authentication: Array("publickey ssh-ed25519".utf8)) == nil)
    #expect(PublicKey(authentication: []) == nil)
  }
}

@Suite struct KeyPolicyTests {
  private static let key = PublicKey(type: "ssh-ed25519", blob: "AAAAB3==")

  private func permit(_ lines: String...) throws -> [String]? {
    try KeyPolicy(of: Self.key, in: Array(lines.joined(separator: "\n").utf8), name: "keys").permit
  }

  @Test func withoutALimit() throws {
    #expect(try permit("ssh-ed25519 AAAAB3==") == nil)
    #expect(try permit("# x", "ssh-ed25519 AAAAC4==", "no-pty ssh-ed25519 AAAAB3== me", "") == nil)
    #expect(try permit("environment=\"OTHER=1\" ssh-ed25519 AAAAB3==") == nil)
  }

  @Test func withALimit() throws {
    #expect(try permit("environment=\"REPL_PERMIT=ping\" ssh-ed25519 AAAAB3==") == ["ping"])
    #expect(
      try permit("no-pty,environment=\"REPL_PERMIT=ping, eval,jobs\" ssh-ed25519 AAAAB3==") == ["ping", "eval", "jobs"])
    let line = "environment=\"REPL_PERMIT=ping\" ssh-ed25519 AAAAB3=="
    #expect(try permit(line, line + " twice the same") == ["ping"])
  }

  @Test(arguments: [
    ("", "does not stand"), ("ssh-ed25519 AAAAC4==", "does not stand"),
    ("cert-authority ssh-ed25519 AAAAB3==", "does not stand"), ("command=\"x\" ssh-ed25519 AAAAB3==", "something else"),
    ("COMMAND=\"\" ssh-ed25519 AAAAB3==", "something else"), ("command ssh-ed25519 AAAAB3==", "something else"),
    ("environment=\"REPL_PERMIT=\" ssh-ed25519 AAAAB3==", "is empty"),
    ("environment=\"REPL_PERMIT=ping,all\" ssh-ed25519 AAAAB3==", "'all'"),
    ("environment=\"REPL_PERMIT=ping\",environment=\"REPL_PERMIT=ping\" ssh-ed25519 AAAAB3==", "twice"),
    ("pty ssh-ed25519 AAAAB3==\nssh-ed25519 AAAAB3==", "more than once"),
  ])
  func refused(_ file: String, _ words: String) {
    #expect {
      _ = try KeyPolicy(of: Self.key, in: Array(file.utf8), name: "keys")
    } throws: { error in
      guard let error = error as? ClientError else { return false }
      return error.code == .notPermitted && error.message.contains(words)
    }
  }

  @Test func aCertificate() {
    let key = PublicKey(type: "ssh-ed25519-cert-v01@openssh.com", blob: "AAAAB3==")
    let file = Array("ssh-ed25519-cert-v01@openssh.com AAAAB3==".utf8)
    #expect(throws: ClientError.self) { try KeyPolicy(of: key, in: file, name: "keys") }
  }
}
