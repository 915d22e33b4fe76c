// The installation: where the parts of repltools are that lie beside this executable.

internal import Glibc
internal import Shared
internal import SystemPackage

/// The directory that repltools was installed into, with `bin` and `lib/repltools` below it.
struct Installation: Equatable, Sendable {
  let prefix: FilePath

  /// The directory that holds the package `replserve`: with it on PYTHONPATH, `import replserve` works.
  var pythonPath: FilePath { prefix.appending("lib/repltools/python") }

  /// The script that the interpreter is started with.
  var launchScript: FilePath { pythonPath.appending("replserve/_launch.py") }

  init(prefix: FilePath) { self.prefix = prefix }

  /// - Parameter executable: PREFIX/bin/replserve, without symbolic links.
  init(executable: FilePath) {
    self.init(prefix: executable.removingLastComponent().removingLastComponent())
  }

  /// The installation that the running executable belongs to.
  static func current() throws(LaunchError) -> Installation {
    guard let path = unsafe realpath("/proc/self/exe", nil) else {
      throw LaunchError(.noServer, "cannot tell where replserve is installed: /proc is not mounted; mount it")
    }
    defer { unsafe free(path) }
    return unsafe Installation(executable: FilePath(platformString: path))
  }
}
