// The search for an interpreter: in a made-up environment, among made-up files.

import Shared
import SystemPackage
import Testing

@testable import Launcher

@Suite struct InterpreterSearchTests {
  /// What the file system holds.
  static let programs: Set<FilePath> = [
    "/usr/bin/python3", "/usr/bin/python3.9", "/opt/bin/python3", "/venv/bin/python3", "/venv/bin/python",
    "/old/bin/python", "./python3", "tools/python",
  ]
  static let others: Set<FilePath> = ["/", "/etc/passwd", "/broken/bin/python3"]

  static func look(_ path: FilePath) -> InterpreterSearch.Found {
    programs.contains(path) ? .program : others.contains(path) ? .other : .nothing
  }

  static func find(
    _ wanted: String?, in directories: [FilePath], environment: FilePath? = nil
  ) throws -> FilePath {
    let search = InterpreterSearch(
      virtualEnvironment: environment, directories: directories, look: Self.look)
    return try search.find(wanted)
  }

  static let found: [(wanted: String?, directories: [FilePath], environment: FilePath?, path: FilePath)] = [
    (nil, ["/usr/bin"], nil, "/usr/bin/python3"),
    (nil, ["/nowhere", "/opt/bin", "/usr/bin"], nil, "/opt/bin/python3"),
    (nil, ["/broken/bin", "/usr/bin"], nil, "/usr/bin/python3"),
    (nil, ["", "/usr/bin"], nil, "./python3"),
    (nil, ["/usr/bin"], "/venv", "/venv/bin/python3"),
    (nil, ["/usr/bin"], "/old", "/old/bin/python"),
    // An environment that was deleted, or holds something else, is passed over, as the shell passes it over.
    (nil, ["/usr/bin"], "/deleted", "/usr/bin/python3"),
    (nil, ["/usr/bin"], "/broken", "/usr/bin/python3"),
    (nil, [], "/venv", "/venv/bin/python3"),
    // What was asked for has the last word.
    ("python3.9", ["/opt/bin", "/usr/bin"], "/venv", "/usr/bin/python3.9"),
    ("python3", ["/opt/bin"], "/venv", "/opt/bin/python3"),
    ("/usr/bin/python3", ["/opt/bin"], "/venv", "/usr/bin/python3"),
    ("tools/python", [], nil, "tools/python"),
    ("./python3", [], nil, "./python3"),
  ]

  @Test(arguments: found)
  func isFound(wanted: String?, directories: [FilePath], environment: FilePath?, path: FilePath) throws {
    #expect(try Self.find(wanted, in: directories, environment: environment) == path)
  }

  static let missing: [(wanted: String?, said: String)] = [
    (nil, "no python3 on PATH"),
    ("python2", "'python2' on PATH"),
    ("", "'' on PATH"),
    ("/usr/bin/python2", "no interpreter '/usr/bin/python2'"),
    ("/etc/passwd", "'/etc/passwd' can not be executed"),
    ("/", "'/' can not be executed"),
    ("usr/bin/python3", "no interpreter 'usr/bin/python3'"),
  ]

  @Test(arguments: missing)
  func isMissed(wanted: String?, said: String) {
    let error = #expect(throws: LaunchError.self) {
      try Self.find(wanted, in: ["/bin", "/broken/bin"])
    }
    #expect(error?.code == .noServer)
    #expect(error?.message.contains(said) == true)
    #expect(error?.message.contains("--python") == true)
  }
}
