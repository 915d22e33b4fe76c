// The JSON limits: what one document may cost the process that parses it.

extension JSON {
  /// The bounds of one document.
  public struct Limits: Sendable {
    /// The longest document, in bytes.
    public let maximumByteCount: Int

    /// The most arrays and objects inside each other; 0 allows scalars alone.
    public let maximumDepth: Int

    /// The most values in one document, each array, object and member counted as one. It bounds the
    /// memory, since `[[],[],[]]` takes ten times the space of its text.
    public let maximumElementCount: Int

    /// The deepest nesting anybody may ask for. Swift releases and compares nested values by recursion,
    /// so that a deeper one could exhaust the stack of a thread long after it was parsed.
    public static let greatestDepth = 512

    /// One control message: as long as its frame may be, 64 deep, 65,536 values.
    public static let `default` = Limits(
      maximumByteCount: Shared.Limits.maximumControlBodyLength, maximumDepth: 64, maximumElementCount: 1 << 16
    )

    /// - Parameters:
    ///   - maximumByteCount: in bytes; a negative one counts as 0, as for the others.
    ///   - maximumDepth: brought down to `greatestDepth` when it is higher.
    ///   - maximumElementCount: counted over the whole document.
    public init(maximumByteCount: Int, maximumDepth: Int, maximumElementCount: Int) {
      self.maximumByteCount = max(0, maximumByteCount)
      self.maximumDepth = min(max(0, maximumDepth), Self.greatestDepth)
      self.maximumElementCount = max(0, maximumElementCount)
    }
  }
}
