// The Python hooks: what the engine asks the Python side to do.
internal import CPython

/// The methods of the object that was given to `start`; see sessions.py. They are called with the interpreter held.
struct PythonHooks: Sendable {
  /// spawn(kind): starts a thread that calls `_native.serve(kind)`.
  let spawn: Callable
  /// opened(session): the session's thread has started; nothing can interrupt it yet.
  let opened: Callable
  /// run(session, number, source, kind, is_structured, is_main, loop) -> the number of an outcome, or a report as JSON.
  /// A loop of -1 is whichever is right.
  let run: Callable
  /// closed(session, has_moved): the session's thread is about to end; it has moved when its evaluation became a job.
  let closed: Callable
  /// forget(session): a session has ended that has no thread.
  let forget: Callable
  /// halted(): the server is to be stopped.
  let halted: Callable
  /// checkpoint(): does nothing, in Python, where an interrupt that is due is raised.
  let checkpoint: Callable
  /// on_main(session): the calling thread is the main thread, and the session has an evaluation for it.
  let onMain: Callable
  /// withdraw(session, number) -> whether an evaluation that no thread has now is told to end: it waits for an event
  /// loop, or for the main thread, which will not begin with it. Session 0 stands for a job.
  let withdraw: Callable
  /// start_job(number, source, loop): starts the thread of a job.
  let startJob: Callable
  /// listen(is_wanted): whether what the process prints is to be told.
  let listen: Callable
  /// adopt(job, source): an evaluation has become a job.
  let adopt: Callable
  /// settle(job, source, state): in the thread of that evaluation, it is over.
  let settle: Callable
  /// check(source) -> JSON.
  let check: Callable
  /// complete(text) -> a list of str.
  let complete: Callable
  /// candidates(source, cursor, with_docs) -> JSON.
  let candidates: Callable
  /// document(name, with_source) -> JSON.
  let document: Callable
  /// threads() -> JSON.
  let threads: Callable
  /// locate(session, number, thread) -> JSON; the thread is 0 for what waits for an event loop, the session for a job.
  let locate: Callable
  /// unblock(interruption, thread) -> what Python itself could do about the wait of a thread.
  let unblock: Callable

  /// - Throws: `.isSet` when the object lacks one of them.
  init(_ object: OpaquePointer, _ gil: borrowing GIL) throws(PythonError) {
    spawn = unsafe try Callable("spawn", of: object, gil)
    opened = unsafe try Callable("opened", of: object, gil)
    run = unsafe try Callable("run", of: object, gil)
    closed = unsafe try Callable("closed", of: object, gil)
    forget = unsafe try Callable("forget", of: object, gil)
    halted = unsafe try Callable("halted", of: object, gil)
    checkpoint = unsafe try Callable("checkpoint", of: object, gil)
    onMain = unsafe try Callable("on_main", of: object, gil)
    withdraw = unsafe try Callable("withdraw", of: object, gil)
    startJob = unsafe try Callable("start_job", of: object, gil)
    listen = unsafe try Callable("listen", of: object, gil)
    adopt = unsafe try Callable("adopt", of: object, gil)
    settle = unsafe try Callable("settle", of: object, gil)
    check = unsafe try Callable("check", of: object, gil)
    complete = unsafe try Callable("complete", of: object, gil)
    candidates = unsafe try Callable("candidates", of: object, gil)
    document = unsafe try Callable("document", of: object, gil)
    threads = unsafe try Callable("threads", of: object, gil)
    locate = unsafe try Callable("locate", of: object, gil)
    unblock = unsafe try Callable("unblock", of: object, gil)
  }

  /// Lets go of all of them.
  func release(_ gil: borrowing GIL) {
    for hook in [
      spawn, opened, run, closed, forget, halted, checkpoint, onMain, withdraw, startJob, listen, adopt, settle, check,
      complete, candidates, document, threads, locate, unblock,
    ] { hook.release(gil) }
  }
}
