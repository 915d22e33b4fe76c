// The standard stream: where a tool writes, whatever it is and whoever has set it up.

internal import Shared
internal import SystemPackage

/// A stream that is written to at once, and to its end.
public struct StandardStream: Sendable {
  private let descriptor: FileDescriptor

  public init(_ descriptor: Int32) { self.descriptor = FileDescriptor(rawValue: descriptor) }

  /// Writes all of the bytes. Where the descriptor does not block, as whoever shares it may have chosen, this waits.
  ///
  /// - Throws: `ClientError`, `.failed`.
  public func write(_ bytes: [UInt8]) throws(ClientError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      do {
        rest = rest.dropFirst(try unsafe rest.withUnsafeBytes { try unsafe descriptor.write($0) })
      } catch Errno.resourceTemporarilyUnavailable {
        _ = try Watched.wait(for: [Watched(descriptor.rawValue, for: .writing)], until: .never)
      } catch {
        throw ClientError(.failed, "cannot write the output: \(error)")
      }
    }
  }
}
