// The interpreter search: which Python runs the program.

internal import Shared
internal import SystemPackage

/// Finds the interpreter from the environment and a look at the file system, both given as values.
struct InterpreterSearch {
  /// What is at a path.
  enum Found: Equatable, Sendable {
    case nothing
    /// Something that can not be executed.
    case other
    case program
  }

  /// $VIRTUAL_ENV, when it is set.
  var virtualEnvironment: FilePath?

  /// The directories of PATH; an empty one is the working directory.
  var directories: [FilePath]

  /// Looks at one path.
  var look: (FilePath) -> Found

  /// - Parameter wanted: what `--python` was given, a path or a name; nil takes the virtual environment's
  ///   interpreter, else the `python3` of PATH.
  /// - Returns: a path with a slash in it, its symbolic links not followed: a virtual environment is
  ///   known by the place of the link.
  func find(_ wanted: String?) throws(LaunchError) -> FilePath {
    guard let wanted else { return try findDefault() }
    guard wanted.utf8.contains(UInt8(ascii: "/")) else {
      guard !wanted.isEmpty, let path = onPath(wanted) else {
        throw LaunchError(
          .noServer, "there is no '\(wanted)' on PATH; give --python the path of an interpreter")
      }
      return path
    }
    let path = FilePath(wanted)
    switch look(path) {
    case .program: return path
    case .other:
      throw LaunchError(
        .noServer, "'\(wanted)' can not be executed; give --python the path of an interpreter")
    case .nothing:
      throw LaunchError(
        .noServer, "there is no interpreter '\(wanted)'; give --python the path of one")
    }
  }

  private func findDefault() throws(LaunchError) -> FilePath {
    if let virtualEnvironment {
      for name in ["python3", "python"] {
        let path = virtualEnvironment.appending("bin").appending(name)
        if look(path) == .program { return path }
      }
    }
    guard let path = onPath("python3") else {
      throw LaunchError(
        .noServer, "there is no python3 on PATH; install it, or name an interpreter with --python")
    }
    return path
  }

  private func onPath(_ name: String) -> FilePath? {
    for directory in directories {
      let path = (directory.isEmpty ? FilePath(".") : directory).appending(name)
      if look(path) == .program { return path }
    }
    return nil
  }
}
