// The failure code: why a request failed, for programs.

/// The `code` of a failed reply. A reply may have none, and later versions may know more.
enum FailureCode: String {
  case noSession = "no-session"
  case noJob = "no-job"
  case busy
  case notPermitted = "not-permitted"
  case timeout
  case reasonRequired = "reason-required"
}
