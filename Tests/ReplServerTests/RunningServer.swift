// A running server with a fake engine behind it, stopped when the test lets go of it.

@testable import ReplServer

/// A server on loopback ports that the system chose.
final class RunningServer {
  static let banner = "Fake server."
  static let prompt = "fake> "

  let engine = FakeEngine()
  let server: Server

  init(
    bind: String = "127.0.0.1", textPort: Int = 0, controlPort: Int = 0, hasUnixSocket: Bool = false,
    sessionCounter: SessionCounter = SessionCounter(), jobs: JobTable = JobTable(), access: AccessRule = AccessRule(),
    audit: ServerConfiguration.Audit = ServerConfiguration.Audit(), firstByteMilliseconds: Int64? = nil
  ) throws {
    var configuration = ServerConfiguration(
      bind: bind, textPort: textPort, controlPort: controlPort, name: "unit", hasUnixSocket: hasUnixSocket,
      version: "0.1", access: access, audit: audit)
    if let firstByteMilliseconds {
      configuration.textFirstByteMilliseconds = firstByteMilliseconds
      configuration.controlFirstByteMilliseconds = firstByteMilliseconds
    }
    server = try Server.start(configuration, engine: engine, sessionCounter: sessionCounter, jobs: jobs) { _ in
      Self.banner
    }
  }

  deinit { server.stop() }

  /// What a client is shown first.
  static func greeting(_ session: SessionID) -> String {
    "REPL session \(session) connected.\n\(banner)\n\(prompt)"
  }

  /// A text client that has read its greeting.
  func text(session: SessionID = 1) throws -> LoopbackClient {
    let client = try LoopbackClient(port: server.address.textPort)
    let greeting = try client.read(to: Self.prompt)
    guard greeting == Self.greeting(session) else {
      throw Patience.Exhausted(description: "another greeting: \(greeting)")
    }
    return client
  }

  func control() throws -> ControlClient { try ControlClient(port: server.address.controlPort) }
}
