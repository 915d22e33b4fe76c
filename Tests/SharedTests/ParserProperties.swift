// The properties of the parsers: what must hold for any input at all.
//
// The fuzzer under Fuzz/ and the test that replays its corpus both run this file.

import Shared

/// Each property takes bytes from outside and returns what they broke, or nil.
enum ParserProperties {
  /// The longest body in these runs: short, so that inputs of every size meet the limit.
  static let maximumBodyLength = 200

  /// The longest stream that is cut in two at every place.
  private static let greatestLengthForEveryCut = 128

  /// An input is a byte that selects a parser, then what that parser is given.
  static func violation(in input: [UInt8]) -> String? {
    guard let selector = input.first else { return nil }
    let rest = Array(input.dropFirst())
    return switch selector {
    case UInt8(ascii: "f"): frames(rest, content: .text)
    case UInt8(ascii: "b"): frames(rest, content: .binary)
    case UInt8(ascii: "j"): json(rest)
    case UInt8(ascii: "r"): request(rest)
    case UInt8(ascii: "a"): reply(rest)
    case UInt8(ascii: "e"): endpoint(rest)
    case UInt8(ascii: "m"): message(rest)
    default: violation(in: [selectors[Int(selector) % selectors.count]] + rest)
    }
  }

  /// The byte of each parser.
  static let selectors = Array("fbjraem".utf8)

  /// The events are those of the reference, in one piece, byte by byte, cut in two anywhere, and cut
  /// at random.
  static func frames(
    _ stream: [UInt8], content: FrameDecoder.Content, maximumBodyLength: Int = maximumBodyLength
  ) -> String? {
    let reference = ReferenceFrameDecoder(stream, maximumBodyLength: maximumBodyLength, content: content)
    var random = SplitMix64(seed: UInt64(stream.count))
    var waysToCut: [(String, [Int])] = [
      ("in one piece", []),
      ("byte by byte", Array(stream.indices)),
      ("at random", stream.indices.filter { _ in Int.random(in: 0..<8, using: &random) == 0 }),
    ]
    // Every cut costs a run, so in a long stream the random ones stand in for it.
    if stream.count <= greatestLengthForEveryCut {
      waysToCut += stream.indices.map { ("in two at \($0)", [$0]) }
    }
    var first: FrameDecoderRun?
    for (name, cuts) in waysToCut {
      let run = FrameDecoderRun(stream, cuts: cuts, maximumBodyLength: maximumBodyLength, content: content)
      if let broken = run.violations.first { return "\(name): \(broken)" }
      let events = run.events.compactMap(ReferenceFrameDecoder.Event.init)
      if events != reference.events { return "\(name): \(events) instead of \(reference.events)" }
      if run.junkByteCount != reference.junkByteCount {
        return "\(name): \(run.junkByteCount) bytes of junk instead of \(reference.junkByteCount)"
      }
      if let first, first.events != run.events || first.errorAtEndOfStream != run.errorAtEndOfStream {
        return "\(name): other events than in one piece"
      }
      first = first ?? run
    }
    return nil
  }

  /// What parses is written so that it parses to the same value, and is written the same again.
  static func json(_ bytes: [UInt8]) -> String? {
    let value: JSON
    do throws(JSONError) {
      value = try JSON(parsing: bytes)
    } catch {
      return (0...bytes.count).contains(error.byteOffset) ? nil : "the error is at byte \(error.byteOffset)"
    }
    let written = value.serialized()
    if written.contains(where: { $0 == 0xFF || $0 < 0x20 }) {
      return "a byte is written that needs an escape"
    }
    guard let again = try? JSON(parsing: written, limits: .generous) else {
      return "its own output does not parse"
    }
    if again != value { return "it reads back as another value" }
    return again.serialized() == written ? nil : "it is written differently the second time"
  }

  /// A request never traps, and is written so that it reads back.
  static func request(_ body: [UInt8]) -> String? {
    do throws(ControlRequestError) {
      let request = try ControlRequest(parsing: body)
      if request.fields["command"] != .string(request.command) {
        return "the command is not among the fields"
      }
      for operation in Operation.all { _ = operation.refusal(of: request.fields) }
      let again = try? ControlRequest(parsing: request.body())
      if again?.command != request.command || again?.id != request.id
        || again?.fields.count != request.fields.count
      {
        return "it reads back as another request"
      }
      return nil
    } catch {
      return isOneLine(error.reason) ? nil : "the reason is not one line"
    }
  }

  /// A reply never traps, and is written so that it reads back.
  static func reply(_ body: [UInt8]) -> String? {
    do throws(ControlReplyError) {
      let reply = try ControlReply(parsing: body)
      let again = try? ControlReply(parsing: reply.body(), limits: .generous)
      return again?.fields.count == reply.fields.count ? nil : "it reads back as another reply"
    } catch {
      return isOneLine(error.message) ? nil : "the message is not one line"
    }
  }

  /// A message of a server never traps, nor does what reads the reports in it; each is written so that it
  /// reads back.
  static func message(_ body: [UInt8]) -> String? {
    do throws(ControlReplyError) {
      switch try ServerMessage(parsing: body) {
      case .output(let frame):
        if body.first != frame.stream.rawValue || !body.ends(with: frame.bytes) { return "its bytes are others" }
        if frame.request < 0 { return "its id is negative" }
        return OutputFrame(body: frame.body()) == frame ? nil : "it reads back as another output frame"
      case .event(let event):
        let again = try? ServerMessage(parsing: event.body(), limits: .generous)
        return again == .event(event) ? report(event.fields) : "it reads back as another event"
      case .reply(let reply):
        let again = try? ServerMessage(parsing: reply.body(), limits: .generous)
        guard case .reply(let other) = again, other.fields.count == reply.fields.count else {
          return "it reads back as no reply, or as another"
        }
        return report(reply.fields)
      }
    } catch {
      return isOneLine(error.message) ? nil : "the message is not one line"
    }
  }

  /// Any object read as any report, and those inside it one level down: what a report writes, it reads.
  private static func report(_ fields: JSON.Object) -> String? {
    let nested = fields.flatMap { _, value in
      value.objectValue.map { [$0] } ?? (value.arrayValue ?? []).compactMap(\.objectValue)
    }
    for fields in [fields] + nested {
      let readsBack =
        EvaluationReport(fields: fields).map { EvaluationReport(fields: $0.fields()) == $0 } ?? true
        && ExceptionReport(fields: fields).map { ExceptionReport(fields: $0.fields()) == $0 } ?? true
        && SourcePlace(fields: fields).map { SourcePlace(fields: $0.fields()) == $0 } ?? true
        && SessionReport(fields: fields).map { SessionReport(fields: $0.fields()) == $0 } ?? true
        && JobReport(fields: fields).map { JobReport(fields: $0.fields()) == $0 } ?? true
        && ThreadReport(fields: fields).map { ThreadReport(fields: $0.fields()) == $0 } ?? true
        && Candidate(fields: fields).map { Candidate(fields: $0.fields()) == $0 } ?? true
      if !readsBack { return "a report reads back as another" }
    }
    return nil
  }

  /// An endpoint is described so that it parses to the same, its parts can be no option and no path
  /// where they must not, and a refusal is one printable line.
  static func endpoint(_ bytes: [UInt8]) -> String? {
    do throws(EndpointError) {
      let endpoint = try Endpoint(parsing: String(decoding: bytes, as: UTF8.self))
      let words: [String] =
        switch endpoint {
        case .tcp(let host, _, _): [host]
        case .name(let name): [name]
        case .ssh(let user, let host, _): [user ?? "me", host]
        case .unix, .pid: []
        }
      for word in words where word.isEmpty || word.hasPrefix("-") || word.utf8.contains(UInt8(ascii: "/")) {
        return "'\(word)' is an option or a path"
      }
      return (try? Endpoint(parsing: endpoint.description)) == endpoint
        ? nil : "\(endpoint) does not parse back"
    } catch {
      return isOneLine(error.message) ? nil : "the message is not one line"
    }
  }

  private static func isOneLine(_ text: String) -> Bool {
    !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value < 0x7F }
  }
}

extension [UInt8] {
  fileprivate func ends(with other: [UInt8]) -> Bool { suffix(other.count).elementsEqual(other) }
}

extension JSON.Limits {
  /// For what was within the default once: an escape may be longer than what it stands for.
  fileprivate static let generous = JSON.Limits(
    maximumByteCount: 8 << 20, maximumDepth: 65, maximumElementCount: 1 << 17)
}
