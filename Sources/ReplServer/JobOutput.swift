// The job output: what a job has printed, the newest of it, as a value.
internal import DequeModule

/// The output of one job, of which the newest bytes are kept. Places in it are counted from its beginning, those
/// that were dropped included, so that a reader knows what it has missed.
struct JobOutput: Sendable {
  /// What a read gave.
  struct Reading: Equatable, Sendable {
    var stream: OutputStream
    var bytes: [UInt8]
    /// Bytes before these that are no longer kept.
    var missed: Int
    /// Where to read next.
    var next: Int
  }

  private struct Piece {
    var stream: OutputStream
    var bytes: [UInt8]
  }

  private var pieces: Deque<Piece> = []
  /// Bytes that were dropped, which is the place of the first one kept.
  private(set) var dropped = 0
  /// Bytes that are kept.
  private(set) var count = 0
  private let limit: Int

  init(limit: Int = ServerLimits.jobOutputBytes) { self.limit = max(0, limit) }

  /// The place behind the last byte.
  var end: Int { dropped + count }

  mutating func append(_ bytes: some Collection<UInt8>, to stream: OutputStream) {
    guard !bytes.isEmpty else { return }
    count += bytes.count
    if var last = pieces.last, last.stream == stream, last.bytes.count + bytes.count <= ServerLimits.outputChunk {
      // Taken out first, so that its bytes are not shared and hence not copied.
      pieces.removeLast()
      last.bytes += bytes
      pieces.append(last)
    } else {
      // Pieces are small, since what is dropped is dropped by the piece.
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = Array(rest.prefix(ServerLimits.outputChunk))
        pieces.append(Piece(stream: stream, bytes: piece))
        rest = rest.dropFirst(piece.count)
      }
    }
    while count > limit, var first = pieces.popFirst() {
      let excess = min(count - limit, first.bytes.count)
      dropped += excess
      count -= excess
      guard excess < first.bytes.count else { continue }
      first.bytes.removeFirst(excess)
      pieces.prepend(first)
    }
  }

  /// Forgets everything; what is appended later is counted from where it was.
  mutating func drop() {
    dropped += count
    count = 0
    pieces = []
  }

  /// What stands at a place.
  /// - Parameters:
  ///   - place: from 0; a reader continues at `Reading.next`.
  ///   - limit: the most bytes, at least 1.
  /// - Returns: nil when the place is the end.
  func read(at place: Int, upTo limit: Int) -> Reading? {
    let missed = max(0, dropped - place)
    var skip = max(0, place - dropped)
    for piece in pieces {
      if skip >= piece.bytes.count {
        skip -= piece.bytes.count
        continue
      }
      let bytes = Array(piece.bytes.dropFirst(skip).prefix(max(1, limit)))
      return Reading(stream: piece.stream, bytes: bytes, missed: missed, next: place + missed + bytes.count)
    }
    return nil
  }

  /// All that is kept, both streams in order.
  var bytes: [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(count)
    for piece in pieces { all += piece.bytes }
    return all
  }
}
