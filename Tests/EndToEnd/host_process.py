"""A process under test: a host that serves a REPL, with its streams collected as they come."""

import json
import os
import re
import signal
import subprocess
import threading

from deadline import PATIENCE, Deadline

# How a process may end that was told to by SIGTERM: by its own exit, or by the signal.
TERMINATED = {0, -signal.SIGTERM, 128 + signal.SIGTERM}

# What no host may ever write to its stderr on our account.
TROUBLE = re.compile(r"Traceback \(most|Fatal Python error|Exception ignored|Fatal error|"
                     r"Segmentation|ResourceWarning|Current thread|deallocat|unraisable", re.I)


class Collected:
    """What a process writes to one of its pipes. A thread reads it, so the process never blocks."""

    def __init__(self, pipe):
        self._pipe = pipe
        self._data = bytearray()
        self._read = 0
        self._ended = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self):
        while True:
            try:
                piece = os.read(self._pipe.fileno(), 65536)
            except (OSError, ValueError):
                piece = b""
            with self._news:
                self._data += piece
                self._ended = not piece
                self._news.notify_all()
            if not piece:
                return

    @property
    def text(self):
        with self._news:
            return self._data.decode("utf-8", "backslashreplace")

    def _wait(self, probe, what):
        deadline = Deadline()
        with self._news:
            while True:
                outcome = probe()
                if outcome is not None:
                    return outcome
                assert not self._ended, "%s: the stream ended; it held %r" % (what, bytes(self._data))
                assert self._news.wait(deadline.left) or not deadline.passed, \
                    "%s: not within %g s; the stream holds %r" % (what, PATIENCE, bytes(self._data[-4000:]))

    def line(self):
        """The next line that was not read yet, without its end."""
        def probe():
            end = self._data.find(b"\n", self._read)
            if end < 0:
                return None
            line = bytes(self._data[self._read:end])
            self._read = end + 1
            return line.decode("utf-8", "backslashreplace")
        return self._wait(probe, "a line")

    def wait_for(self, wanted):
        """Waits until `wanted` appears after what was read so far; reads up to its end."""
        wanted = wanted.encode() if isinstance(wanted, str) else wanted

        def probe():
            at = self._data.find(wanted, self._read)
            if at < 0:
                return None
            before = bytes(self._data[self._read:at])
            self._read = at + len(wanted)
            return before.decode("utf-8", "backslashreplace")
        return self._wait(probe, repr(wanted))

    def wait_end(self):
        """Waits until nobody can write to the pipe any more; returns all that was written."""
        self._thread.join(PATIENCE / 2)
        assert not self._thread.is_alive(), "some process still holds the pipe: %r" % self.text[-2000:]
        return self.text

    def close(self):
        self._pipe.close()


class HostProcess:
    """A started process. `close` ends it, by its id, and fails if it did not end well."""

    ends_by = "end of input"

    def __init__(self, argv, env, cwd=None, stdin=subprocess.PIPE, **options):
        self.argv = [str(part) for part in argv]
        # A group of its own, so that children which it lost can be ended with it.
        self.process = subprocess.Popen(self.argv, env=env, cwd=cwd, stdin=stdin, start_new_session=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.stdout = Collected(self.process.stdout)
        self.stderr = Collected(self.process.stderr)
        self.expected_statuses = {0}
        self.trouble_expected = False

    @property
    def pid(self):
        return self.process.pid

    @property
    def running(self):
        return self.process.poll() is None

    def tell(self, line):
        """One line to its standard input."""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, line):
        """One line to its standard input, and the next line of its output."""
        self.tell(line)
        return self.stdout.line()

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """Waits until it ended by itself; returns its exit status (negative: a signal)."""
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError("process %s did not end; stderr: %s" % (self.argv, self.stderr.text[-4000:]))
        self.expected_statuses = {status}
        return status

    def ask_to_end(self):
        if self.process.stdin is not None:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass

    def close(self):
        status = None
        try:
            if self.running:
                self.ask_to_end()
            try:
                status = self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                raise AssertionError("process %s did not end on %s; stderr: %s"
                                     % (self.argv, self.ends_by, self.stderr.text[-4000:]))
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            try:
                errors = self.stderr.wait_end()
                self.stdout.wait_end()
            finally:
                try:
                    os.killpg(self.pid, signal.SIGKILL)
                except ProcessLookupError:  # as it should be: nobody is left
                    pass
            for stream in (self.process.stdin, self.stdout, self.stderr):
                if stream is not None:
                    try:
                        stream.close()
                    except BrokenPipeError:
                        pass
        assert status in self.expected_statuses, \
            "exit status %r, expected one of %r; stderr: %s" % (status, self.expected_statuses, errors)
        if not self.trouble_expected:
            assert not TROUBLE.search(errors), "the host wrote to its stderr:\n" + errors


class ServerProcess(HostProcess):
    """`replserve`, announced: its ports are known and it accepts connections."""

    ends_by = "SIGTERM"

    def __init__(self, replserve, arguments, env, cwd=None, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        super().__init__([replserve, "--announce", "--port", "0", "--control-port", "0", *arguments],
                         env, cwd, **options)
        try:
            self.announced = json.loads(self.stdout.line())
            self.port = self.announced["repl_port"]
            self.control_port = self.announced["control_port"]
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.expected_statuses = TERMINATED

    def ask_to_end(self):
        self.signal(signal.SIGTERM)
        super().ask_to_end()
