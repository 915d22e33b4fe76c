// The functions of the extension module around the stand-ins of `sys`, and a session's display hook.
internal import CPython

extension Arguments {
  /// stand_in(name, routes, tasks, nowhere)
  func standIn(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(4, of: "stand_in")
    return unsafe try StandIn.make(name: object(0), routes: object(1), tasks: object(2), nowhere: object(3))
  }

  /// original(stand_in)
  func original(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(1, of: "original")
    let original = unsafe StandIn.original(of: try object(0)) ?? cpython_None()
    unsafe Py_IncRef(original)
    return unsafe original
  }

  /// set_original(stand_in, value)
  func setOriginal(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(2, of: "set_original")
    unsafe StandIn.setOriginal(of: try object(0), try object(1))
    return unsafe Self.none()
  }

  /// routed_get(stand_in, name, module): what `sys.<name>` is for the calling thread.
  func routedGet(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(3, of: "routed_get")
    if let route = unsafe try StandIn.route() {
      defer { unsafe Py_DecRef(route) }
      return unsafe PyObject_GetAttr(route, try object(1))
    }
    let original = unsafe StandIn.original(of: try object(0)) ?? cpython_None()
    unsafe Py_IncRef(original)
    return unsafe original
  }

  /// routed_set(stand_in, name, module, value): `sys.<name> = value` in the calling thread.
  func routedSet(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(4, of: "routed_set")
    if let route = unsafe try StandIn.route() {
      defer { unsafe Py_DecRef(route) }
      guard unsafe PyObject_SetAttr(route, try object(1), try object(3)) == 0 else { throw .isSet }
    } else {
      unsafe StandIn.setOriginal(of: try object(0), try object(3))
    }
    return unsafe Self.none()
  }

  /// display(results, stdout_of, value): a session's `sys.displayhook`, which leaves `builtins._` alone.
  func display(_ gil: inout GIL) throws(PythonError) -> OpaquePointer? {
    try expect(3, of: "display")
    let value = unsafe try object(2)
    if unsafe Python.isNone(value) { return unsafe Self.none() }
    let stdout = unsafe try Reference(taking: PyObject_GetAttrString(object(1), "stdout"), gil)
    guard unsafe PyFile_WriteObject(value, stdout.pointer, 0) == 0,
      unsafe PyFile_WriteString("\n", stdout.pointer) == 0,
      unsafe PyObject_SetAttrString(try object(0), "value", value) == 0
    else { throw .isSet }
    return unsafe Self.none()
  }
}
