// The interpreter's lock as a value: who has a `GIL` may touch Python, and nobody else can.
internal import CPython

/// Proof that the calling thread holds the interpreter.
///
/// It cannot be copied, stored or sent. Every reference is bound to a borrow of it, so the compiler refuses
/// `detached` while a reference is in use.
struct GIL: ~Copyable, ~Escapable {
  @_lifetime(immortal)
  fileprivate init() {}

  /// Gives the interpreter up while `body` runs, which must not touch Python.
  @_lifetime(self: immortal)
  mutating func detached<Result>(_ body: () -> Result) -> Result {
    let state = unsafe PyEval_SaveThread()
    let result = body()
    unsafe PyEval_RestoreThread(state)
    return result
  }
}

/// Runs `body` in a thread that holds the interpreter already because Python called us.
func withHeldGIL<Result>(_ body: (inout GIL) throws(PythonError) -> Result) throws(PythonError) -> Result {
  var gil = GIL()
  return try body(&gil)
}

/// A Python exception, set in the calling thread or still to be set.
enum PythonError: Error {
  /// The interpreter has it.
  case isSet
  case typeError(String)
  case valueError(String)
  case runtimeError(String)
  /// An `OSError` with its number, or without one when that is 0.
  case osError(Int32, String)
  case permissionError(String)
}

/// One reference to a Python object, given back when the value ends.
@safe struct Reference: ~Copyable, ~Escapable {
  private let object: OpaquePointer

  /// Takes over a new reference that a call returned.
  /// - Throws: `.isSet` when the call returned NULL.
  @_lifetime(borrow gil)
  init(taking object: OpaquePointer?, _ gil: borrowing GIL) throws(PythonError) {
    guard let object = unsafe object else { throw .isSet }
    unsafe self.object = object
  }

  deinit { unsafe Py_DecRef(object) }

  /// The object, for a call that borrows it.
  var pointer: OpaquePointer { unsafe object }
}

/// A Python callable kept by Swift for as long as the server runs.
///
/// It is released with the lock held by `release`, never by a `deinit`, which could run on any thread.
@safe final class Callable: @unchecked Sendable {
  // @unchecked: `object` is read and replaced only by threads that hold the interpreter.
  private var object: OpaquePointer?

  /// Takes a reference of its own.
  init(_ object: OpaquePointer, _ gil: borrowing GIL) {
    unsafe Py_IncRef(object)
    unsafe self.object = object
  }

  /// Takes a reference to an attribute.
  /// - Throws: `.isSet` when there is none.
  convenience init(_ name: String, of object: OpaquePointer, _ gil: borrowing GIL) throws(PythonError) {
    let attribute = unsafe try Reference(taking: PyObject_GetAttrString(object, name), gil)
    unsafe self.init(attribute.pointer, gil)
  }

  func release(_ gil: borrowing GIL) {
    guard let object = unsafe object else { return }
    unsafe self.object = nil
    unsafe Py_DecRef(object)
  }

  /// Whether `release` was called; the server has stopped then.
  func isReleased(_ gil: borrowing GIL) -> Bool { unsafe object == nil }

  /// Calls it.
  /// - Throws: `.isSet` when it raised.
  @_lifetime(borrow gil)
  func call(_ arguments: [Argument], _ gil: borrowing GIL) throws(PythonError) -> Reference {
    guard let object = unsafe object else { throw .runtimeError("the server has stopped") }
    let tuple = unsafe try Reference(taking: PyTuple_New(arguments.count), gil)
    for (index, argument) in arguments.enumerated() {
      guard let item = unsafe argument.newObject() else { throw .isSet }
      guard unsafe PyTuple_SetItem(tuple.pointer, index, item) == 0 else { throw .isSet }
    }
    return unsafe try Reference(taking: PyObject_CallObject(object, tuple.pointer), gil)
  }
}

/// A value passed to Python.
enum Argument {
  case integer(Int)
  case string(String)
  case bool(Bool)

  /// A new reference, or nil with an exception set.
  func newObject() -> OpaquePointer? {
    switch self {
    case .integer(let value): unsafe PyLong_FromLongLong(Int64(value))
    case .bool(let value): unsafe PyBool_FromLong(value ? 1 : 0)
    case .string(let text): unsafe Python.newString(text)
    }
  }
}

/// What is read of Python objects that Swift does not own. The calling thread holds the interpreter.
enum Python {
  /// A tuple of new references, which are taken over; nil, the interpreter having an error, when one of them is.
  static func newTuple(taking items: [OpaquePointer?]) -> OpaquePointer? {
    guard let tuple = unsafe PyTuple_New(items.count) else { return nil }
    for unsafe(index, item) in unsafe items.enumerated() {
      guard let item = unsafe item, unsafe PyTuple_SetItem(tuple, index, item) == 0 else { return nil }
    }
    return unsafe tuple
  }

  static func newString(_ text: String) -> OpaquePointer? {
    var text = text
    return text.withUTF8 { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
        unsafe PyUnicode_DecodeUTF8(characters.baseAddress, characters.count, "replace")
      }
    }
  }

  static func newBytes(_ bytes: [UInt8]) -> OpaquePointer? {
    unsafe bytes.withUnsafeBytes { raw in
      unsafe PyBytes_FromStringAndSize(raw.bindMemory(to: CChar.self).baseAddress, raw.count)
    }
  }

  /// The text of a `str`; a lone surrogate is an error.
  static func string(_ object: OpaquePointer?, _ gil: borrowing GIL) throws(PythonError) -> String {
    let bytes = unsafe try Reference(taking: PyUnicode_AsUTF8String(object), gil)
    return unsafe try withBytes(bytes.pointer) { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// Runs `body` with the content of a `bytes` object.
  static func withBytes<Result>(
    _ object: OpaquePointer?, _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(PythonError) -> Result {
    var start: UnsafeMutablePointer<CChar>?
    var count = 0
    guard unsafe PyBytes_AsStringAndSize(object, &start, &count) == 0 else { throw .isSet }
    return unsafe body(UnsafeRawBufferPointer(start: start, count: count))
  }

  static func integer(_ object: OpaquePointer?) throws(PythonError) -> Int {
    let value = unsafe PyLong_AsLongLong(object)
    if value == -1, unsafe PyErr_Occurred() != nil { throw .isSet }
    return Int(value)
  }

  static func bool(_ object: OpaquePointer?) throws(PythonError) -> Bool {
    let value = unsafe PyObject_IsTrue(object)
    guard value >= 0 else { throw .isSet }
    return value == 1
  }

  static func isString(_ object: OpaquePointer?) -> Bool { unsafe cpython_is_str(object) != 0 }

  static func isNone(_ object: OpaquePointer?) -> Bool { unsafe object == cpython_None() }

  /// Sets the exception that `error` stands for, unless the interpreter has it already.
  static func raise(_ error: PythonError) {
    switch error {
    case .isSet: break
    case .typeError(let text): unsafe PyErr_SetString(cpython_TypeError(), text)
    case .valueError(let text): unsafe PyErr_SetString(cpython_ValueError(), text)
    case .runtimeError(let text): unsafe PyErr_SetString(cpython_RuntimeError(), text)
    case .permissionError(let text): unsafe PyErr_SetString(cpython_PermissionError(), text)
    case .osError(0, let text): unsafe PyErr_SetString(cpython_OSError(), text)
    case .osError(let number, let text):
      // OSError(number, text) becomes the subclass that fits the number.
      guard let tuple = unsafe newTuple(taking: [PyLong_FromLongLong(Int64(number)), newString(text)]) else { return }
      defer { unsafe Py_DecRef(tuple) }
      unsafe PyErr_SetObject(cpython_OSError(), tuple)
    }
  }

  /// Takes an exception that nobody can be given, and tells the interpreter's hook for such.
  static func reportUnraisable(_ error: PythonError) {
    raise(error)
    PyErr_WriteUnraisable(nil)
  }
}
