// The thread report: one row of the list of threads of the process that is served.

/// What a server says of one thread.
public struct ThreadReport: Equatable, Sendable {
  /// The kernel's number of the thread: gettid(2).
  public var thread: Int
  /// The language's name of it, or else the kernel's.
  public var name: String
  /// Whether it is one of the server's own, and what for: `session 3`, `job %2`, `server`; nil for the host's.
  public var role: String?
  /// The kernel's letter: `R` runs, `S` sleeps, `D` waits for a device; proc(5).
  public var state: String
  /// Seconds of processor time in all, and how much of the last moment it ran, from 0 to 1.
  public var cpu: Double
  public var load: Double
  /// Where it is, the outermost first; nil when that is not known.
  public var frames: [SourcePlace]?

  public init(
    thread: Int, name: String, role: String?, state: String, cpu: Double, load: Double, frames: [SourcePlace]?
  ) {
    self.thread = thread
    self.name = name
    self.role = role
    self.state = state
    self.cpu = cpu
    self.load = load
    self.frames = frames
  }

  public func fields() -> JSON.Object {
    [
      "thread": .integer(thread), "name": .string(name), "role": role.map { .string($0) } ?? .null,
      "state": .string(state), "cpu": .number(cpu), "load": .number(load),
      "frames": frames.map { .array($0.map { .object($0.fields()) }) } ?? .null,
    ]
  }

  public init?(fields: JSON.Object) {
    guard let thread = fields["thread"]?.integerValue else { return nil }
    self.init(
      thread: thread, name: fields["name"]?.stringValue ?? "", role: fields["role"]?.stringValue,
      state: fields["state"]?.stringValue ?? "", cpu: fields["cpu"]?.numberValue ?? 0,
      load: fields["load"]?.numberValue ?? 0,
      frames: fields["frames"]?.arrayValue?.compactMap { $0.objectValue.flatMap(SourcePlace.init) })
  }
}
