// The pager: a program of the user's own that shows a long text.

internal import Glibc

struct Pager {
  /// What a shell is to run.
  let command: String
  private let input: Int32
  private let output: Int32

  /// - Parameters:
  ///   - command: `$PAGER`; nil or empty for less(1), which then shows a short text without waiting for a key.
  ///   - input: the terminal's descriptor.
  ///   - output: the terminal's, too.
  init(command: String?, input: Int32, output: Int32) {
    self.command = command.flatMap { $0.isEmpty ? nil : $0 } ?? "LESS=${LESS-FRX} less"
    self.input = input
    self.output = output
  }

  /// Shows a text, and waits until it has been read.
  ///
  /// - Returns: false when there is no such program.
  func show(_ text: [UInt8]) -> Bool {
    var template = Array("/tmp/replconnect-XXXXXX".utf8CString)
    let file = unsafe mkstemp(&template)
    guard file >= 0 else { return false }
    defer { close(file) }
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    unsafe template.withUnsafeBufferPointer { if let path = $0.baseAddress { unsafe unlink(path) } }
    var rest = text[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    lseek(file, 0, SEEK_SET)
    guard let child = start(reading: file) else { return false }
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0 { guard errno == EINTR else { return true } }
    // 127 is what a shell says of a program that is not there.
    return (status >> 8) & 0xFF != 127 || status & 0x7F != 0
  }

  private func start(reading file: Int32) -> pid_t? {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, file, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    // The signals that are read from a descriptor here are blocked, which a child would inherit.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let words = ["sh", "-c", command].map { Array($0.utf8CString) }
    let copies = unsafe words.map { unsafe strdup($0) }
    defer { unsafe copies.forEach { unsafe free($0) } }
    let arguments = unsafe copies + [nil]
    var child: pid_t = 0
    return unsafe posix_spawn(&child, "/bin/sh", &actions, &attributes, arguments, environ) == 0 ? child : nil
  }
}
