// The wire: a server as this tool sees it, whichever protocol it speaks.

internal import ReplClient
internal import Shared

/// Requests to a server, and what comes back. It belongs to one thread.
protocol Wire: AnyObject {
  /// What the server can do beyond sessions, evaluations and interrupts; known once it has been connected to.
  var features: Features { get }

  /// Sends a request.
  ///
  /// - Returns: its id.
  @discardableResult
  func send(_ operation: Operation, _ fields: JSON.Object) throws(ClientError) -> Int

  /// Lets the server send as many bytes of a request's output as have been taken.
  ///
  /// - Returns: as `Connection` does.
  @discardableResult
  func take(_ count: Int, of request: Int) throws(ClientError) -> Int

  /// Waits for the next message, or until a watched descriptor is ready.
  func receive(until deadline: Deadline, watching: [Watched]) throws(ClientError) -> Connection.Arrival
}

/// What a server can do, by the names in its description.
struct Features: Equatable, Sendable {
  private let names: Set<String>

  init(_ names: Set<String>) { self.names = names }

  /// Whether a source is complete can be asked, and a source may have any number of statements.
  var hasBlocks: Bool { names.contains("blocks") }
  /// Jobs can be listed, and their output be followed.
  var hasJobs: Bool { names.contains("jobs") }
  /// A running evaluation can be made a job.
  var hasBackground: Bool { names.contains("background") }
  /// The end of a job is told.
  var hasWatch: Bool { names.contains("watch") }
  /// A session can be left and taken up again.
  var hasAttach: Bool { names.contains("attach") }
  /// What the program itself prints can be had.
  var hasTee: Bool { names.contains("tee") }
  /// What is for a pager comes apart from the output.
  var hasPaging: Bool { names.contains("paging") }
  /// A session may know the size of the window.
  var hasResize: Bool { names.contains("resize") }
}

extension AncestorConnection: Wire {
  var features: Features { Features([]) }

  /// It sends what it likes.
  func take(_ count: Int, of request: Int) -> Int { 0 }
}

extension Connection: Wire {
  var features: Features { Features(server?.features ?? []) }
}
