// Tests of what a process has one of: its descriptor table, its environment. They run one at a time.

import Testing

/// The suites of servers and of the runtime directory. A server changes the descriptor table and reads the
/// environment, which other tests here count and change.
@Suite(.serialized) enum ProcessWideTests {}
