// The functions of the extension module around jobs.
internal import CPython
internal import ReplServer
internal import Shared

extension Arguments {
  /// job_add(source, owner): a new job's number.
  func jobAdd(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(2, of: "job_add")
    let job = Running.jobs.table.add(source: try string(0, gil), owner: try string(1, gil))
    return unsafe PyLong_FromLongLong(Int64(job.number))
  }

  /// job_run(number, thread, body): calls the body; an interrupt can reach the job meanwhile.
  func jobRun(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(3, of: "job_run")
    let number = try integer(0)
    let thread = UInt(bitPattern: try integer(1))
    let body = unsafe Callable(try object(2), gil)
    defer { body.release(gil) }
    let result = try Running.jobs.run(number, thread: thread, body: body, gil)
    unsafe Py_IncRef(result.pointer)
    return unsafe result.pointer
  }

  /// job_end(number, state)
  func jobEnd(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(2, of: "job_end")
    Running.jobs.end(try integer(0), JobReport.State(rawValue: try string(1, gil)) ?? .failed)
    return unsafe Self.none()
  }

  /// job_forget(number): the job could not be started.
  func jobForget(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "job_forget")
    if let job = Running.jobs.table.job(try integer(0)) { Running.jobs.table.remove(job) }
    return unsafe Self.none()
  }

  /// job_write(number, stream, data). It never waits, so the interpreter is kept: a fork finds nothing half done.
  func jobWrite(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(3, of: "job_write")
    let stream: OutputStream = try integer(1) == OutputStream.standardError.rawValue ? .standardError : .standardOutput
    let bytes = try unsafe Python.withBytes(try object(2)) { unsafe Array($0) }
    Running.jobs.table.job(try integer(0))?.write(bytes, to: stream)
    return unsafe PyLong_FromLongLong(Int64(bytes.count))
  }

  /// job_output(number): all that is kept of what it printed.
  func jobOutput(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "job_output")
    let bytes = Running.jobs.table.job(try integer(0))?.output ?? []
    return unsafe Python.newBytes(bytes)
  }

  /// job_dropped(number): how many bytes are not kept.
  func jobDropped(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "job_dropped")
    return unsafe PyLong_FromLongLong(Int64(Running.jobs.table.job(try integer(0))?.dropped ?? 0))
  }

  /// job_release(number): the host holds its object no more.
  func jobRelease(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "job_release")
    Running.jobs.table.release(try integer(0))
    return unsafe Self.none()
  }
}
