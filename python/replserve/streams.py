"""Streams: what a session's code reads from and writes to."""

from __future__ import annotations

import io
from typing import Any, Optional

from . import _native

__all__ = ["SessionInput", "SessionOutput"]

STDOUT = 1
STDERR = 2


class _NoDescriptor:
    """What all streams of a session have in common: they are no files of the system."""

    name: str

    def fileno(self) -> int:
        raise io.UnsupportedOperation(f"{self.name} is not a file of this process; it has no descriptor")

    def isatty(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class _OutputBuffer(_NoDescriptor, io.BufferedIOBase):
    """The binary side of an output."""

    def __init__(self, session: int, stream: int, name: str) -> None:
        super().__init__()
        self._session = session
        self._stream = stream
        self.name = name
        self.mode = "wb"

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        rest = bytes(data)
        count = len(rest)
        # Fewer bytes than given are taken when an interrupt ends the wait for a slow client: it is raised
        # between two turns of this loop. What it was sent to may catch it and print on.
        while rest:
            taken = _native.write(self._session, self._stream, rest)
            rest = rest[taken:]
        return count

    def close(self) -> None:
        """Do nothing: the session outlives whatever code closes its output."""


class SessionOutput(_NoDescriptor, io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` of a session: text that goes straight to its client."""

    encoding = "utf-8"
    errors = "backslashreplace"
    newlines = None
    line_buffering = True
    write_through = True

    def __init__(self, session: int, stream: int) -> None:
        super().__init__()
        self.name = f"<session {session} {'stdout' if stream == STDOUT else 'stderr'}>"
        self.mode = "w"
        self._buffer = _OutputBuffer(session, stream, self.name)

    @property
    def buffer(self) -> io.BufferedIOBase:
        return self._buffer

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._buffer.write(text.encode("utf-8", "backslashreplace"))
        return len(text)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def reconfigure(self, **_options: Any) -> None:
        """Do nothing: the client reads UTF-8, line by line or not."""

    def close(self) -> None:
        """Do nothing: the session outlives whatever code closes its output."""


class _InputBuffer(_NoDescriptor, io.BufferedIOBase):
    """The binary side of an input."""

    def __init__(self, session: int, name: str) -> None:
        super().__init__()
        self._session = session
        self._rest = b""
        self._at_end = False
        self.name = name
        self.mode = "rb"

    def readable(self) -> bool:
        return True

    def _fill(self) -> bool:
        while not self._rest and not self._at_end:
            line = _native.readline(self._session)
            if line is None:
                continue  # an interrupt, which is raised here
            self._rest = line
            self._at_end = not line
        return bool(self._rest)

    def _take(self, count: int) -> bytes:
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def readline(self, size: Optional[int] = -1) -> bytes:
        """Read a line, whole unless ``size`` is less. An end of input ends this line only, as in a terminal."""
        if not self._fill():
            self._at_end = False
            return b""
        return self._take(len(self._rest) if size is None or size < 0 else size)

    def read(self, size: Optional[int] = -1) -> bytes:
        pieces = []
        missing = -1 if size is None else size
        while missing != 0 and self._fill():
            piece = self._take(len(self._rest) if missing < 0 else missing)
            missing -= len(piece) if missing > 0 else 0
            pieces.append(piece)
        self._at_end = False
        return b"".join(pieces)

    def read1(self, size: int = -1) -> bytes:
        return self.readline(size)

    def close(self) -> None:
        """Let every further read see the end of input; the process's own input is not touched."""
        _native.end_input(self._session)


class SessionInput(_NoDescriptor, io.TextIOBase):
    """``sys.stdin`` of a session: the lines its client sends while something runs."""

    encoding = "utf-8"
    errors = "replace"
    newlines = None

    def __init__(self, session: int) -> None:
        super().__init__()
        self.name = f"<session {session} stdin>"
        self.mode = "r"
        self._buffer = _InputBuffer(session, self.name)
        self._rest = ""

    @property
    def buffer(self) -> io.BufferedIOBase:
        return self._buffer

    def readable(self) -> bool:
        return True

    def readline(self, size: Optional[int] = -1) -> str:  # type: ignore[override]
        line = self._rest or self._buffer.readline().decode("utf-8", "replace")
        count = len(line) if size is None or size < 0 else size
        self._rest = line[count:]
        return line[:count]

    def read(self, size: Optional[int] = -1) -> str:
        pieces = []
        missing = -1 if size is None else size
        while missing != 0:
            piece = self.readline(missing)
            if not piece:
                break
            missing -= len(piece) if missing > 0 else 0
            pieces.append(piece)
        return "".join(pieces)

    def close(self) -> None:
        self._buffer.close()
