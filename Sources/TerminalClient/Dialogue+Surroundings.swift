// The dialogue's surroundings: its session, jobs that end, pages, and what the program itself prints.

internal import ReplClient
internal import Shared

extension Dialogue {
  /// Opens a session, or takes one up, and asks for what is to be told.
  func open() throws(ClientError) {
    if let number = options.attach {
      guard wire.features.hasAttach else {
        throw ClientError(.failed, "this server keeps no session that is left; leave --attach out")
      }
      session = number
      evaluation = Evaluation(
        request: try wire.send(Operation.attach, ["session": .integer(number)]), isTentative: false)
      phase = .evaluating
      isAttaching = true
    } else {
      session = try openSession()
    }
    try tellSize()
    if wire.features.hasWatch { asides[try wire.send(Operation.watch, [:])] = .ignored }
    guard options.tee else { return }
    if wire.features.hasTee {
      teeRequest = try wire.send(Operation.tee, [:])
    } else {
      note("this server does not tell what the program itself prints")
    }
  }

  private func openSession() throws(ClientError) -> Int {
    let request = try wire.send(.openSession, sessionFields)
    while true {
      guard case .message(.reply(let reply)) = try wire.receive(until: .never, watching: []) else { continue }
      guard reply.id?.integerValue == request else { continue }
      return try Connection.fields(of: reply)["session"]?.integerValue ?? 0
    }
  }

  /// What a session of this prompt is to be like.
  var sessionFields: JSON.Object {
    var fields: JSON.Object = [:]
    if wire.features.hasAttach { fields["detach"] = true }
    return fields
  }

  // MARK: jobs

  func announce(_ fields: JSON.Object) {
    let source = (fields["source"]?.stringValue ?? "").prefix { !$0.isNewline }.prefix(60)
    let state = (fields["state"]?.stringValue ?? "over").prefix(20)
    followedJobs.remove(fields["job"]?.integerValue ?? 0)
    note("%\(fields["job"]?.integerValue ?? 0) \(state): \(source)")
  }

  // MARK: pages

  /// The most bytes of a page that are kept.
  private static let maximumPageLength = 1 << 24

  func takePage(_ frame: OutputFrame) throws(ClientError) {
    let room = Self.maximumPageLength - (evaluation?.page.count ?? 0)
    evaluation?.page += frame.bytes.prefix(max(0, room))
    try acknowledge(frame.bytes.count, of: frame.request)
  }

  func showPage() {
    guard let page = evaluation?.page, !page.isEmpty else { return }
    evaluation?.page = []
    screen.settle()
    editor.pause()
    let isShown = pager.show(page)
    editor.resume()
    // Ctrl-C in the pager was for the pager.
    while signals.nextNumber() != nil {}
    if !isShown { screen.print(page) }
    screen.measure()
    isStale = true
  }

  // MARK: what the program itself prints

  func takeTee(_ frame: OutputFrame) throws(ClientError) {
    try wire.take(frame.bytes.count, of: frame.request)
    teeLine += frame.bytes
    guard let newline = teeLine.lastIndex(of: UInt8(ascii: "\n")) ?? (teeLine.count > 4096 ? teeLine.count - 1 : nil)
    else {
      return
    }
    let lines = teeLine[...newline].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let mark = Array(palette.paint("| ", .kind).utf8)
    screen.endLine()
    for line in lines.last?.isEmpty == true ? lines.dropLast() : lines {
      screen.print(mark + line + [UInt8(ascii: "\n")])
    }
    teeLine.removeFirst(newline + 1)
    isStale = true
  }

  func refuseTee(_ reply: ControlReply) {
    teeRequest = nil
    if case .failed(let reason, _) = reply { note("what the program itself prints cannot be had: \(reason)") }
  }
}
