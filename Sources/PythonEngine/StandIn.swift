// The stand-in: an object that is another one in each thread. It runs no Python code of its own, so a debugger that
// steps through a `print`, and a tracer of the host, never see it.
internal import CPython

/// What stands in the dictionary of `sys` for `stdin`, `stdout`, `stderr` and `displayhook`.
///
/// C code that looks there asks it for an attribute, or calls it, and is given that of the calling thread's route, or
/// of the host's own object in a thread that has none. There are four for the life of the process.
///
/// An instance is `original`, `nowhere` and `name` behind the object's head, each a reference it owns.
@safe enum StandIn {
  /// A thread's number -> its route: the dict that `replserve.routing` keeps. In a thread that runs an event loop of
  /// the host it has `tasks` instead, a context variable, whose value is the key of the route of the task that runs.
  nonisolated(unsafe) private static var routes: OpaquePointer?  // read and written with the interpreter held
  nonisolated(unsafe) private static var tasks: OpaquePointer?  // as that

  private static let fieldSize = unsafe MemoryLayout<OpaquePointer>.size
  private static let originalOffset = Int(cpython_object_head_size)
  private static let nowhereOffset = originalOffset + fieldSize
  private static let nameOffset = nowhereOffset + fieldSize

  /// The type, made when it is first asked for and kept; nil with an exception set if it can't be.
  nonisolated(unsafe) private static let type: OpaquePointer? = unsafe makeType()

  /// A new stand-in for `sys.<name>`.
  /// - Parameters:
  ///   - nowhere: what C code gets instead of None.
  static func make(
    name: OpaquePointer, routes: OpaquePointer, tasks: OpaquePointer, nowhere: OpaquePointer
  ) throws(PythonError) -> OpaquePointer {
    guard let type = unsafe type, let object = unsafe PyType_GenericAlloc(type, 0) else { throw .isSet }
    if unsafe Self.routes == nil {
      unsafe Py_IncRef(routes)
      unsafe Self.routes = routes
      unsafe Py_IncRef(tasks)
      unsafe Self.tasks = tasks
    }
    unsafe setField(object, nowhereOffset, nowhere)
    unsafe setField(object, nameOffset, name)
    return unsafe object
  }

  /// What the host has; a borrowed reference, nil before the first `setOriginal`.
  static func original(of object: OpaquePointer) -> OpaquePointer? { unsafe field(object, originalOffset) }

  static func setOriginal(of object: OpaquePointer, _ value: OpaquePointer?) {
    unsafe setField(object, originalOffset, value)
  }

  /// The route of the calling thread, or of the task that it runs; a new reference.
  static func route() throws(PythonError) -> OpaquePointer? {
    guard let routes = unsafe routes, unsafe PyDict_Size(routes) > 0 else { return nil }
    guard let thread = unsafe PyLong_FromUnsignedLong(PyThread_get_thread_ident()) else { throw .isSet }
    defer { unsafe Py_DecRef(thread) }
    guard let found = unsafe try item(thread, of: routes) else { return nil }
    guard let tasks = unsafe tasks, found == tasks else { return unsafe found }
    defer { unsafe Py_DecRef(found) }
    guard let get = unsafe PyObject_GetAttrString(tasks, "get") else { throw .isSet }
    defer { unsafe Py_DecRef(get) }
    guard let key = unsafe PyObject_CallObject(get, nil) else { throw .isSet }
    defer { unsafe Py_DecRef(key) }
    return unsafe try item(key, of: routes)
  }

  /// A new reference.
  private static func item(_ key: OpaquePointer, of dictionary: OpaquePointer) throws(PythonError) -> OpaquePointer? {
    guard let item = unsafe PyDict_GetItemWithError(dictionary, key) else {
      if unsafe PyErr_Occurred() != nil { throw .isSet }
      return nil
    }
    unsafe Py_IncRef(item)
    return unsafe item
  }

  /// A new reference to what stands for the stand-in in the calling thread; nil with an exception set.
  private static func target(of object: OpaquePointer?) -> OpaquePointer? {
    guard let object = unsafe object else { return nil }
    let route: OpaquePointer?
    do throws(PythonError) { unsafe route = try Self.route() } catch { return nil }
    let found: OpaquePointer?
    if let route = unsafe route {
      defer { unsafe Py_DecRef(route) }
      unsafe found = PyObject_GetAttr(route, field(object, nameOffset))
      if unsafe found == nil { return nil }
    } else {
      unsafe found = field(object, originalOffset) ?? cpython_None()
      unsafe Py_IncRef(found)
    }
    guard unsafe found == cpython_None() else { return unsafe found }
    unsafe Py_DecRef(found)
    let nowhere = unsafe field(object, nowhereOffset)
    unsafe Py_IncRef(nowhere)
    return unsafe nowhere
  }

  private static func field(_ object: OpaquePointer, _ offset: Int) -> OpaquePointer? {
    unsafe UnsafeRawPointer(object).load(fromByteOffset: offset, as: OpaquePointer?.self)
  }

  private static func setField(_ object: OpaquePointer, _ offset: Int, _ value: OpaquePointer?) {
    let previous = unsafe field(object, offset)
    if let value = unsafe value { unsafe Py_IncRef(value) }
    unsafe UnsafeMutableRawPointer(object).storeBytes(of: value, toByteOffset: offset, as: OpaquePointer?.self)
    if let previous = unsafe previous { unsafe Py_DecRef(previous) }
  }

  // MARK: the type

  private typealias Getter = @convention(c) (OpaquePointer?, OpaquePointer?) -> OpaquePointer?
  private typealias Setter = @convention(c) (OpaquePointer?, OpaquePointer?, OpaquePointer?) -> Int32
  private typealias Caller = @convention(c) (OpaquePointer?, OpaquePointer?, OpaquePointer?) -> OpaquePointer?
  private typealias Representer = @convention(c) (OpaquePointer?) -> OpaquePointer?

  private static func makeType() -> OpaquePointer? {
    let get: Getter = { object, name in
      guard let target = unsafe StandIn.target(of: object) else { return nil }
      defer { unsafe Py_DecRef(target) }
      return unsafe PyObject_GetAttr(target, name)
    }
    let set: Setter = { object, name, value in
      guard let target = unsafe StandIn.target(of: object) else { return -1 }
      defer { unsafe Py_DecRef(target) }
      return unsafe PyObject_SetAttr(target, name, value)
    }
    let call: Caller = { object, arguments, keywords in
      guard let target = unsafe StandIn.target(of: object) else { return nil }
      defer { unsafe Py_DecRef(target) }
      return unsafe PyObject_Call(target, arguments, keywords)
    }
    let represent: Representer = { object in
      guard let target = unsafe StandIn.target(of: object) else { return nil }
      defer { unsafe Py_DecRef(target) }
      return unsafe PyObject_Repr(target)
    }
    var slots = unsafe [
      PyType_Slot(slot: Int32(cpython_slot_getattro), pfunc: unsafeBitCast(get, to: UnsafeMutableRawPointer.self)),
      PyType_Slot(slot: Int32(cpython_slot_setattro), pfunc: unsafeBitCast(set, to: UnsafeMutableRawPointer.self)),
      PyType_Slot(slot: Int32(cpython_slot_call), pfunc: unsafeBitCast(call, to: UnsafeMutableRawPointer.self)),
      PyType_Slot(slot: Int32(cpython_slot_repr), pfunc: unsafeBitCast(represent, to: UnsafeMutableRawPointer.self)),
      PyType_Slot(slot: 0, pfunc: nil),
    ]
    let name = StaticString("replserve._native.StandIn")
    return unsafe slots.withUnsafeMutableBufferPointer { slots in
      var spec = unsafe PyType_Spec(
        name: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
        basicsize: Int32(nameOffset + fieldSize), itemsize: 0, flags: 0, slots: slots.baseAddress)
      return unsafe PyType_FromSpec(&spec)
    }
  }
}
