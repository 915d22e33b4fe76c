"""Streams: what a session's code reads from and writes to.

They are ordinary text streams of ``io`` over buffers whose reads and writes are native functions: no frame of ours is
ever on top of the user's code, for a debugger to step into.
"""

from __future__ import annotations

import io
from functools import partial
from typing import Any, Callable

from . import _native

__all__ = ["is_direct", "job_output", "refused_input", "relayed_output", "session_input", "session_output"]

STDOUT = 1
STDERR = 2
#: The value of a script.
VALUE = 3


class _Buffer(io.BufferedIOBase):
    """The binary side of a stream. It is no file of the system, and no terminal.

    What ``input()`` and ``print`` call here must not be Python: an interrupt would be raised in it, and ``input()``
    takes whatever ``flush()`` and ``fileno()`` raise for an answer.
    """

    def __init__(self, name: str, mode: str) -> None:
        super().__init__()
        self.name = name
        self.mode = mode


class _OutputBuffer(_Buffer):
    def __init__(self, owner: str, stream: int, write: Callable[[bytes], int]) -> None:
        super().__init__(f"<{owner} {'stdout' if stream == STDOUT else 'stderr'}>", "wb")
        self.write = write  # type: ignore[assignment]
        self.flush = type(None)  # type: ignore[method-assign]  # nothing is held back here, so this does nothing

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Do nothing: the session outlives whatever code closes its output."""


class _InputBuffer(_Buffer):
    def __init__(self, session: int) -> None:
        super().__init__(f"<session {session} stdin>", "rb")
        self._session = session
        self.read1 = self.readline = partial(_native.readline, session)  # type: ignore[method-assign]

    def readable(self) -> bool:
        return True

    def read(self, size: Any = -1) -> bytes:
        """Read to the end of input. A size is only a hint: lines are not cut."""
        return b"".join(iter(partial(_native.readline, self._session, -1), b""))

    def close(self) -> None:
        """Let every further read see the end of input; the process's own input is not touched."""
        _native.end_input(self._session)


def session_output(session: int, stream: int) -> io.TextIOWrapper:
    """``sys.stdout`` or ``sys.stderr`` of a session: text that goes straight to its client.

    What cannot be said in UTF-8 is escaped, so that no ``print`` fails.
    """
    return _text(_OutputBuffer(f"session {session}", stream, partial(_native.write, session, stream)))


def job_output(job: int, stream: int) -> io.TextIOWrapper:
    """``sys.stdout`` or ``sys.stderr`` of a job: text that is kept with it."""
    return _text(_OutputBuffer(f"job {job}", stream, partial(_native.job_write, job, stream)))


def is_direct(stream: Any) -> bool:
    """Whether a stream is one of those above, rather than what a user has put in its place."""
    return isinstance(getattr(stream, "buffer", None), _OutputBuffer)


def relayed_output(stream: io.TextIOWrapper, write: Callable[[bytes], int]) -> io.TextIOWrapper:
    """As that stream, for a thread that must not wait: what is written is given to ``write``."""
    buffer = _OutputBuffer("task", STDOUT, write)
    buffer.name = stream.name
    return _text(buffer)


class _RefusedInput(io.TextIOBase):
    """The input of a task in a loop of the host: to wait for a line would be to stop that loop."""

    def readable(self) -> bool:
        return True

    def _refuse(self, *_: Any) -> Any:
        raise RuntimeError("nothing can be read in an event loop of the program, which would wait; read it before `await`")

    read = readline = readlines = __next__ = _refuse  # type: ignore[assignment]


def refused_input() -> io.TextIOBase:
    """``sys.stdin`` for a thread that must not wait: reading fails, in one line."""
    return _RefusedInput()


def _text(buffer: _OutputBuffer) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        buffer, encoding="utf-8", errors="backslashreplace", newline="\n", write_through=True  # type: ignore[arg-type]
    )


def session_input(session: int) -> io.TextIOWrapper:
    """``sys.stdin`` of a session: the lines its client sends while something runs."""
    return io.TextIOWrapper(_InputBuffer(session), encoding="utf-8", errors="replace", newline="\n")
