// The functions of the extension module around what an evaluation awaits.
internal import CPython
internal import ReplServer

extension Arguments {
  /// elsewhere(session, number, thread, call): calls; meanwhile an interrupt does not reach the calling thread, which is
  /// `thread`, but is given to `withdraw`. Session 0 stands for a job.
  func elsewhere(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(4, of: "elsewhere")
    let (session, number) = (try integer(0), try integer(1))
    let thread = UInt(bitPattern: try integer(2))
    let call = unsafe Callable(try object(3), gil)
    defer { call.release(gil) }
    let engine = Running.current?.engine
    // One that is due is raised first: to leave the thread is to take it back.
    try engine?.raiseInterrupt(gil)
    let evaluation = session > 0 ? engine?.session(session, evaluating: number) : nil
    if session > 0 { evaluation?.move(to: nil, gil) } else { Running.jobs.move(number, to: nil, gil) }
    defer {
      if session > 0 { evaluation?.move(to: thread, gil) } else { Running.jobs.move(number, to: thread, gil) }
    }
    let result = try call.call([], gil)
    unsafe Py_IncRef(result.pointer)
    return unsafe result.pointer
  }

  /// step(token, thread, call): calls; meanwhile `strike` reaches the calling thread, which is `thread`.
  func step(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(3, of: "step")
    let (token, thread) = (try integer(0), UInt(bitPattern: try integer(1)))
    let call = unsafe Callable(try object(2), gil)
    defer { call.release(gil) }
    let result = try Running.steps.run(token, thread: thread, call, gil)
    unsafe Py_IncRef(result.pointer)
    return unsafe result.pointer
  }

  /// strike(token): raises KeyboardInterrupt in the step that runs, or else in the next one.
  func strike(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "strike")
    Running.steps.strike(try integer(0), gil)
    return unsafe Self.none()
  }

  /// spare(token): the next step is not struck any more.
  func spare(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "spare")
    Running.steps.spare(try integer(0))
    return unsafe Self.none()
  }
}
