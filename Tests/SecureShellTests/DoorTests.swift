// What is told to sshd, and what a door is asked for and tells.

import ReplClient
import Shared
import Testing

@testable import SecureShell

@Suite struct DaemonConfigurationTests {
  private func configuration(hostKey: String = "/k", keys: String = "/a", command: [String] = ["/x"])
    -> DaemonConfiguration
  {
    DaemonConfiguration(
      listens: ["0.0.0.0:22", "[::]:22"], hostKey: hostKey, authorizedKeys: keys, user: "me", command: command)
  }

  @Test func whatItSays() throws {
    let text = try configuration(
      hostKey: "/a b/key", keys: "/home/100%/it's é", command: ["/opt/it's/replssh", "session", "/a b", "/$x"]
    ).text()
    let lines = text.split(separator: "\n").map(String.init)
    for line in [
      "ListenAddress 0.0.0.0:22", "ListenAddress [::]:22", "HostKey \"/a b/key\"",
      "AuthorizedKeysFile \"/home/100%%/it's é\"", "AllowUsers me",
      "ForceCommand '/opt/it'\\''s/replssh' 'session' '/a b' '/$x'", "PasswordAuthentication no", "UsePAM no",
      "AuthenticationMethods publickey", "DisableForwarding yes", "PermitUserRC no", "PermitUserEnvironment no",
      "ExposeAuthInfo yes", "StrictModes yes",
    ] { #expect(lines.contains(line)) }
    for word in ["AcceptEnv", "Subsystem", "Include", "Match", "SetEnv"] { #expect(!text.contains(word)) }
    #expect(lines.filter { $0.hasPrefix("ForceCommand ") }.count == 1)
  }

  @Test(arguments: ["/a\"b", "/a\\b", "/a\nForceCommand none", "/a\r", "/\u{7F}"])
  func whatCannotBeSaid(_ path: String) {
    #expect(throws: ClientError.self) { try configuration(hostKey: path).text() }
    #expect(throws: ClientError.self) { try configuration(keys: path).text() }
    guard path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return }
    #expect(throws: ClientError.self) { try configuration(command: [path]).text() }
  }
}

@Suite struct AccountTests {
  @Test func entries() {
    let account = Account(entry: "me:x:1000:1000:Me, Myself:/home/me:/bin/zsh")
    #expect(account?.name == "me" && account?.home == "/home/me" && account?.shell == "/bin/zsh")
    #expect(Account(entry: "me:x:1:1::/h:")?.shell == "/bin/sh")
    for entry in ["", "me", ":x:1:1::/h:/bin/sh", "me:x:1:1::relative:/bin/sh", "me:x:1:1:/h"] {
      #expect(Account(entry: entry) == nil)
    }
  }

  @Test func addresses() {
    #expect(RemoteSession.address("1.2.3.4 5555 10.0.0.1 22") == "1.2.3.4:5555")
    #expect(RemoteSession.address("fe80::1%eth0 5 ::1 22") == "[fe80::1%eth0]:5")
    #expect(RemoteSession.address("") == "")
  }

  @Test func fingerprints() {
    #expect(Fingerprint.inAnswer("256 SHA256:abc me (ED25519)") == "SHA256:abc")
    #expect(Fingerprint.inAnswer("it is not a public key file.") == nil)
    #expect(Fingerprint.inAnswer("") == nil)
  }
}

@Suite struct ListenAddressesTests {
  @Test func aPortIsFreeAndThenTaken() throws {
    let found = try ListenAddresses.find("127.0.0.1", port: 0)
    #expect(found.port > 0 && found.listens == ["127.0.0.1:\(found.port)"])
    #expect(try ListenAddresses.find("localhost", port: 0).addresses == ["127.0.0.1"])
    #expect(try ListenAddresses.find(nil, port: 0).addresses.first == "0.0.0.0")
    for address in ["x", "1.2.3", "203.0.113.77", "1.2.3.4.5", ":"] {
      #expect(throws: ClientError.self) { try ListenAddresses.find(address, port: 0) }
    }
  }
}
