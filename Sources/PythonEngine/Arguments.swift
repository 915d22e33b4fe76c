// The arguments of a call from Python into the module.
internal import CPython

/// The tuple of a METH_VARARGS call, read by position.
@safe struct Arguments {
  // @safe: only the interpreter calls with it, and it is read while that call lasts.
  private let tuple: OpaquePointer?

  init(_ tuple: OpaquePointer?) { unsafe self.tuple = tuple }

  /// - Throws: `TypeError` unless there are exactly `count`.
  func expect(_ count: Int, of function: String) throws(PythonError) {
    let given = unsafe PyTuple_Size(tuple)
    guard given == count else {
      throw .typeError("\(function)() takes \(count) arguments (\(max(given, 0)) given)")
    }
  }

  /// A borrowed reference.
  func object(_ index: Int) throws(PythonError) -> OpaquePointer {
    guard let object = unsafe PyTuple_GetItem(tuple, index) else { throw .isSet }
    return unsafe object
  }

  func integer(_ index: Int) throws(PythonError) -> Int { unsafe try Python.integer(try object(index)) }

  func bool(_ index: Int) throws(PythonError) -> Bool { unsafe try Python.bool(try object(index)) }

  func string(_ index: Int, _ gil: borrowing GIL) throws(PythonError) -> String {
    unsafe try Python.string(try object(index), gil)
  }
}
