// The control command: a word behind `replctl`, its options, and what it does.

internal import ArgumentParser
internal import Glibc
internal import ReplClient
internal import Shared

/// One command of replctl.
protocol ControlCommand: ParsableCommand {
  /// What it is called on the command line.
  static var word: String { get }

  var common: CommonOptions { get }

  /// Does the command at every server that is meant.
  func perform(_ output: Output, _ surroundings: Surroundings) throws(ClientError) -> Int32

  /// Reads what the command needs beside its server, once.
  ///
  /// - Returns: what is then done at each server; it returns the exit status.
  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork
}

typealias ServerWork = (Visit) throws(ClientError) -> Int32

extension ControlCommand {
  func perform(_ output: Output, _ surroundings: Surroundings) throws(ClientError) -> Int32 {
    let work = try prepare(surroundings)
    let caller = try common.caller(surroundings)
    guard common.each else {
      let destination = try surroundings.resolver.resolve(common.to)
      return try work(Visit(destination, as: caller, output, surroundings, timeout: common.timeout))
    }
    let servers = try surroundings.directory.servers()
    guard !servers.isEmpty else { throw ClientError(.noServer, "no server of this user is running here") }
    var worst = ExitCode.done.rawValue
    for server in servers {
      output.label = server.label
      do throws(ClientError) {
        let status = try work(Visit(server.destination, as: caller, output, surroundings, timeout: common.timeout))
        worst = max(worst, status)
        // Ctrl-C means the whole of it.
        if status >= ExitCode.interrupted.rawValue { break }
      } catch {
        // One that fails keeps nobody from the next.
        output.talk(error)
        worst = max(worst, error.code.rawValue)
      }
    }
    output.label = nil
    return worst
  }

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    throw ClientError(.failed, "'\(Self.word)' is not done at a server")
  }
}

extension ControlCommand {
  /// The configuration of a command that is parsed by itself, without a tree above it.
  static func described(_ abstract: String, usage: String? = nil, discussion: String = "") -> CommandConfiguration {
    CommandConfiguration(commandName: word, abstract: abstract, usage: usage, discussion: discussion)
  }
}
