// The functions of the extension module. Each reads its arguments and returns a new reference.
internal import CPython
internal import ReplServer
internal import Synchronization

/// The server of this process, if one runs, and what outlives it.
enum Running {
  struct Pair: Sendable {
    let engine: PythonEngine
    let server: Server
  }

  static let pair = Mutex<Pair?>(nil)
  static let jobs = PythonJobs()
  static let steps = Steps()
  /// Set while a start is under way, so that two cannot be at once.
  static let isStarting = Mutex(false)
  static let sessions = SessionCounter()

  static var current: Pair? { pair.withLock { $0 } }
}

extension Arguments {
  static func none() -> OpaquePointer? {
    let none = unsafe cpython_None()
    unsafe Py_IncRef(none)
    return unsafe none
  }

  func start(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(2, of: "start")
    let settings = try Settings(parsing: try string(0, gil))
    let configuration = try settings.configuration()
    let identity = try settings.identity()
    let banner = try settings.string("banner")
    let isAlone = Running.isStarting.withLock { isStarting in
      guard !isStarting, Running.current == nil else { return false }
      isStarting = true
      return true
    }
    guard isAlone else { throw .runtimeError("this process already has a running REPL server; stop() it first") }
    defer { Running.isStarting.withLock { $0 = false } }
    let engine = PythonEngine(
      identity: identity, hooks: unsafe try PythonHooks(object(1), gil), jobs: Running.jobs)
    let result = gil.detached { () -> Result<Server, ServerError> in
      Result { () throws(ServerError) in
        try Server.start(
          configuration, engine: engine, sessionCounter: Running.sessions, jobs: Running.jobs.table
        ) { address in
          Self.banner(banner, address)
        }
      }
    }
    let server: Server
    switch result {
    case .success(let started): server = started
    case .failure(let error): throw Self.pythonError(error)
    }
    Running.pair.withLock { $0 = Running.Pair(engine: engine, server: server) }
    do throws(PythonError) {
      try engine.start(gil)
    } catch {
      Running.pair.withLock { $0 = nil }
      gil.detached { server.stop() }
      throw error
    }
    return unsafe Self.tuple(of: server.address)
  }

  func stop(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(0, of: "stop")
    let pair = Running.pair.withLock { pair -> Running.Pair? in
      defer { pair = nil }
      return pair
    }
    guard let pair else { return unsafe PyBool_FromLong(1) }
    gil.detached { pair.server.stop() }
    return unsafe PyBool_FromLong(pair.engine.stop(&gil) ? 1 : 0)
  }

  func serve(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(2, of: "serve")
    let kind = try integer(0)
    let thread = try integer(1)
    guard let engine = Running.current?.engine else { return unsafe Self.none() }
    engine.serve(kind, thread: UInt(bitPattern: thread), &gil)
    return unsafe Self.none()
  }

  func write(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(3, of: "write")
    let stream = OutputStream(rawValue: try integer(1)) ?? .standardOutput
    let bytes = try unsafe Python.withBytes(try object(2)) { unsafe Array($0) }
    try Self.write(bytes, to: stream, of: try integer(0), &gil)
    return unsafe PyLong_FromLongLong(Int64(bytes.count))
  }

  /// Looks the streams up again after every wait: it ends also when the evaluation has become a job, which writes
  /// elsewhere.
  private static func write(
    _ bytes: [UInt8], to stream: OutputStream, of session: Int, _ gil: inout GIL
  ) throws(PythonError) {
    var rest = bytes[...]
    while !rest.isEmpty, let engine = Running.current?.engine, let streams = engine.streams(of: session) {
      let taken = gil.detached { streams.write(rest, to: stream) }
      rest = rest.dropFirst(taken)
      if !rest.isEmpty { try engine.raiseInterrupt(gil) }
    }
  }

  /// readline(session, size)
  func readLine(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(2, of: "readline")
    return unsafe try readLine(of: try integer(0), isHidden: false, &gil)
  }

  /// read_hidden(session): a line that whoever types it must not see.
  func readHidden(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "read_hidden")
    return unsafe try readLine(of: try integer(0), isHidden: true, &gil)
  }

  private func readLine(
    of session: Int, isHidden: Bool, _ gil: inout GIL
  ) throws(PythonError) -> OpaquePointer? {
    while let engine = Running.current?.engine, let streams = engine.streams(of: session) {
      switch gil.detached({ streams.readLine(isHidden: isHidden) }) {
      case .endOfInput: return unsafe PyBytes_FromStringAndSize(nil, 0)
      case .interrupted: try engine.raiseInterrupt(gil)
      case .line(let bytes): return unsafe Python.newBytes(bytes)
      }
    }
    return unsafe PyBytes_FromStringAndSize(nil, 0)
  }

  /// page(session, text): gives a text to the client's pager; false when it has none.
  func page(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(2, of: "page")
    guard let streams = Running.current?.engine.streams(of: try integer(0)), streams.takesPages else {
      return unsafe PyBool_FromLong(0)
    }
    let bytes = try unsafe Python.withBytes(try object(1)) { unsafe Array($0) }
    try Self.write(bytes, to: .page, of: try integer(0), &gil)
    streams.endPage()
    return unsafe PyBool_FromLong(1)
  }

  /// window_size(session)
  func windowSize(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "window_size")
    let size = Running.current?.engine.windowSize(of: try integer(0)) ?? WindowSize(columns: 0, rows: 0)
    return unsafe Python.newTuple(
      taking: [PyLong_FromLongLong(Int64(size.columns)), PyLong_FromLongLong(Int64(size.rows))])
  }

  /// tee(stream, data): it never waits, so the interpreter is kept.
  func tee(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(2, of: "tee")
    let isError = try integer(0) == OutputStream.standardError.rawValue
    let bytes = try unsafe Python.withBytes(try object(1)) { unsafe Array($0) }
    Running.current?.server.tee.write(bytes, to: isError ? .processError : .processOutput)
    return unsafe Self.none()
  }

  func endInput(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "end_input")
    Running.current?.engine.streams(of: try integer(0))?.endInput()
    return unsafe Self.none()
  }

  func halt(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "halt")
    let doIt = try bool(0)
    Running.current?.server.halt(doIt)
    return unsafe Self.none()
  }

  func endOnSIGTERM(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(0, of: "end_on_sigterm")
    guard let server = Running.current?.server else { throw .runtimeError("no REPL server runs in this process") }
    let isSet = gil.detached { server.endOnSIGTERM() }
    return unsafe PyBool_FromLong(isSet ? 1 : 0)
  }

  /// evaluating_in(session, thread): the session's evaluation is now in another thread, or, for 0, in none.
  func evaluatingIn(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(2, of: "evaluating_in")
    let thread = UInt(bitPattern: try integer(1))
    Running.current?.engine.session(try integer(0))?.move(to: thread == 0 ? nil : thread, gil)
    return unsafe Self.none()
  }

  /// call_on_main(session): has the main thread call `on_main(session)` between two of its bytecodes.
  func callOnMain(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "call_on_main")
    // The session travels as the pointer itself: nothing is left to be freed when the call never comes.
    let argument = unsafe UnsafeMutableRawPointer(bitPattern: try integer(0))
    let status = unsafe Py_AddPendingCall({ argument in runOnMain(Int(bitPattern: argument)) }, argument)
    return unsafe PyBool_FromLong(status == 0 ? 1 : 0)
  }

  // MARK: fork

  func beforeFork(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    // The interpreter is held on purpose: whoever waits for it stays where it is until the fork is done.
    Running.current?.server.pauseForFork()
    return unsafe Self.none()
  }

  func afterForkInParent(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    Running.current?.server.resumeAfterFork()
    return unsafe Self.none()
  }

  func afterForkInChild(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    let pair = Running.pair.withLock { pair -> Running.Pair? in
      defer { pair = nil }
      return pair
    }
    pair?.server.abandonInForkedChild()
    return unsafe Self.none()
  }

  // MARK: values

  private static func banner(_ template: String, _ address: ServerAddress) -> String {
    // The template's marks are control characters, which the text of a program's own banner cannot hold by chance.
    template.split(separator: "\u{1}", omittingEmptySubsequences: false)
      .joined(separator: "\(address.bind):\(address.textPort)")
  }

  private static func tuple(of address: ServerAddress) -> OpaquePointer? {
    unsafe Python.newTuple(taking: [
      PyLong_FromLongLong(Int64(address.textPort)), PyLong_FromLongLong(Int64(address.controlPort)),
      address.unixSocket.map { unsafe Python.newString($0) } ?? none(),
      address.secureShell.map { unsafe tuple(of: $0) } ?? none(),
    ])
  }

  private static func tuple(of address: SecureShellAddress) -> OpaquePointer? {
    unsafe Python.newTuple(taking: [
      Python.newString(address.address), PyLong_FromLongLong(Int64(address.port)),
      Python.newString(address.fingerprint),
    ])
  }

  private static func pythonError(_ error: ServerError) -> PythonError {
    error.code == .notPermitted ? .permissionError(error.message) : .osError(error.errno, error.message)
  }
}

/// Called by the interpreter in the main thread, which holds it. An error has nobody to go to there.
private func runOnMain(_ session: Int) -> Int32 {
  guard let engine = Running.current?.engine else { return 0 }
  do throws(PythonError) {
    try withHeldGIL { (gil: inout GIL) throws(PythonError) in
      if !engine.hooks.onMain.isReleased(gil) { _ = try engine.hooks.onMain.call([.integer(session)], gil) }
    }
  } catch {
    Python.reportUnraisable(error)
  }
  return 0
}
