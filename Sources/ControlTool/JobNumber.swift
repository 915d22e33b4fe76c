// The job number: `%3`, or 3.

internal import ArgumentParser
internal import Shared

struct JobNumber: ExpressibleByArgument, Equatable, Sendable {
  let number: Int

  init(_ number: Int) { self.number = number }

  init?(argument: String) {
    let digits = argument.hasPrefix("%") ? argument.dropFirst() : argument[...]
    guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(digits) else { return nil }
    self.number = number
  }

  var text: String { "%\(number)" }

  var json: JSON { .integer(number) }
}
