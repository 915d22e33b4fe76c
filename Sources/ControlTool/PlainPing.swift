// The plain ping: `ping` and the options that it is mostly given, read by hand.

internal import ReplClient
internal import Shared

/// What is asked most often, by scripts that wait: ArgumentParser would take longer than all of the rest.
///
/// It knows only what is right. Whatever it does not know goes to ArgumentParser, which has the words for what is wrong.
struct PlainPing: Equatable {
  private(set) var to: String?
  private(set) var timeout: TimeLimit?
  private(set) var isJSON = false

  /// - Parameter words: the command line without the name of the tool and the command; nil when it says more.
  init?(_ words: [String]) {
    var words = words[...]
    while let word = words.popFirst() {
      switch word {
      case "--json" where !isJSON: isJSON = true
      case "-t" where to == nil, "--to" where to == nil:
        guard let value = words.popFirst(), !value.isEmpty, !value.hasPrefix("-") else { return nil }
        to = value
      case "--timeout" where timeout == nil:
        guard let value = words.popFirst(), let limit = TimeLimit(argument: value) else { return nil }
        timeout = limit
      default: return nil
      }
    }
  }

  func perform(_ surroundings: Surroundings) throws(ClientError) -> Int32 {
    let destination = try surroundings.resolver.resolve(to)
    let caller = Caller(introduction: try surroundings.introduction())
    try Ping.ping(
      Visit(destination, as: caller, Output(surroundings, isJSON: isJSON), surroundings, timeout: timeout?.seconds))
    return ExitCode.done.rawValue
  }
}
