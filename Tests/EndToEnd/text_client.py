"""A client of the text door: a plain socket, as netcat is, that knows the prompts."""

import re
import select
import socket
import struct

from deadline import PATIENCE, Deadline

PS1 = b">>>> "
PS2 = b".... "


class TextClient:
    """One session. Reads only when asked to, and never guesses how long something takes."""

    def __init__(self, port, greet=True, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self.greeting = self.prompt() if greet else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def session(self):
        """The session's number, from the first line."""
        return int(re.match(r"REPL session (\d+) connected\.\n", self.greeting).group(1))

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def _more(self, deadline):
        """Reads something into the buffer. False: the server closed the connection."""
        readable, _, _ = select.select([self.socket], [], [], deadline.left)
        assert readable, "nothing came within %g s; there was %r" % (PATIENCE, bytes(self._buffer[-2000:]))
        piece = self.socket.recv(1 << 16)
        self._buffer += piece
        return bool(piece)

    def _take(self, length):
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken

    def expect(self, *wanted):
        """Reads up to the end of the first of `wanted` that comes; returns it and what was before."""
        wanted = [item.encode() if isinstance(item, str) else item for item in wanted]
        deadline = Deadline()
        while True:
            hits = [(self._buffer.find(item), item) for item in wanted if item in self._buffer]
            if hits:
                at, item = min(hits)
                return self._take(at + len(item))
            assert self._more(deadline), \
                "the server closed; expected %r, there was %r" % (wanted, bytes(self._buffer[-2000:]))

    def prompt(self):
        """What comes before the next primary prompt."""
        text = self.expect(PS1, PS2)
        assert text.endswith(PS1), "wants more input: %r" % text
        return text[:-len(PS1)].decode()

    def run(self, line):
        """Sends one complete line; returns what it printed."""
        self.send(line + "\n")
        return self.prompt()

    def block(self, text):
        """Sends a compound statement line by line as a person would; returns what it printed."""
        for line in text.rstrip("\n").split("\n"):
            self.send(line + "\n")
            before = self.expect(PS1, PS2)
            assert before == PS2, "no continuation prompt after %r: %r" % (line, before)
        return self.run("")

    def receive_exactly(self, length):
        deadline = Deadline()
        while len(self._buffer) < length:
            assert self._more(deadline), "the server closed after %d of %d bytes" % (len(self._buffer), length)
        return self._take(length)

    def end_input(self):
        self.socket.shutdown(socket.SHUT_WR)

    def rest(self):
        """Everything up to the server's end of the connection."""
        deadline = Deadline()
        while self._more(deadline):
            pass
        return self._take(len(self._buffer))

    def rest_or_reset(self):
        """Like `rest`, where a server that hangs up on unread input is as good."""
        try:
            return self.rest()
        except (ConnectionResetError, BrokenPipeError):
            return self._take(len(self._buffer))

    def reset(self):
        """Vanishes with a RST instead of a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


def said_farewell(data):
    """Whether the last words of a session are none, or the ancestor's `Bye.`"""
    return data.strip() in (b"", b"Bye.")
