// What the Python engine is asked while nothing need be evaluated: completions, documentation, threads; and jobs.
internal import CPython
internal import ReplServer
internal import Shared

extension PythonEngine {
  func start(
    _ job: Job, source: String, loop: Int?, completion: @escaping @Sendable (EngineUnavailable?) -> Void
  ) {
    let isQueued = worker.add { [hooks] gil in
      do throws(PythonError) {
        _ = try hooks.startJob.call([.integer(job.number), .string(source), .integer(loop ?? -1)], gil)
        completion(nil)
      } catch {
        Python.reportUnraisable(error)
        completion(EngineUnavailable("No thread can be started for this job; try again later."))
      }
    }
    if !isQueued { completion(EngineUnavailable("The server is stopping.")) }
  }

  func complete(word text: String, completion: @escaping @Sendable ([String]) -> Void) {
    let isQueued = inquire { [self] gil in completion(words(for: text, gil)) }
    if !isQueued { completion([]) }
  }

  func complete(
    _ source: String, cursor: Int?, withDocs: Bool, completion: @escaping @Sendable (Completions?) -> Void
  ) {
    let isQueued = inquire { [hooks] gil in
      let json = Self.answer(of: hooks.candidates, [.string(source), .integer(cursor ?? -1), .bool(withDocs)], gil)
      completion(PythonAnswer.completions(json ?? .null))
    }
    if !isQueued { completion(nil) }
  }

  func check(_ source: String, completion: @escaping @Sendable (JSON.Object?) -> Void) {
    let isQueued = inquire { [hooks] gil in
      completion(Self.answer(of: hooks.check, [.string(source)], gil)?.objectValue)
    }
    if !isQueued { completion(nil) }
  }

  func document(
    _ name: String, withSource: Bool,
    completion: @escaping @Sendable (Result<JSON.Object, EngineUnavailable>) -> Void
  ) {
    let isQueued = inquire { [hooks] gil in
      let json = Self.answer(of: hooks.document, [.string(name), .bool(withSource)], gil)
      guard let fields = json?.objectValue else {
        return completion(.failure(EngineUnavailable("Nothing can be said of '\(name)'.")))
      }
      if let reason = fields["failure"]?.stringValue { return completion(.failure(EngineUnavailable(reason))) }
      completion(.success(fields))
    }
    if !isQueued { completion(.failure(EngineUnavailable("Too much is asked already.", isTimeout: true))) }
  }

  func threads(completion: @escaping @Sendable ([ThreadStack]) -> Void) {
    let isQueued = worker.add { [hooks] gil in
      completion(PythonAnswer.stacks(Self.answer(of: hooks.threads, [], gil) ?? .null))
    }
    if !isQueued { completion([]) }
  }

  func locate(_ target: EvaluationTarget, completion: @escaping @Sendable (SourcePlace?) -> Void) {
    let isQueued = worker.add { [self] gil in completion(place(of: target, gil)) }
    if !isQueued { completion(nil) }
  }

  private func place(of target: EvaluationTarget, _ gil: borrowing GIL) -> SourcePlace? {
    let (session, number, runner): (SessionID, Int, Runner?) =
      switch target {
      case .session(let id, let number): (id, number, self.session(id)?.runner(of: number))
      case .job(let number): jobs.place(of: number)
      }
    let thread = Int(bitPattern: runner?.thread ?? 0)
    let json = Self.answer(of: hooks.locate, [.integer(session), .integer(number), .integer(thread)], gil)
    var place = json?.objectValue.flatMap(SourcePlace.init)
    if let runner { place?.call = BlockedCall(ofThread: runner.kernelThread)?.name }
    return place
  }

  /// What a hook answers; nil, the interpreter being told of it, when it fails.
  private static func answer(of hook: Callable, _ arguments: [Argument], _ gil: borrowing GIL) -> JSON? {
    do throws(PythonError) {
      let text = try hook.call(arguments, gil)
      return unsafe try PythonAnswer.json(text.pointer, gil)
    } catch {
      Python.reportUnraisable(error)
      return nil
    }
  }

  private func words(for text: String, _ gil: borrowing GIL) -> [String] {
    do throws(PythonError) {
      let list = try hooks.complete.call([.string(text)], gil)
      let count = unsafe PyList_Size(list.pointer)
      var words: [String] = []
      for index in 0..<max(count, 0) {
        let item = unsafe PyList_GetItem(list.pointer, index)
        words.append(try unsafe Python.string(item, gil))
      }
      return words
    } catch {
      Python.reportUnraisable(error)
      return []
    }
  }
}
