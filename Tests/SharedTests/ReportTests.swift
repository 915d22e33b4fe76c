// Every report reads back as it was written, without what it may lack, and whatever a peer sends instead.

import Shared
import Testing

/// A report with the type taken away: from the members of an object to those that the report writes again.
struct ReportForm: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// The members without which there is no report.
  let required: Set<String>
  let reread: @Sendable (JSON.Object) -> JSON.Object?

  static let evaluation = ReportForm(testDescription: "evaluation", required: ["outcome"]) {
    EvaluationReport(fields: $0)?.fields()
  }
  static let exception = ReportForm(testDescription: "exception", required: ["type"]) {
    ExceptionReport(fields: $0)?.fields()
  }
  static let place = ReportForm(testDescription: "place", required: ["file"]) { SourcePlace(fields: $0)?.fields() }
  static let session = ReportForm(testDescription: "session", required: ["session"]) {
    SessionReport(fields: $0)?.fields()
  }
  static let job = ReportForm(testDescription: "job", required: ["job", "state"]) { JobReport(fields: $0)?.fields() }
  static let thread = ReportForm(testDescription: "thread", required: ["thread"]) {
    ThreadReport(fields: $0)?.fields()
  }
  static let candidate = ReportForm(testDescription: "candidate", required: ["text"]) {
    Candidate(fields: $0)?.fields()
  }
}

@Suite struct ReportTests {
  /// As a peer gets it: written, and parsed again.
  private static func overTheWire(_ fields: JSON.Object) -> JSON.Object {
    (try? JSON(parsing: JSON.object(fields).serialized()))?.objectValue ?? [:]
  }

  private static let place = SourcePlace(file: "<session 1:3>", line: 2, function: "f\"", text: "raise \u{1F}é")
  private static let exception = ExceptionReport(
    type: "ValueError", message: "no \"x\"", traceback: "Traceback\n\u{0}\n",
    frames: [place, SourcePlace(file: "", line: 0, function: "")])

  static let evaluations =
    EvaluationReport.Outcome.allCases.map {
      EvaluationReport($0, duration: 0.25)
    } + [
      EvaluationReport(.value, duration: 2, type: "int"),
      EvaluationReport(.exception, duration: 1e-9, type: nil, exception: exception),
      EvaluationReport(.interrupted, duration: 1e9, type: "", exception: exception),
    ]

  @Test(arguments: evaluations)
  func anEvaluationReadsBack(report: EvaluationReport) {
    #expect(EvaluationReport(fields: Self.overTheWire(report.fields())) == report)
  }

  static let sessions = [
    SessionReport(
      session: 1, kind: "text", running: nil, evaluation: 0, age: 0, since: 0, peer: "127.0.0.1:50312"),
    SessionReport(
      session: .max, kind: "tool", running: "while True:\n  pass", evaluation: .max, age: 12.5, since: 1e-3,
      peer: "uid 1000 pid 4711 (replctl)"),
    SessionReport(session: 2, kind: "", running: "", evaluation: 1, age: 1, since: 1, peer: ""),
  ]

  @Test(arguments: sessions)
  func aSessionReadsBack(report: SessionReport) {
    let fields = Self.overTheWire(report.fields())
    #expect(SessionReport(fields: fields) == report)
    #expect(fields["state"] == (report.running == nil ? "idle" : "evaluating"))
  }

  static let jobs = JobReport.State.allCases.flatMap { state in
    [nil, 0, 0.5].map { cpu in
      JobReport(
        job: 3, state: state, age: 7, duration: 6.5, cpu: cpu, source: "f(\"a\")\n", owner: "session 3",
        output: 1 << 20, dropped: .max)
    }
  }

  @Test(arguments: jobs)
  func aJobReadsBack(report: JobReport) {
    #expect(JobReport(fields: Self.overTheWire(report.fields())) == report)
  }

  static let threads = [
    ThreadReport(
      thread: 4711, name: "MainThread", role: nil, state: "S", cpu: 0.5, load: 0, frames: [place, place]),
    ThreadReport(thread: 1, name: "", role: "job %2", state: "R", cpu: 0, load: 1, frames: []),
    ThreadReport(thread: 2, name: "nio", role: "server", state: "D", cpu: 1e6, load: 0.01, frames: nil),
  ]

  /// No frames and unknown frames are not the same.
  @Test(arguments: threads)
  func aThreadReadsBack(report: ThreadReport) {
    #expect(ThreadReport(fields: Self.overTheWire(report.fields())) == report)
  }

  @Test func aCandidateReadsBack() {
    for candidate in [
      Candidate("print(", kind: "function", doc: "Prints."), Candidate("", kind: ""), Candidate("k\"", kind: "key"),
    ] {
      #expect(Candidate(fields: Self.overTheWire(candidate.fields())) == candidate)
    }
  }

  @Test func whatIsNotKnownIsLeftOutOrNull() {
    #expect(EvaluationReport(.value).fields() == ["outcome": "value", "duration": 0.0])
    #expect(Candidate("a", kind: "key").fields() == ["text": "a", "kind": "key"])
    #expect(SourcePlace(file: "a", line: 1, function: "b").fields() == ["file": "a", "line": 1, "function": "b"])
    #expect(Self.sessions[0].fields()["source"] == .null)
    #expect(Self.threads[0].fields()["role"] == .null)
    #expect(Self.threads[2].fields()["frames"] == .null)
    #expect(Self.jobs[0].fields()["cpu"] == .null)
  }

  /// A number that is none is written as null, and read as one that is not known.
  @Test func aNumberThatIsNoneIsNoReasonToFail() {
    let evaluation = EvaluationReport(.value, duration: .nan)
    #expect(EvaluationReport(fields: Self.overTheWire(evaluation.fields()))?.duration == 0)
    var job = Self.jobs[1]
    job.cpu = .infinity
    #expect(JobReport(fields: Self.overTheWire(job.fields())).map(\.cpu) == .some(nil))
  }

  static let forms: [(form: ReportForm, fields: JSON.Object)] = [
    (.evaluation, EvaluationReport(.exception, type: "int", exception: exception).fields()),
    (.exception, exception.fields()), (.place, place.fields()), (.session, sessions[1].fields()),
    (.job, jobs[1].fields()), (.thread, threads[0].fields()),
    (.candidate, Candidate("a", kind: "key", doc: "A.").fields()),
  ]

  @Test(arguments: forms)
  func onlyTheRequiredMembersAreMissed(form: ReportForm, fields: JSON.Object) {
    #expect(form.reread(fields) == fields)
    #expect(form.reread([:]) == nil)
    for name in fields.keys {
      var rest = fields
      rest[name] = nil
      #expect((form.reread(rest) == nil) == form.required.contains(name), "without \(name)")
    }
    var least = fields
    for name in fields.keys where !form.required.contains(name) { least[name] = nil }
    let reread = form.reread(least)
    #expect(reread != nil)
    // What it then is, it stays.
    #expect(reread.map(form.reread) == .some(reread))
  }

  @Test(arguments: forms)
  func unknownMembersAreIgnored(form: ReportForm, fields: JSON.Object) {
    var more = fields
    more["a member of a later version"] = ["x": [1, nil]]
    #expect(form.reread(more) == fields)
  }

  /// Each member as each kind of value, at every depth: a report or none, and never a trap.
  @Test(arguments: forms)
  func wrongTypesNeverTrap(form: ReportForm, fields: JSON.Object) {
    let values: [JSON] = [
      nil, true, 0, -1, .integer(.max), .integer(.min), 0.5, 1e300, "", "x", [], [nil, 1, "x", [], [:]], [:],
      ["file": 1], ["file": "a", "line": "b"], [["file": "a", "line": -1, "text": 7]],
      ["type": "E", "frames": [[:], ["file": "a"], nil]],
    ]
    for name in fields.keys {
      for value in values {
        var wrong = fields
        wrong[name] = value
        guard let reread = form.reread(wrong) else {
          #expect(form.required.contains(name), "\(name) = \(value)")
          continue
        }
        #expect(form.reread(reread) == reread, "\(name) = \(value)")
      }
    }
  }

  @Test func anOutcomeAndAStateAreOneOfTheirs() {
    #expect(EvaluationReport(fields: ["outcome": "Value"]) == nil)
    #expect(EvaluationReport(fields: ["outcome": nil]) == nil)
    #expect(JobReport(fields: ["job": 1, "state": "paused"]) == nil)
    #expect(
      EvaluationReport.Outcome.allCases.map(\.rawValue)
        == ["value", "exception", "incomplete", "interrupted", "ended", "abandoned", "backgrounded"])
    #expect(JobReport.State.allCases.map(\.rawValue) == ["running", "done", "failed", "interrupted", "abandoned"])
  }
}
