"""The host of a soak: it does work of its own all the time, and says on request how that went.

Each line of its input is answered by one line of JSON: how often its heart has beaten, the longest that a beat was late since
the last line, in seconds, and whether all that it has computed was right.
"""

import json
import sys
import threading
import time

from replserve import server

BEAT = 0.005


class Work:
    """A computation that knows its result, made again and again by a thread of the host."""

    def __init__(self):
        self.beats = 0
        self.latest = 0.0
        self.is_right = True
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._due = time.monotonic() + BEAT
        self._thread = threading.Thread(target=self._go, name="work")
        self._thread.start()

    def _go(self):
        while not self._end.wait(max(0.0, self._due - time.monotonic())):
            right = sum(n * n for n in range(100)) == 328350
            now = time.monotonic()
            with self._lock:
                self.beats += 1
                self.latest = max(self.latest, now - self._due)
                self.is_right = self.is_right and right
                self._due = now + BEAT

    def report(self):
        with self._lock:
            # A beat that is still to come is late already, too.
            row = {"beats": self.beats, "latest": max(self.latest, time.monotonic() - self._due), "right": self.is_right,
                   "streams": sys.stdout is sys.__stdout__ and sys.stderr is sys.__stderr__}
            self.latest = 0.0
        return row

    def end(self):
        self._end.set()
        self._thread.join()


def main():
    namespace = {"__name__": "soaked"}
    started = server.start(namespace, repl_port=0, control_port=0, name="soak")
    work = Work()
    print(json.dumps({"repl_port": started.repl_port, "control_port": started.control_port, "socket": started.socket}),
          flush=True)
    for _ in sys.stdin:
        print(json.dumps(work.report()), flush=True)
    server.stop()
    work.end()


if __name__ == "__main__":
    main()
