// The host environment: what the search for an interpreter asks the system for.

internal import Glibc
internal import SystemPackage

extension InterpreterSearch {
  /// Where execvp(3) looks when PATH is not set.
  private static let defaultDirectories: [FilePath] = ["/bin", "/usr/bin"]

  /// A search in the environment and the file system of this process.
  static func inHost() -> InterpreterSearch {
    InterpreterSearch(
      virtualEnvironment: variable("VIRTUAL_ENV").flatMap { $0.isEmpty ? nil : path($0) },
      directories: variable("PATH").map { value in
        value.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map(path)
      } ?? defaultDirectories,
      look: look)
  }

  /// The bytes of an environment variable; nil when it is not set.
  private static func variable(_ name: String) -> [UInt8]? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
  }

  private static func path(_ bytes: some Sequence<UInt8>) -> FilePath {
    unsafe FilePath(platformString: bytes.map { CChar(bitPattern: $0) } + [0])
  }

  private static func look(_ path: FilePath) -> Found {
    unsafe path.withPlatformString { name in
      var status = stat()
      guard unsafe stat(name, &status) == 0 else { return .nothing }
      let isFile = status.st_mode & S_IFMT == S_IFREG
      return unsafe isFile && access(name, X_OK) == 0 ? .program : .other
    }
  }
}
