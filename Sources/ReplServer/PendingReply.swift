// The pending reply: a request's place among the replies of its connection.
internal import NIOCore
internal import Shared

/// A request that is not answered yet. It is answered once, on the event loop.
final class PendingReply {
  /// What the request sent to tell its reply from others.
  let id: JSON?
  /// Whether it may not be answered before those that came earlier.
  let isOrdered: Bool
  private(set) var reply: ControlReply?
  /// Whether it waits for the end of something that may take for ever.
  let isLong: Bool
  private weak var connection: ControlConnection?

  /// - Parameter connection: where it is sent; with nil the reply is kept here only.
  init(id: JSON?, isOrdered: Bool, isLong: Bool = false, connection: ControlConnection?) {
    self.id = id
    self.isOrdered = isOrdered
    self.isLong = isLong
    self.connection = connection
  }

  /// Answers the request; a second answer is ignored.
  func send(_ reply: ControlReply) {
    guard self.reply == nil else { return }
    self.reply = reply
    connection?.sendReplies()
  }

  func ok(_ fields: JSON.Object = [:]) { send(.ok(fields)) }

  /// - Parameters:
  ///   - reason: one line for people.
  ///   - code: for programs; see `FailureCode`.
  func fail(_ reason: String, _ code: FailureCode? = nil) {
    send(.failed(reason: reason, extra: code.map { ["code": .string($0.rawValue)] } ?? [:]))
  }
}
