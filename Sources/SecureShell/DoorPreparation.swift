// The preparation: everything that sshd needs, looked at before it is started, so that what is wrong is said in one line.

internal import Glibc
internal import ReplClient
internal import Shared
internal import SystemPackage

/// What a door is made of. The directory with its configuration goes with `remove`.
struct DoorPreparation {
  let request: DoorRequest
  let sshd: String
  let keys: KeysFile
  let fingerprint: String
  private let account: Account
  private let hostKey: HostKey
  private let program: String

  /// Where sshd wants a directory when it runs as root; nothing is in it.
  private static let separationDirectory = "/run/sshd"
  /// Where sshd is, whatever the PATH of a program that is to be served.
  private static let systemDirectories = ["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin"]

  /// - Throws: `ClientError`, with what keeps sshd from being of use.
  init(_ request: DoorRequest) throws(ClientError) {
    self.request = request
    program = try SecureShellDoor.ownPath().string
    sshd = try Self.find("sshd")
    account = try Account.ofThisProcess()
    keys = KeysFile(path: request.authorizedKeys, home: account.home)
    try keys.check(account)
    hostKey = try HostKey.prepare(path: request.hostKey, home: account.home, state: Self.variable("XDG_STATE_HOME"))
    fingerprint = try hostKey.fingerprint()
    // As the system's own scripts do before they start sshd.
    if getuid() == 0 { unsafe mkdir(Self.separationDirectory, mode_t(0o755)) }
    try makeDirectory()
  }

  private static func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  private static func find(_ name: String) throws(ClientError) -> String {
    let path = variable("PATH")?.split(separator: ":").map(String.init) ?? []
    for directory in path.filter({ $0.hasPrefix("/") }) + systemDirectories {
      let candidate = "\(directory)/\(name)"
      if FileStatus(of: candidate, followsLinks: true)?.isFile == true, unsafe access(candidate, X_OK) == 0 {
        return candidate
      }
    }
    throw ClientError(.noServer, "there is no \(name) here, which --ssh needs; install it (Debian: openssh-server)")
  }

  private func makeDirectory() throws(ClientError) {
    // One that is left is of a process with our server's number whose supervisor was killed, too.
    remove()
    guard unsafe mkdir(request.directory, mode_t(0o700)) == 0 else {
      throw ClientError(.noServer, "cannot make \(request.directory): \(FileContent.lastError)")
    }
  }

  private var configurationPath: String { "\(request.directory)/\(RuntimeEntryName.doorFileName)" }

  /// Removes the directory.
  func remove() {
    unsafe unlink(configurationPath)
    unsafe rmdir(request.directory)
  }

  /// Writes the configuration.
  ///
  /// - Returns: its path.
  func write(_ listens: ListenAddresses) throws(ClientError) -> String {
    let configuration = DaemonConfiguration(
      listens: listens.listens, hostKey: hostKey.path, authorizedKeys: keys.path, user: account.name,
      command: [program, "session", request.socket, keys.path])
    do {
      let file = try FileDescriptor.open(
        FilePath(configurationPath), .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
        permissions: .ownerReadWrite)
      try file.closeAfter { _ = try file.writeAll(try configuration.text().utf8) }
    } catch let error as ClientError {
      throw error
    } catch {
      throw ClientError(.noServer, "cannot write \(configurationPath): \(error)")
    }
    return configurationPath
  }
}
