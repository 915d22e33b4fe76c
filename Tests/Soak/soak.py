"""Runs everything that may happen to a server at random against one host, and checks after each step that nothing has.

Usage: soak.py [--seed NUMBER] [--minutes NUMBER] [--python PROGRAM]. What is done depends on the seed alone. The last line
says what came of it; the exit status is 1 when a check failed, and the line names the step and the seed then. It needs the
python of .venv-test/runner, and the staged product: `make soak` sees to both.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "EndToEnd")]

from deadline import Deadline, eventually  # noqa: E402
from host_process import HostProcess  # noqa: E402
from interpreters import interpreters  # noqa: E402
from peers import PYTHON_PACKAGE, environment_python  # noqa: E402
from process_facts import descriptors, resident_mib, threads  # noqa: E402
from steps import STEPS, generator  # noqa: E402

#: Seconds that the host's own work may be late, on a busy machine.
LATENESS = 5.0
#: Threads that a server may keep for the next session, and descriptors of what is just being closed.
SPARE_THREADS = 3
SPARE_DESCRIPTORS = 2
#: MiB that the host may have grown since every step was done once: what Python and the C library keep.
GROWTH = 96


class Server:
    """The host under test, and what the steps need to know of it."""

    def __init__(self, python, folder):
        (folder / "run").mkdir(mode=0o700)
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder / "run"),
                            "LANG": "C.UTF-8", "PYTHONPATH": str(PYTHON_PACKAGE), "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = HostProcess([python, "-W", "ignore:This process:DeprecationWarning", HERE / "host.py"],
                                   self.environment, cwd=str(folder))
        try:
            started = json.loads(self.process.stdout.line())
            self.port, self.control_port, self.socket = started["repl_port"], started["control_port"], started["socket"]
        except BaseException:
            self.process.process.kill()
            self.process.process.wait()
            raise
        self.pid = self.process.pid
        self.beats = -1
        self.latest = 0.0
        self.known = None

    def check(self):
        """The host works, and has no more than it had."""
        eventually(self._beats, "its own work goes on")
        if self.known is None:
            return
        count, opened, memory = self.known
        eventually(lambda: threads(self.pid) <= count + SPARE_THREADS, "the threads end: %d, now more" % count)
        eventually(lambda: len(descriptors(self.pid)) <= opened + SPARE_DESCRIPTORS, "the descriptors close")
        eventually(lambda: resident_mib(self.pid) <= memory + GROWTH, "memory comes back: it was %d MiB" % memory)

    def _beats(self):
        """Whether the work of the host has gone on since the last look; it must be right and not late at any time."""
        report = json.loads(self.process.ask("report"))
        assert report["right"] and report["streams"], report
        self.latest = max(self.latest, report["latest"])
        assert self.latest < LATENESS, "its own work was late by %.1f s" % self.latest
        before, self.beats = self.beats, report["beats"]
        return report["beats"] > before

    def settle(self):
        """What it has from now on is what it may have."""
        def facts():
            return threads(self.pid), len(descriptors(self.pid))
        last = [None]

        def still():
            before, last[0] = last[0], facts()
            return before == last[0]
        eventually(still, "threads and descriptors come to rest")
        self.known = (*facts(), resident_mib(self.pid))


def soak(server, seed, minutes):
    """Runs it; returns how many steps were done."""
    rng = generator(seed)
    deadline = Deadline(minutes * 60)
    done = 0
    while done < len(STEPS) or not deadline.passed:
        if done == len(STEPS):
            server.settle()
        step = STEPS[done] if done < len(STEPS) else rng.choice(STEPS)
        try:
            step(server, rng)
            server.check()
        except Exception as error:
            raise AssertionError("step %d, %s: %s: %s" % (done, step.__name__, type(error).__name__, error)) \
                from error
        done += 1
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--python", help="the interpreter of the host (default: the newest that scripts/test-peers found)")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="rt-soak-", dir="/tmp"))
    began = time.monotonic()
    try:
        server = Server(arguments.python or environment_python(interpreters()[-1].plain), folder)
        try:
            done = soak(server, arguments.seed, arguments.minutes)
            memory = resident_mib(server.pid)
        finally:
            server.process.close()
    except (AssertionError, KeyError, ValueError) as failure:
        print("soak: FAILED with seed %d: %s: %s" % (arguments.seed, type(failure).__name__, " ".join(str(failure).split())))
        return 1
    finally:
        shutil.rmtree(folder)
    print("soak: %d steps in %.0f s with seed %d: the host's work was late by %.3f s at most; %d threads, %d descriptors, "
          "%d MiB after the first %d, %d MiB in the end"
          % (done, time.monotonic() - began, arguments.seed, server.latest, *(server.known or (0, 0, 0)), len(STEPS), memory))
    return 0


if __name__ == "__main__":
    sys.exit(main())
