"""How long a test waits before it calls something hung, and the one place that polls."""

import time

# Not a measurement: far more than anything here takes, so that a busy machine fails no test.
PATIENCE = 30.0


class Deadline:
    """A point in time after which waiting has become a failure."""

    def __init__(self, seconds=PATIENCE):
        self._end = time.monotonic() + seconds

    @property
    def left(self):
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self):
        return time.monotonic() >= self._end


def eventually(probe, what, seconds=PATIENCE):
    """Calls `probe` until it returns something true, and returns that.

    Only for what gives no event to wait for: thread counts, descriptors, memory, kernel tables.
    """
    deadline = Deadline(seconds)
    while True:
        outcome = probe()
        if outcome:
            return outcome
        if deadline.passed:
            raise AssertionError("never happened within %g s: %s (last: %r)" % (seconds, what, outcome))
        time.sleep(0.02)
