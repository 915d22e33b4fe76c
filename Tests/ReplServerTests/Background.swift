// Background work: a body on another thread, whose result is waited for, and not for ever.

import Dispatch

@testable import ReplServer

/// How long anything is waited for before its test fails. Nothing that works comes near it.
enum Patience {
  static let milliseconds = 20_000
  /// How long nothing must happen where something would, were the code wrong. A correct run never fails by it.
  static let silenceMilliseconds = 50

  /// What was waited for did not happen.
  struct Exhausted: Error, CustomStringConvertible {
    let description: String
  }
}

/// A body that runs on a thread of its own.
final class Background<Value: Sendable>: Sendable {
  private let result = Monitor<Value?>(nil)

  init(_ body: @escaping @Sendable () -> Value) {
    let result = result
    DispatchQueue(label: "background").async {
      let value = body()
      result.signal { $0 = value }
    }
  }

  /// Whether the body stays unfinished for a moment.
  var isHeldUp: Bool { result.wait(milliseconds: Patience.silenceMilliseconds) { $0 } == nil }

  /// What the body returned.
  func value() throws -> Value {
    guard let value = result.wait(milliseconds: Patience.milliseconds, until: { $0 }) else {
      throw Patience.Exhausted(description: "a thread did not come to its end")
    }
    return value
  }
}
