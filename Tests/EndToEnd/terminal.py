"""A program in a pseudo-terminal, and the screen that a person would see."""

import pexpect
import pyte

from deadline import PATIENCE, Deadline


class Terminal:
    """Types keys into a program and waits for what its screen shows."""

    def __init__(self, argv, env, rows=24, columns=100):
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self._child = pexpect.spawn(str(argv[0]), [str(part) for part in argv[1:]], timeout=PATIENCE,
                                    env=dict(env, TERM="xterm"), dimensions=(rows, columns), echo=True)
        self._child.delaybeforesend = None
        self.ended = False

    def type(self, keys):
        self._child.send(keys)

    @property
    def pid(self):
        return self._child.pid

    def resize(self, rows, columns):
        """As dragging the corner of a window does."""
        self.screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)

    def resize(self, rows, columns):
        """The window has another size."""
        self.screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)

    @property
    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self):
        return "\n".join(self.lines).rstrip("\n")

    @property
    def cursor_line(self):
        """The line with the cursor, up to the cursor."""
        return self.screen.display[self.screen.cursor.y][:self.screen.cursor.x]

    def _more(self, deadline):
        try:
            piece = self._child.read_nonblocking(65536, timeout=deadline.left)
        except pexpect.EOF:
            self.ended = True
            return False
        except pexpect.TIMEOUT:
            raise AssertionError("not within %g s; the screen shows:\n%s" % (PATIENCE, self.text))
        self.raw += piece
        self._stream.feed(piece)
        return True

    def wait(self, probe, what, seconds=PATIENCE):
        """Reads until `probe(self)` holds of the screen."""
        deadline = Deadline(seconds)
        while not probe(self):
            # The end is an event like any other, for whoever waits for it.
            assert self._more(deadline) or probe(self), \
                "%s: the program ended; the screen shows:\n%s" % (what, self.text)

    def wait_for(self, text):
        self.wait(lambda terminal: text in terminal.text, repr(text))

    def wait_lines(self, *lines):
        """Waits until the screen's last lines that are not empty are these."""
        wanted = list(lines)
        self.wait(lambda terminal: [line for line in terminal.lines if line][-len(wanted):] == wanted,
                  "last lines %r" % wanted)

    def wait_raw(self, data):
        """Waits for bytes, wherever the screen has scrolled to."""
        self.wait(lambda terminal: data in terminal.raw, repr(data))

    def wait_end(self):
        """Waits until the program ended; returns its exit status."""
        deadline = Deadline()
        while self._more(deadline):
            pass
        self._child.wait()
        return self._child.exitstatus if self._child.exitstatus is not None else -self._child.signalstatus

    def close(self):
        self._child.close(force=True)
