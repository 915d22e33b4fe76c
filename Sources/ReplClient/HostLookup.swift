// The host lookup: the numeric addresses of a host.

internal import Glibc
internal import Shared
internal import SystemPackage

/// Finds the addresses of a host. The tools are linked statically and so cannot ask the C library, whose resolver is
/// made of shared objects: getent(1) asks in their place.
enum HostLookup {
  /// - Parameter host: a numeric address or a name.
  /// - Returns: at least one address, in the order in which to try them.
  static func addresses(
    of host: String, port: UInt16, until deadline: Deadline
  ) throws(ClientError) -> [SocketAddress] {
    if let address = SocketAddress(numeric: host, port: port) { return [address] }
    if host == "localhost" {
      return ["127.0.0.1", "::1"].compactMap { SocketAddress(numeric: $0, port: port) }
    }
    let output = try ChildOutput.read(
      ["getent", "ahosts", "--", host], maximumLength: maximumAnswerLength, until: deadline)
    let found = parse(output, port: port)
    guard !found.isEmpty else {
      throw ClientError(.noServer, "the host '\(host)' is not known; give its address in numbers, or check the name")
    }
    return found
  }

  private static let maximumAnswerLength = 1 << 16
  private static let maximumAddressCount = 16

  /// Takes the first word of each line; the lines repeat an address for every type of socket.
  static func parse(_ output: [UInt8], port: UInt16) -> [SocketAddress] {
    var found: [SocketAddress] = []
    for line in output.split(separator: UInt8(ascii: "\n")) {
      let word = String(decoding: line.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }, as: UTF8.self)
      guard let address = SocketAddress(numeric: word, port: port), !found.contains(address) else { continue }
      found.append(address)
      if found.count == maximumAddressCount { break }
    }
    return found
  }
}

/// What another program writes to its standard output.
enum ChildOutput {
  /// Runs a program of PATH, and ends it when it does not end by itself.
  ///
  /// - Returns: what it wrote, up to `maximumLength` bytes; nothing when it could not be run.
  static func read(_ words: [String], maximumLength: Int, until deadline: Deadline) throws(ClientError) -> [UInt8] {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0, let readNumber = ends.first, let writeNumber = ends.last else {
      throw ClientError(.failed, "cannot make a pipe: \(Errno(rawValue: Glibc.errno))")
    }
    let reader = OwnedDescriptor(adopting: readNumber)
    let writer = OwnedDescriptor(adopting: writeNumber)
    for number in ends { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
    guard let child = start(words, writeTo: writer) else { return [] }
    defer {
      // By then it has closed its output or is to be stopped, so this does not wait for long.
      kill(child, SIGKILL)
      while waitpid(child, nil, 0) < 0, Glibc.errno == EINTR {}
    }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while output.count < maximumLength {
      guard try !Watched.wait(for: [Watched(reader.number, for: .reading)], until: deadline).isEmpty else {
        throw ClientError(.timedOut, "\(words.first ?? "") took too long; give a number instead of a name")
      }
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(reader.number, $0.baseAddress, $0.count) }
      guard count > 0 else { break }
      output += buffer.prefix(count)
    }
    return output
  }

  private static func start(_ words: [String], writeTo output: consuming OwnedDescriptor) -> pid_t? {
    guard let program = words.first else { return nil }
    var actions = unsafe posix_spawn_file_actions_t()
    guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { return nil }
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output.number, STDOUT_FILENO)
    unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var arguments = unsafe words.map { unsafe strdup($0) }
    defer { unsafe arguments.forEach { unsafe free($0) } }
    unsafe arguments.append(nil)
    var child = pid_t()
    return unsafe posix_spawnp(&child, program, &actions, nil, arguments, environ) == 0 ? child : nil
  }
}
