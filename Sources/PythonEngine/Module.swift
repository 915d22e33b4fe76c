// The extension module: what `import replserve._native` gives, and the one symbol this library exports.
internal import CPython

/// Called by the interpreter when `replserve._native` is imported.
@_cdecl("PyInit__native")
public func initializeModule() -> OpaquePointer? {
  unsafe PyModule_Create2(ModuleTable.definition, cpython_abi_version_number)
}

private var cpython_abi_version_number: Int32 { Int32(cpython_abi_version) }

/// The tables that the interpreter keeps pointers to for as long as the process lives.
private enum ModuleTable {
  // nonisolated(unsafe): written once by its initialiser; then the interpreter's, which guards it by its lock.
  nonisolated(unsafe) static let definition: UnsafeMutablePointer<PyModuleDef> = unsafe makeDefinition()

  private static let functions: [(name: StaticString, doc: StaticString, body: PyCFunction)] = unsafe [
    (
      "start",
      """
      start(settings, hooks, /)
      --

      Start the server by a JSON object; return (repl_port, control_port, socket path or None, ssh or None).
      """,
      { _, arguments in unsafe entry(arguments, Arguments.start) }
    ),
    (
      "stop", "stop()\n--\n\nStop the server, if one runs; return whether all its threads have ended.",
      { _, arguments in unsafe entry(arguments, Arguments.stop) }
    ),
    (
      "serve", "serve(kind, thread, /)\n--\n\nBe one of the server's threads until it is over.",
      { _, arguments in unsafe entry(arguments, Arguments.serve) }
    ),
    (
      "write", "write(session, stream, data, /)\n--\n\nWrite output of a session; return how many bytes that were.",
      { _, arguments in unsafe entry(arguments, Arguments.write) }
    ),
    (
      "readline", "readline(session, size, /)\n--\n\nRead a line, whole whatever the size; b'' at the end of input.",
      { _, arguments in unsafe entry(arguments, Arguments.readLine) }
    ),
    (
      "read_hidden", "read_hidden(session, /)\n--\n\nRead a line that is not echoed where it is typed.",
      { _, arguments in unsafe entry(arguments, Arguments.readHidden) }
    ),
    (
      "page", "page(session, text, /)\n--\n\nShow a text in the client's pager; return whether it has one.",
      { _, arguments in unsafe entry(arguments, Arguments.page) }
    ),
    (
      "window_size", "window_size(session, /)\n--\n\nReturn the columns and rows of the client's window, or zeros.",
      { _, arguments in unsafe entry(arguments, Arguments.windowSize) }
    ),
    (
      "tee", "tee(stream, data, /)\n--\n\nTell the clients that listen in what the process has printed.",
      { _, arguments in unsafe entry(arguments, Arguments.tee) }
    ),
    (
      "end_input", "end_input(session, /)\n--\n\nLet reads of a session see the end of input from now on.",
      { _, arguments in unsafe entry(arguments, Arguments.endInput) }
    ),
    (
      "stand_in", "stand_in(name, routes, tasks, nowhere, /)\n--\n\nMake what stands for sys.<name> in C code.",
      { _, arguments in unsafe entry(arguments, Arguments.standIn) }
    ),
    (
      "original", "original(stand_in, /)\n--\n\nReturn what the host has under the stand-in's name.",
      { _, arguments in unsafe entry(arguments, Arguments.original) }
    ),
    (
      "set_original", "set_original(stand_in, value, /)\n--\n\nSay what the host has under the stand-in's name.",
      { _, arguments in unsafe entry(arguments, Arguments.setOriginal) }
    ),
    (
      "routed_get", "routed_get(stand_in, name, module, /)\n--\n\nReturn sys.<name> as the calling thread has it.",
      { _, arguments in unsafe entry(arguments, Arguments.routedGet) }
    ),
    (
      "routed_set", "routed_set(stand_in, name, module, value, /)\n--\n\nAssign sys.<name> for the calling thread.",
      { _, arguments in unsafe entry(arguments, Arguments.routedSet) }
    ),
    (
      "display", "display(results, route, value, /)\n--\n\nBe the sys.displayhook of a session.",
      { _, arguments in unsafe entry(arguments, Arguments.display) }
    ),
    (
      "evaluating_in", "evaluating_in(session, thread, /)\n--\n\nSay which thread a session's evaluation is in now.",
      { _, arguments in unsafe entry(arguments, Arguments.evaluatingIn) }
    ),
    (
      "elsewhere", "elsewhere(session, number, thread, call, /)\n--\n\nCall, while interrupts go to withdraw().",
      { _, arguments in unsafe entry(arguments, Arguments.elsewhere) }
    ),
    (
      "step", "step(token, thread, call, /)\n--\n\nCall, while strike() reaches the calling thread.",
      { _, arguments in unsafe entry(arguments, Arguments.step) }
    ),
    (
      "strike", "strike(token, /)\n--\n\nRaise KeyboardInterrupt in the step that runs, or in the next one.",
      { _, arguments in unsafe entry(arguments, Arguments.strike) }
    ),
    (
      "spare", "spare(token, /)\n--\n\nLet the next step be.",
      { _, arguments in unsafe entry(arguments, Arguments.spare) }
    ),
    (
      "call_on_main", "call_on_main(session, /)\n--\n\nLet the main thread take a session's evaluation soon.",
      { _, arguments in unsafe entry(arguments, Arguments.callOnMain) }
    ),
    (
      "interrupted_thread",
      "interrupted_thread(interruption, /)\n--\n\nReturn the thread that an interrupt is meant for, or 0 when it is over.",
      { _, arguments in unsafe entry(arguments, Arguments.interruptedThread) }
    ),
    (
      "struck", "struck()\n--\n\nReturn whether an interrupt has made a call of the calling thread fail.",
      { _, arguments in unsafe entry(arguments, Arguments.struck) }
    ),
    (
      "job_add", "job_add(source, owner, /)\n--\n\nReturn the number of a new job.",
      { _, arguments in unsafe entry(arguments, Arguments.jobAdd) }
    ),
    (
      "job_run", "job_run(number, thread, body, /)\n--\n\nCall the body of a job, which can be interrupted meanwhile.",
      { _, arguments in unsafe entry(arguments, Arguments.jobRun) }
    ),
    (
      "job_end", "job_end(number, state, /)\n--\n\nSay how a job has ended.",
      { _, arguments in unsafe entry(arguments, Arguments.jobEnd) }
    ),
    (
      "job_forget", "job_forget(number, /)\n--\n\nForget a job that could not be started.",
      { _, arguments in unsafe entry(arguments, Arguments.jobForget) }
    ),
    (
      "job_write", "job_write(number, stream, data, /)\n--\n\nKeep output of a job; return how many bytes that were.",
      { _, arguments in unsafe entry(arguments, Arguments.jobWrite) }
    ),
    (
      "job_output", "job_output(number, /)\n--\n\nReturn what is kept of a job's output.",
      { _, arguments in unsafe entry(arguments, Arguments.jobOutput) }
    ),
    (
      "job_dropped", "job_dropped(number, /)\n--\n\nReturn how many bytes of a job's output are not kept.",
      { _, arguments in unsafe entry(arguments, Arguments.jobDropped) }
    ),
    (
      "job_release", "job_release(number, /)\n--\n\nSay that nobody holds a job's object any more.",
      { _, arguments in unsafe entry(arguments, Arguments.jobRelease) }
    ),
    (
      "halt", "halt(doit, /)\n--\n\nStop the server once the last session has ended, or take that back.",
      { _, arguments in unsafe entry(arguments, Arguments.halt) }
    ),
    (
      "end_on_sigterm", "end_on_sigterm()\n--\n\nLet SIGTERM stop the server before it ends the process.",
      { _, arguments in unsafe entry(arguments, Arguments.endOnSIGTERM) }
    ),
    (
      "before_fork", "before_fork()\n--\n\nPark the event loop for a fork.",
      { _, arguments in unsafe entry(arguments, Arguments.beforeFork) }
    ),
    (
      "after_fork_in_parent", "after_fork_in_parent()\n--\n\nLet the event loop go on.",
      { _, arguments in unsafe entry(arguments, Arguments.afterForkInParent) }
    ),
    (
      "after_fork_in_child", "after_fork_in_child()\n--\n\nClose what the child inherited and forget the server.",
      { _, arguments in unsafe entry(arguments, Arguments.afterForkInChild) }
    ),
  ]

  private static func makeDefinition() -> UnsafeMutablePointer<PyModuleDef> {
    let table = UnsafeMutablePointer<PyMethodDef>.allocate(capacity: unsafe functions.count + 1)
    for unsafe(index, function) in unsafe functions.enumerated() {
      unsafe (table + index).initialize(
        to: PyMethodDef(
          ml_name: function.name.cString, ml_meth: function.body, ml_flags: Int32(METH_VARARGS),
          ml_doc: function.doc.cString))
    }
    unsafe (table + functions.count).initialize(to: PyMethodDef())
    let definition = UnsafeMutablePointer<PyModuleDef>.allocate(capacity: 1)
    var value = unsafe PyModuleDef()
    unsafe value.m_base.ob_refcnt = 1
    unsafe value.m_name = StaticString("_native").cString
    unsafe value.m_doc = StaticString("The server's native part: a REPL over TCP, by threads of its own.").cString
    unsafe value.m_size = -1
    unsafe value.m_methods = table
    unsafe definition.initialize(to: value)
    return unsafe definition
  }
}

extension StaticString {
  fileprivate var cString: UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
  }
}

/// The one trampoline: turns what a Swift function throws into an exception of the interpreter.
/// - Parameter body: returns a new reference.
private func entry(
  _ tuple: OpaquePointer?,
  _ body: (Arguments) -> (inout GIL) throws(PythonError) -> OpaquePointer?
) -> OpaquePointer? {
  do throws(PythonError) {
    return unsafe try withHeldGIL { (gil: inout GIL) throws(PythonError) -> OpaquePointer? in
      try unsafe body(Arguments(tuple))(&gil)
    }
  } catch {
    Python.raise(error)
    return nil
  }
}
