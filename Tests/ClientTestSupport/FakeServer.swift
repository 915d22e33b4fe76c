// The fake server: a thread that speaks frames on a unix socket, as a test tells it to.

import Dispatch
import Glibc
public import Shared

/// A private runtime directory, and servers in it that say what a test wants them to. They live as long as it does.
public final class FakeRuntime {
  fileprivate var servers: [FakeServer] = []
  /// What `$XDG_RUNTIME_DIR` is to be.
  public let root: String
  public var directory: String { root + "/repltools" }

  public init() throws {
    var template = Array("/tmp/repltools-unit-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw Failure(description: "cannot make a directory") }
    root = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard unsafe mkdir(root + "/repltools", 0o700) == 0 else { throw Failure(description: "cannot make a directory") }
  }

  deinit {
    for server in servers { server.stop() }
    for name in fileNames() { unsafe unlink(directory + "/" + name) }
    unsafe rmdir(directory)
    unsafe rmdir(root)
  }

  /// The files of the runtime directory, sorted.
  public func fileNames() -> [String] {
    guard let stream = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// What stood in the way of a test.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) { self.description = description }
  }
}

/// One server, until it is stopped or its runtime directory goes.
public final class FakeServer {
  /// What is done with each request beside DescribeServer; it runs on the server's thread.
  public typealias Script = @Sendable (ControlRequest, FakePeer) -> Void

  public let socketPath: String
  private let lockPath: String
  private let lock: Int32
  private let listener: Int32
  private let ended = DispatchSemaphore(value: 0)
  private var isStopped = false

  /// - Parameters:
  ///   - answersDescription: false for one that is silent.
  ///   - more: further members of what it says of itself.
  @discardableResult
  public init(
    in runtime: FakeRuntime, name: String = "fake", pid: Int32 = 42, answersDescription: Bool = true,
    describing more: JSON.Object = [:], _ script: @escaping Script = { _, _ in }
  ) throws {
    socketPath = "\(runtime.directory)/\(pid)-\(name).sock"
    lockPath = "\(runtime.directory)/\(pid)-\(name).lock"
    lock = unsafe open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      throw FakeRuntime.Failure(description: "cannot take the lock")
    }
    listener = try Self.listen(on: socketPath)
    let listener = listener
    let ended = ended
    DispatchQueue(label: "fake server").async {
      defer { ended.signal() }
      while case let peer = Self.accept(listener), peer >= 0 {
        let peer = FakePeer(descriptor: peer)
        DispatchQueue(label: "fake peer").async {
          peer.serve { request in
            guard request.command == "DescribeServer" else { return script(request, peer) }
            guard answersDescription else { return }
            var server: JSON.Object = [
              "name": "repltools", "protocol": 1, "instance": .string(name), "pid": .integer(Int(pid)),
              "features": ["sessions", "jobs"],
            ]
            for (key, value) in more { server[key] = value }
            peer.reply(to: request, ["server": .object(server)])
          }
        }
      }
    }
    runtime.servers.append(self)
  }

  /// Takes no more connections, and is no longer in the directory.
  public func stop() {
    guard !isStopped else { return }
    isStopped = true
    shutdown(listener, Int32(SHUT_RDWR))
    // The number may be somebody else's once it is closed.
    ended.wait()
    close(listener)
    close(lock)
    unsafe unlink(socketPath)
    unsafe unlink(lockPath)
  }

  private static func accept(_ listener: Int32) -> Int32 { Glibc.accept(listener, nil, nil) }

  private static func listen(on path: String) throws -> Int32 {
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8.prefix(107)) }
    let status = unsafe withUnsafePointer(to: &address) { start in
      unsafe start.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    // Whatever the umask is.
    guard status == 0, unsafe chmod(path, 0o600) == 0, Glibc.listen(listener, 16) == 0 else {
      throw FakeRuntime.Failure(description: "cannot listen on \(path)")
    }
    return listener
  }
}
