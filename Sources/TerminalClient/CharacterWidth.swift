// The character width: how many columns of a terminal a character takes.

internal import CReadline
internal import Glibc

extension Unicode.Scalar {
  /// The columns it takes; nil for a control character, which is shown otherwise.
  var columns: Int? {
    if isASCII { return value >= 0x20 && value != 0x7F ? 1 : nil }
    let width = wcwidth(wchar_t(bitPattern: value))
    return width < 0 ? nil : Int(width)
  }
}

extension String {
  /// The columns that it takes in one line.
  var columns: Int { unicodeScalars.reduce(0) { $0 + ($1.columns ?? 2) } }
}
