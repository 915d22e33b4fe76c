// The owned descriptor: a file descriptor that is closed once, by its owner.

internal import Glibc

/// A file descriptor. Its end closes it.
public struct OwnedDescriptor: ~Copyable {
  /// For a call that does not keep it.
  public let number: Int32

  /// - Parameter number: an open descriptor that nobody else closes.
  public init(adopting number: Int32) { self.number = number }

  deinit { close(number) }
}
