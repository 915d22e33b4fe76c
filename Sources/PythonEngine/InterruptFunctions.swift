// The functions of the extension module around interrupts.
internal import CPython

extension Arguments {
  /// interrupted_thread(interruption): the thread that an interrupt is meant for, as `threading.get_ident()` has it.
  func interruptedThread(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "interrupted_thread")
    let runner = Running.current?.engine.interruptions.runner(of: try integer(0))
    return unsafe PyLong_FromUnsignedLong(runner?.thread ?? 0)
  }

  /// struck(): whether a call of the calling thread was made to fail since its evaluation began.
  func struck(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(0, of: "struck")
    return unsafe PyBool_FromLong(StruckThreads.contains(UInt(PyThread_get_thread_ident())) ? 1 : 0)
  }
}
