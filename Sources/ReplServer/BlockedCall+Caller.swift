// Who makes a blocked call: the first code on the thread's stack that is not the C library's.

extension BlockedCall {
  /// Words of a stack that are looked at. The C library needs a few dozen of them.
  private static let stackWords = 200

  /// The file whose code makes the call, directly or through the C library; nil when that cannot be known.
  ///
  /// A word that was left on the stack by an earlier call may mislead it: nothing may depend on it that has to be right.
  public var caller: String? {
    let map = MemoryMap()
    guard let own = map.file(at: instruction) else { return nil }
    guard Self.isLibrary(own) else { return own }
    for word in Self.words(at: stack, count: Self.stackWords) ?? [] {
      guard let file = map.file(at: word), !Self.isLibrary(file), Self.isReturnAddress(word) else { continue }
      return file
    }
    return nil
  }

  /// The file that the code at an address comes from.
  public static func file(ofCodeAt address: UInt) -> String? { MemoryMap().file(at: address) }

  private static func isLibrary(_ path: String) -> Bool {
    guard let slash = path.lastIndex(of: "/") else { return false }
    let name = path[path.index(after: slash)...]
    return ["libc.so", "libc-", "libpthread", "ld-musl"].contains { name.hasPrefix($0) }
  }

  /// Whether the instruction before an address is a call.
  private static func isReturnAddress(_ address: UInt) -> Bool {
    guard address > 8, let code = words(at: address - 8, count: 1)?.first else { return false }
    #if arch(x86_64)
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: code >> (8 * $0)) }
    // call rel32; call r/m64 in its shorter and longer forms.
    func isIndirect(_ at: Int) -> Bool { bytes[at] == 0xFF && bytes[at + 1] & 0x38 == 0x10 }
    return bytes[3] == 0xE8 || isIndirect(6) || isIndirect(5) || isIndirect(4) || isIndirect(2)
    #elseif arch(arm64)
    let word = UInt32(truncatingIfNeeded: code >> 32)
    // bl; blr.
    return word & 0xFC00_0000 == 0x9400_0000 || word & 0xFFFF_FC1F == 0xD63F_0000
    #else
    return false
    #endif
  }
}
