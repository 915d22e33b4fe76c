// The core of a server: its connections and sessions, on the event loop.
internal import CProcessHooks
internal import Glibc
internal import NIOCore
internal import Shared

/// What the connections of one server share. Everything but the constants is touched on the event loop only.
final class ServerCore {
  let thread: EventLoopThread
  let engine: any Engine
  let configuration: ServerConfiguration
  /// What a text client is shown after the first line; known once the ports are.
  var banner = ""
  private let sessionCounter: SessionCounter
  private var texts: [SessionID: TextConnection] = [:]
  private var controls: [ObjectIdentifier: ControlConnection] = [:]
  private var isHaltPending = false
  private(set) var isStopping = false
  private var emptied: EventLoopPromise<Void>?

  init(
    thread: EventLoopThread, engine: any Engine, configuration: ServerConfiguration,
    sessionCounter: SessionCounter
  ) {
    self.thread = thread
    self.engine = engine
    self.configuration = configuration
    self.sessionCounter = sessionCounter
  }

  var eventLoop: any EventLoop { thread.eventLoop }

  // MARK: connections

  var connectionCount: Int { texts.count + controls.count }

  /// The connection of a session that has not ended; what lingers on its socket is not one any more.
  func text(_ session: SessionID) -> TextConnection? { texts[session].flatMap { $0.isEnded ? nil : $0 } }

  func nextSession() -> SessionID { sessionCounter.next() }

  func add(_ connection: TextConnection) { texts[connection.session] = connection }

  func add(_ connection: ControlConnection) { controls[ObjectIdentifier(connection)] = connection }

  func remove(_ connection: TextConnection) {
    texts[connection.session] = nil
    completeIfEmpty()
    haltIfDue()
  }

  func remove(_ connection: ControlConnection) {
    controls[ObjectIdentifier(connection)] = nil
    completeIfEmpty()
  }

  /// Whether one more connection may stay. Its descriptor is then on the table a forked child closes.
  func admit(_ channel: any Channel) -> Bool {
    guard !isStopping, connectionCount < ServerLimits.connections else { return false }
    return DescriptorRegistration.register(channel)
  }

  // MARK: halt and stop

  /// Asks for the server to be stopped once no session is left, or takes that back.
  func halt(_ doIt: Bool) {
    isHaltPending = doIt
    haltIfDue()
  }

  private func haltIfDue() {
    guard isHaltPending, texts.isEmpty, !isStopping else { return }
    isHaltPending = false
    engine.serverHalted()
  }

  /// Ends every session with a last word and refuses new connections.
  /// - Parameter completion: succeeded when no connection is left.
  func stop(completion: EventLoopPromise<Void>) {
    isStopping = true
    emptied = completion
    for connection in texts.values { connection.end(saying: "\nThe server has stopped.\n") }
    for connection in controls.values { connection.drop() }
    completeIfEmpty()
  }

  /// Drops every connection that is left, with what it still had to say.
  func dropAll() {
    isStopping = true
    for connection in texts.values { connection.drop() }
    for connection in controls.values { connection.drop() }
  }

  private func completeIfEmpty() {
    guard isStopping, connectionCount == 0 else { return }
    emptied?.succeed()
    emptied = nil
  }

  // MARK: description

  /// The fields of the reply to DescribeServer: the ancestor's, then ours.
  func description(withOperations: Bool) -> JSON.Object {
    let identity = engine.identity
    var fields: JSON.Object = [
      "prompts": ["ps1": .string(identity.primaryPrompt), "ps2": .string(identity.continuationPrompt)],
      "control_protocol_version": "1.0",
      "supported_commands": .array(Operation.all.map { .string($0.name) }),
      "server": [
        "name": "repltools",
        "version": .string(configuration.version),
        "protocol": 1,
        "features": [],
        "language": .string(identity.language),
        "language_version": .string(identity.languageVersion),
        "pid": .integer(Int(getpid())),
        "instance": .string(configuration.name),
        "sessions": .integer(texts.values.count { !$0.isEnded }),
      ],
    ]
    if withOperations { fields["operations"] = .array(Operation.all.map { $0.json() }) }
    return fields
  }
}

/// Puts the descriptors of channels on the table that a forked child closes.
enum DescriptorRegistration {
  /// Registers a channel's socket for as long as it is open. On the channel's loop.
  /// - Returns: false when the table is full.
  static func register(_ channel: any Channel) -> Bool {
    let slot = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { descriptor in
      process_hooks_register_descriptor(descriptor)
    }
    guard let slot = slot ?? nil, slot >= 0 else { return false }
    channel.closeFuture.whenComplete { _ in process_hooks_forget_descriptor(slot) }
    return true
  }
}
