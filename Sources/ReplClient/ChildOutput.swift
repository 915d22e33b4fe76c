// The child's output: another program that is run to its end, for what it says.

internal import Glibc
internal import Shared
internal import SystemPackage

/// What another program wrote, and how it ended.
public struct ChildOutput: Equatable, Sendable {
  public let output: [UInt8]
  /// Its exit status; nil when a signal ended it, or it wrote more than was wanted.
  public let status: Int32?

  init(output: [UInt8], status: Int32?) {
    self.output = output
    self.status = status
  }

  /// What it wrote, as text without the newline at its end.
  public var text: String {
    String(decoding: output.last == UInt8(ascii: "\n") ? output.dropLast() : output[...], as: UTF8.self)
  }

  /// Runs a program of PATH, and ends it when it does not end by itself.
  ///
  /// - Parameters:
  ///   - input: what it reads, of at most `maximumInputLength` bytes.
  ///   - withErrors: whether its standard error is wanted, too; it is thrown away otherwise.
  ///   - maximumLength: how many bytes it may write.
  /// - Returns: nil when it could not be run.
  public static func read(
    _ words: [String], input: [UInt8] = [], withErrors: Bool = false, maximumLength: Int, until deadline: Deadline
  ) throws(ClientError) -> ChildOutput? {
    guard input.count <= maximumInputLength else {
      throw ClientError(.failed, "'\(words.first ?? "")' cannot be given so much: \(input.count) bytes")
    }
    let pipe = try Pipe()
    let stdin = try Pipe()
    // A pipe holds this much, so that nobody has to wait for its reader.
    let isGiven = unsafe input.isEmpty || write(stdin.writer.number, input, input.count) == input.count
    guard isGiven, let child = start(words, stdin.reader, pipe.writer, withErrors: withErrors) else { return nil }
    return try output(of: child, words.first ?? "", pipe.onlyReader(), maximumLength, deadline, stdin.onlyReader())
  }

  /// PIPE_BUF of limits.h; a pipe takes at least as much.
  public static let maximumInputLength = 4096

  private static func output(
    of child: pid_t, _ name: String, _ reader: consuming OwnedDescriptor, _ maximumLength: Int, _ deadline: Deadline,
    _ input: consuming OwnedDescriptor
  ) throws(ClientError) -> ChildOutput {
    var output: [UInt8] = []
    var isAtEnd = false
    var status: Int32 = 0
    defer { if !isAtEnd { _ = end(child, SIGKILL) } }
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !isAtEnd {
      guard try !Watched.wait(for: [Watched(reader.number, for: .reading)], until: deadline).isEmpty else {
        throw ClientError(
          .timedOut, "'\(name)' took too long" + (name == "getent" ? "; give a number instead of a name" : ""))
      }
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(reader.number, $0.baseAddress, $0.count) }
      guard count > 0 else {
        // By then it has closed its output, so this does not wait for long.
        isAtEnd = true
        status = end(child, nil)
        break
      }
      output += buffer.prefix(count)
      if output.count > maximumLength { return ChildOutput(output: Array(output.prefix(maximumLength)), status: nil) }
    }
    return ChildOutput(output: output, status: status & 0x7F == 0 ? (status >> 8) & 0xFF : nil)
  }

  /// Ends a child, and takes its status, as wait(2) has it.
  private static func end(_ child: pid_t, _ signal: Int32?) -> Int32 {
    if let signal { kill(child, signal) }
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0, Glibc.errno == EINTR {}
    return status
  }

  private static func start(
    _ words: [String], _ input: borrowing OwnedDescriptor, _ output: borrowing OwnedDescriptor, withErrors: Bool
  ) -> pid_t? {
    guard let program = words.first else { return nil }
    var actions = unsafe posix_spawn_file_actions_t()
    guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { return nil }
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, input.number, STDIN_FILENO)
    unsafe posix_spawn_file_actions_adddup2(&actions, output.number, STDOUT_FILENO)
    if withErrors {
      unsafe posix_spawn_file_actions_adddup2(&actions, output.number, STDERR_FILENO)
    } else {
      unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    }
    return unsafe SpawnedWords(words).spawn { arguments in
      var child = pid_t()
      return unsafe posix_spawnp(&child, program, &actions, nil, arguments, environ) == 0 ? child : nil
    }
  }
}

/// A pipe, both of whose ends go away with exec.
private struct Pipe: ~Copyable {
  let reader: OwnedDescriptor
  let writer: OwnedDescriptor

  init() throws(ClientError) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0, let read = ends.first, let write = ends.last else {
      throw ClientError(.failed, "cannot make a pipe: \(Errno(rawValue: Glibc.errno))")
    }
    for number in ends { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
    reader = OwnedDescriptor(adopting: read)
    writer = OwnedDescriptor(adopting: write)
  }

  /// Closes the end that is written to.
  consuming func onlyReader() -> OwnedDescriptor { reader }
}

/// The words of a program that is to be run, as C takes them.
public struct SpawnedWords {
  private let words: [String]

  public init(_ words: [String]) { self.words = words }

  /// - Parameter body: it does not keep what it is given.
  public func spawn<Result>(_ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
    var arguments = unsafe words.map { unsafe strdup($0) }
    defer { unsafe arguments.forEach { unsafe free($0) } }
    unsafe arguments.append(nil)
    return unsafe body(arguments)
  }
}
