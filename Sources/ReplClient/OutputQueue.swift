// The output queue: what an evaluation wrote, on its way to the standard streams of the tool.

public import Shared
internal import SystemPackage

/// Keeps the order in which it was written, and never waits: whoever reads our output may be slow, and Ctrl-C must
/// work all the same. It is bounded by the credit of the request, which is granted again only for what has left.
public struct OutputQueue {
  private struct Piece {
    let isError: Bool
    var bytes: ArraySlice<UInt8>
    /// How many bytes of output are done with when this has been written.
    let credit: Int
  }

  private let output: FileDescriptor
  private let errors: FileDescriptor
  /// What stands before each line, when several servers are asked.
  private let prefix: [UInt8]
  private var pieces: [Piece] = []
  /// The start of a value that is not longer, and waits for its end: so it is written at once with its newline, and those
  /// of many tools that share an output stay apart.
  private var held: [UInt8] = []
  private var isInLine: (output: Bool, errors: Bool) = (false, false)

  /// - Parameters:
  ///   - output: the descriptor of the standard output; nobody closes it before the queue is done with.
  ///   - errors: that of the standard error.
  ///   - prefix: what stands before each line.
  public init(output: Int32, errors: Int32, prefix: String = "") {
    self.output = FileDescriptor(rawValue: output)
    self.errors = FileDescriptor(rawValue: errors)
    self.prefix = Array(prefix.utf8)
  }

  public var isEmpty: Bool { pieces.isEmpty }

  /// How many bytes wait to be written.
  public var byteCount: Int { pieces.reduce(0) { $0 + $1.bytes.count } }

  /// Forgets what waits to be written.
  ///
  /// - Returns: how many bytes of output are done with by that.
  public mutating func drop() -> Int {
    defer { pieces = [] }
    return pieces.reduce(0) { $0 + $1.credit }
  }

  /// What to wait for before the next write.
  public var watched: Watched? {
    pieces.first.map { Watched(($0.isError ? errors : output).rawValue, for: .writing) }
  }

  /// - Parameter frame: of which every byte is one of credit; a short value waits for its newline.
  public mutating func add(_ frame: OutputFrame) {
    guard frame.stream == .value, held.count + frame.bytes.count < Self.portion else {
      return add(frame.bytes, isError: frame.stream == .standardError, credit: frame.bytes.count)
    }
    held += frame.bytes
  }

  private mutating func release() {
    let bytes = held
    held = []
    push(bytes, isError: false, credit: bytes.count)
  }

  /// - Parameter credit: how many bytes of output are done with when this has been written.
  public mutating func add(_ bytes: [UInt8], isError: Bool, credit: Int) {
    release()
    push(bytes, isError: isError, credit: credit)
  }

  private mutating func push(_ bytes: [UInt8], isError: Bool, credit: Int) {
    guard !bytes.isEmpty else { return }
    pieces.append(Piece(isError: isError, bytes: prefixed(bytes, isError: isError)[...], credit: credit))
  }

  /// Ends a line of the output that was begun, when lines have a prefix or `always`.
  public mutating func endLine(always: Bool) {
    if always || ((isInLine.output || !held.isEmpty) && !prefix.isEmpty) { held.append(UInt8(ascii: "\n")) }
    release()
  }

  private mutating func prefixed(_ bytes: [UInt8], isError: Bool) -> [UInt8] {
    let newline = UInt8(ascii: "\n")
    var isInside = isError ? isInLine.errors : isInLine.output
    defer { if isError { isInLine.errors = bytes.last != newline } else { isInLine.output = bytes.last != newline } }
    guard !prefix.isEmpty else { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + prefix.count)
    for byte in bytes {
      if !isInside { result += prefix }
      result.append(byte)
      isInside = byte != newline
    }
    return result
  }

  /// Writes as much as a descriptor that is ready takes without waiting.
  ///
  /// - Returns: how many bytes of output are done with.
  public mutating func writeSome() throws(ClientError) -> Int {
    guard var piece = pieces.first else { return 0 }
    do {
      let count = try (piece.isError ? errors : output).write(piece.bytes.prefix(Self.portion))
      piece.bytes = piece.bytes.dropFirst(count)
    } catch Errno.resourceTemporarilyUnavailable {
      return 0
    } catch {
      throw ClientError(.failed, "cannot write the output: \(error)")
    }
    guard piece.bytes.isEmpty else {
      pieces[0] = piece
      return 0
    }
    pieces.removeFirst()
    return piece.credit
  }

  /// A pipe that is ready takes so many bytes at once: PIPE_BUF of pipe(7).
  private static let portion = 4096
}

extension FileDescriptor {
  /// Writes some of the bytes.
  fileprivate func write(_ bytes: ArraySlice<UInt8>) throws -> Int {
    try unsafe bytes.withUnsafeBytes { try unsafe write($0) }
  }
}
