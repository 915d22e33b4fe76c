// The ancestor connection: a server of `unpythonic.net`, spoken to as if it were one of ours, as far as that goes.

public import Shared
internal import SystemPackage

/// Two connections to one server: text, in which prompts are recognised by how they look, and control.
///
/// It takes the requests of a prompt (OpenSession, Evaluate of a block, Input, Interrupt, Complete, CloseSession) and
/// gives the messages that a server of ours would. What an evaluation raises is part of its output.
public final class AncestorConnection {
  /// What the next reply on the control connection answers.
  private enum Awaited {
    case nothing
    case interrupt(Int)
    /// Once it is there, the text connection is to get an empty line, with which the interrupt is told.
    case line
    case candidate
  }

  private struct Evaluation {
    let request: Int
    /// Lines that were not sent yet.
    var lines: ArraySlice<Substring>
    let isFinal: Bool
    /// Whether its output holds what looks like a traceback.
    var hasRaised = false
    var isInLine = false
    var isAskedForInput = false
  }

  private struct Completion {
    let request: Int
    let word: String
    let start: Int
    var candidates: [JSON] = []
    let deadline: Deadline
  }

  private let destination: Destination
  private let text: OwnedDescriptor
  private let control: OwnedDescriptor
  private var scanner: PromptScanner
  private var decoder = FrameDecoder(maximumBodyLength: Limits.maximumControlBodyLength)
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var messages: [ServerMessage] = []
  private var unsentText: ArraySlice<UInt8> = []
  private var unsentControl: ArraySlice<UInt8> = []
  private var awaited: [Awaited] = []
  private var nextID = 0
  private var greeting: [UInt8] = []
  private var session: Int?
  private var opening: Int?
  private var closing: Int?
  private var evaluation: Evaluation?
  /// The lines of a block that the server has, and wants more of.
  private var begun = ""
  private var isTakingBack = false
  private var completion: Completion?
  private var idleDeadline = Deadline.never

  /// How long a line without its end may stand there before it is taken for a question, in seconds.
  private static let questionDelay = 0.3
  /// How long all candidates together may take, in seconds, and how many are asked for.
  private static let completionPatience = 1.5
  private static let maximumCandidateCount = 200

  /// - Parameters:
  ///   - host: a name or an address.
  ///   - port: the text port.
  ///   - controlPort: the control port.
  ///   - description: what the server says of itself: its prompts.
  ///   - trust: whose servers may be sent something.
  ///   - seconds: how long connecting may take.
  public init(
    host: String, port: UInt16, controlPort: UInt16, description: JSON.Object, trusting trust: Trust,
    within seconds: Double
  ) throws(ClientError) {
    let deadline = Deadline.after(seconds)
    destination = Destination(.tcp(host: host, port: port))
    text = try Connector.connect(to: destination, trusting: trust, until: deadline)
    control = try Connector.connect(
      to: Destination(.tcp(host: host, port: controlPort)), trusting: trust, until: deadline)
    let prompts = description["prompts"]?.objectValue
    scanner = PromptScanner(
      first: prompts?["ps1"]?.stringValue ?? ">>>> ", continuation: prompts?["ps2"]?.stringValue ?? ".... ")
  }

  // MARK: requests

  /// Does what a request of our own protocol asks for; one that cannot be done is refused in its reply.
  ///
  /// - Returns: its id.
  @discardableResult
  public func send(_ operation: Operation, _ fields: JSON.Object) throws(ClientError) -> Int {
    let id = nextID
    nextID += 1
    switch operation.name {
    case "OpenSession":
      opening = id
      if session != nil { refuse(id, "this server has one session for a prompt") }
    case "Evaluate": try evaluate(id, fields)
    case "Input": try giveInput(fields)
    case "Interrupt":
      try command(["command": "KeyboardInterrupt"], .interrupt(id))
      // What waits for a line is told only when one comes. To what runs it would be one line too many, with a prompt
      // too many behind it.
      if evaluation?.isAskedForInput != false { try sendText("\n") }
    case "Complete": try complete(id, fields)
    case "CloseSession":
      closing = id
      try sendText("quit()\n")
    default: refuse(id, "this server does not know that")
    }
    return id
  }

  private func evaluate(_ id: Int, _ fields: JSON.Object) throws(ClientError) {
    let source = fields["source"]?.stringValue ?? ""
    var rest = source[...]
    if !begun.isEmpty, source.hasPrefix(begun) {
      rest = source.dropFirst(begun.count)
      if rest.first == "\n" { rest = rest.dropFirst() }
    }
    let lines = rest.split(separator: "\n", omittingEmptySubsequences: false)
    evaluation = Evaluation(request: id, lines: lines[...], isFinal: fields["final"]?.boolValue ?? false)
    isTakingBack = !begun.isEmpty && !source.hasPrefix(begun)
    begun = source
    messages.append(
      .event(
        ServerEvent(.started, request: id, fields: ["session": .integer(session ?? 0), "evaluation": .integer(id)])))
    guard isTakingBack else { return try sendLine() }
    // The server waits for more of a block that has become another one.
    try command(["command": "KeyboardInterrupt"], .line)
  }

  private func sendLine() throws(ClientError) {
    guard let line = evaluation?.lines.popFirst() else { return }
    evaluation?.isAskedForInput = false
    try sendText("\(line)\n")
  }

  private func giveInput(_ fields: JSON.Object) throws(ClientError) {
    evaluation?.isAskedForInput = false
    evaluation?.isInLine = false
    // The end of a file is the key for it, on the terminal that the server reads from.
    try sendText(fields["text"]?.stringValue ?? "\u{04}")
  }

  private func complete(_ id: Int, _ fields: JSON.Object) throws(ClientError) {
    let line = fields["line"]?.stringValue ?? ""
    let word = String(
      String.UnicodeScalarView(
        line.unicodeScalars.reversed().prefix { $0.properties.isXIDContinue || $0 == "." }.reversed()))
    completion = Completion(
      request: id, word: word, start: line.unicodeScalars.count - word.unicodeScalars.count,
      deadline: .after(Self.completionPatience))
    try askForCandidate()
  }

  private func askForCandidate() throws(ClientError) {
    guard let completion else { return }
    try command(
      [
        "command": "TabComplete", "text": .string(completion.word), "state": .integer(completion.candidates.count),
      ], .candidate)
  }

  private func finishCompletion() {
    guard let completion else { return }
    self.completion = nil
    succeed(
      completion.request,
      ["candidates": .array(completion.candidates), "start": .integer(completion.start), "truncated": false])
  }

  private func command(_ fields: JSON.Object, _ kind: Awaited) throws(ClientError) {
    awaited.append(kind)
    unsentControl += Frame.encode(JSON.object(fields).serialized())
    try flush()
  }

  private func sendText(_ line: String) throws(ClientError) {
    unsentText += Array(line.utf8)
    try flush()
  }

  private func succeed(_ id: Int, _ fields: JSON.Object) {
    var fields = fields
    fields["id"] = .integer(id)
    messages.append(.reply(.ok(fields)))
  }

  private func refuse(_ id: Int, _ reason: String) {
    messages.append(.reply(.failed(reason: reason, extra: ["id": .integer(id)])))
  }

  // MARK: waiting

  /// As that of `Connection`.
  public func receive(until deadline: Deadline, watching: [Watched]) throws(ClientError) -> Connection.Arrival {
    while true {
      if !messages.isEmpty { return .message(messages.removeFirst()) }
      try flush()
      let limit = min(deadline, idleDeadline, completion?.deadline ?? .never)
      var own = [Watched(text.number, for: .reading), Watched(control.number, for: .reading)]
      if !unsentText.isEmpty { own.append(Watched(text.number, for: .writing)) }
      if !unsentControl.isEmpty { own.append(Watched(control.number, for: .writing)) }
      let ready = try Watched.wait(for: watching + own, until: limit)
      if ready.contains(Watched(text.number, for: .reading)) { try readText() }
      if ready.contains(Watched(control.number, for: .reading)) { try readControl() }
      let others = ready.filter { !own.contains($0) }
      if !others.isEmpty { return .ready(others) }
      if idleDeadline.hasPassed { takeSilence() }
      if completion?.deadline.hasPassed == true { finishCompletion() }
      if ready.isEmpty, deadline.hasPassed { return .late }
    }
  }

  private func flush() throws(ClientError) {
    do throws(Errno) {
      while !unsentText.isEmpty, case .moved(let count) = try SystemCall.send(text, unsentText) {
        unsentText = unsentText.dropFirst(count)
      }
      while !unsentControl.isEmpty, case .moved(let count) = try SystemCall.send(control, unsentControl) {
        unsentControl = unsentControl.dropFirst(count)
      }
    } catch {
      throw lost
    }
  }

  private var lost: ClientError { ClientError(.noServer, "the server at \(destination) closed the connection") }

  /// What came from a socket; nil at its end.
  private func read(_ socket: borrowing OwnedDescriptor) throws(ClientError) -> ArraySlice<UInt8>? {
    do throws(Errno) {
      switch try SystemCall.receive(socket, &buffer) {
      case .moved(let count): return buffer.prefix(count)
      case .wouldBlock: return []
      case .ended: return nil
      }
    } catch {
      return nil
    }
  }

  // MARK: the text connection

  private func readText() throws(ClientError) {
    guard let bytes = try read(text) else {
      guard let closing else {
        guard let evaluation else { throw lost }
        self.evaluation = nil
        return succeed(evaluation.request, ["outcome": "ended"])
      }
      self.closing = nil
      return succeed(closing, [:])
    }
    for event in scanner.append(bytes) {
      switch event {
      case .output(let bytes): try takeOutput(bytes)
      case .prompt(let isContinuation): try takePrompt(isContinuation)
      }
    }
    watchForSilence()
  }

  private func watchForSilence() {
    let mayBeQuestion = evaluation.map { $0.isInLine && !$0.isAskedForInput } ?? false
    idleDeadline = mayBeQuestion || scanner.isHolding ? .after(Self.questionDelay) : .never
  }

  /// Nothing came for a while.
  private func takeSilence() {
    idleDeadline = .never
    let held = scanner.flush()
    if !held.isEmpty { show(held) }
    guard let evaluation, evaluation.isInLine, !evaluation.isAskedForInput else { return }
    self.evaluation?.isAskedForInput = true
    messages.append(.event(ServerEvent(.input, request: evaluation.request)))
  }

  private func takeOutput(_ bytes: [UInt8]) throws(ClientError) {
    guard session == nil else { return show(bytes) }
    greeting += bytes.prefix(max(0, 4096 - greeting.count))
    guard let end = greeting.firstIndex(of: UInt8(ascii: "\n")) else { return }
    let words = String(decoding: greeting[..<end], as: UTF8.self).split(separator: " ")
    guard words.count >= 3, words[0] == "REPL", words[1] == "session", let number = Int(words[2]) else {
      throw ClientError(.protocolError, "\(destination) does not greet as the text port of a REPL server")
    }
    session = number
    try command(["command": "PairWithSession", "id": .integer(number)], .nothing)
  }

  private func show(_ bytes: [UInt8]) {
    guard let request = evaluation?.request, !isTakingBack else { return }
    // Lines end as on a terminal.
    let output = bytes.filter { $0 != UInt8(ascii: "\r") }
    if String(decoding: output, as: UTF8.self).contains("Traceback (most recent call last):")
      || String(decoding: output, as: UTF8.self).contains("SyntaxError:")
    {
      evaluation?.hasRaised = true
    }
    evaluation?.isInLine = output.last != UInt8(ascii: "\n")
    messages.append(.output(OutputFrame(.standardOutput, request: request, bytes: output)))
  }

  private func takePrompt(_ isContinuation: Bool) throws(ClientError) {
    if let id = opening, let session {
      opening = nil
      return succeed(id, ["session": .integer(session)])
    }
    guard let evaluation else { return }
    if isTakingBack {
      guard !isContinuation else { return }
      isTakingBack = false
      return try sendLine()
    }
    guard evaluation.lines.isEmpty else { return try sendLine() }
    guard !isContinuation else {
      if evaluation.isFinal { return try sendText("\n") }
      self.evaluation = nil
      return succeed(evaluation.request, ["outcome": "incomplete"])
    }
    begun = ""
    self.evaluation = nil
    var fields: JSON.Object = ["outcome": evaluation.hasRaised ? "exception" : "value"]
    if evaluation.hasRaised { fields["exception"] = ["type": "", "message": "", "traceback": "", "frames": []] }
    succeed(evaluation.request, fields)
  }

  // MARK: the control connection

  private func readControl() throws(ClientError) {
    guard let bytes = try read(control) else { throw lost }
    decoder.append(bytes)
    while let event = decoder.next() {
      guard case .frame(let body) = event, let reply = try? ControlReply(parsing: body), !awaited.isEmpty else {
        continue
      }
      switch awaited.removeFirst() {
      case .nothing: break
      case .interrupt(let id): succeed(id, ["outcome": "interrupted"])
      case .line: try sendText("\n")
      case .candidate: try takeCandidate(reply)
      }
    }
  }

  private func takeCandidate(_ reply: ControlReply) throws(ClientError) {
    guard let completion else { return }
    guard case .ok(let fields) = reply, let text = fields["result"]?.stringValue,
      completion.candidates.count < Self.maximumCandidateCount
    else { return finishCompletion() }
    self.completion?.candidates.append(["text": .string(text), "kind": ""])
    try askForCandidate()
  }
}
