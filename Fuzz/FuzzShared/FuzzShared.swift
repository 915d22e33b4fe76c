// The fuzz target: hands what libFuzzer makes up to the properties that the parsers must have.

/// libFuzzer's entry point. A broken property stops the process, which libFuzzer reports together with
/// the input; a trap inside a parser does the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  if let broken = ParserProperties.violation(in: input) { fatalError(broken) }
  return 0
}
