// The memory map: which file each piece of code of this process comes from.
internal import Glibc

/// The executable mappings of this process. proc(5): /proc/self/maps. The dynamic linker is not asked: it may be in the
/// middle of loading something, and hold its lock.
struct MemoryMap {
  private struct Region {
    let start: UInt
    let end: UInt
    let path: String
  }

  private var regions: [Region] = []

  /// Bytes of the map that are read; code is near its beginning or its end, and this is far more than a large program has.
  private static let maximumLength = 8 << 20

  init() {
    let file = unsafe open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    var line: [UInt8] = []
    var total = 0
    while total < Self.maximumLength {
      let count = unsafe read(file, &chunk, chunk.count)
      guard count > 0 else { break }
      total += count
      for byte in chunk.prefix(count) {
        if byte != UInt8(ascii: "\n") {
          line.append(byte)
          continue
        }
        add(line)
        line.removeAll(keepingCapacity: true)
      }
    }
  }

  /// - Parameter line: `START-END r-xp OFFSET DEVICE INODE     PATH`.
  private mutating func add(_ line: [UInt8]) {
    guard let space = line.firstIndex(of: UInt8(ascii: " ")), space + 4 < line.count,
      line[space + 3] == UInt8(ascii: "x"), let slash = line.firstIndex(of: UInt8(ascii: "/"))
    else { return }
    let bounds = String(decoding: line[..<space], as: UTF8.self).split(separator: "-").map { UInt($0, radix: 16) }
    guard bounds.count == 2, let start = bounds[0], let end = bounds[1] else { return }
    regions.append(Region(start: start, end: end, path: String(decoding: line[slash...], as: UTF8.self)))
  }

  /// The file that the code at an address comes from; nil when there is no code, or it comes from none.
  func file(at address: UInt) -> String? {
    regions.first { $0.start <= address && address < $0.end }?.path
  }
}
