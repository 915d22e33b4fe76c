"""Jobs: thunks that run in a thread of their own, and outlive the session that started them."""

from __future__ import annotations

import io
import os
import threading
import traceback
from collections import deque
from itertools import count
from typing import Any, Callable, Optional, Union

from . import routing
from .forks import end_forked_child

__all__ = ["Job", "bg", "fg", "jobs"]

#: How many finished jobs are kept for those who did not keep theirs.
MAXIMUM_FINISHED = 64
#: How many characters of a job's output are kept; the first ones are dropped.
MAXIMUM_OUTPUT = 1 << 20

_counter = count(1)
_lock = threading.Lock()
_running: dict[int, Job] = {}
_finished: deque[Job] = deque(maxlen=MAXIMUM_FINISHED)


class _Output(io.TextIOBase):
    """What a job prints, the newest ``MAXIMUM_OUTPUT`` characters of it."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self) -> None:
        super().__init__()
        self._pieces: deque[str] = deque()
        self._size = 0
        self._lock = threading.Lock()
        self.dropped = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        kept = text[-MAXIMUM_OUTPUT:]
        with self._lock:
            self.dropped += len(text) - len(kept)
            self._pieces.append(kept)
            self._size += len(kept)
            while self._size > MAXIMUM_OUTPUT:
                oldest = self._pieces.popleft()
                rest = oldest[self._size - MAXIMUM_OUTPUT :]
                self._size -= len(oldest) - len(rest)
                self.dropped += len(oldest) - len(rest)
                if rest:
                    self._pieces.appendleft(rest)
            if len(self._pieces) > 4096:
                self._pieces = deque(["".join(self._pieces)])
        return len(text)

    def getvalue(self) -> str:
        with self._lock:
            return "".join(self._pieces)

    def close(self) -> None:
        """Do nothing: the job outlives whatever code closes its output."""


class Job(threading.Thread):
    """A thread that runs a thunk, and keeps what it prints and what becomes of it."""

    def __init__(self, thunk: Callable[[], Any]) -> None:
        super().__init__(name=getattr(thunk, "__name__", type(thunk).__name__), daemon=True)
        self.number = next(_counter)
        self._thunk: Optional[Callable[[], Any]] = thunk
        self._output = _Output()
        self._state = "running"
        self._value: Any = None

    @property
    def output(self) -> str:
        """What the job has printed so far, or the end of it."""
        return self._output.getvalue()

    @property
    def dropped(self) -> int:
        """How many characters of the output are no longer kept."""
        return self._output.dropped

    @property
    def state(self) -> str:
        """``running``, ``done``, ``failed``, or ``fetched`` once ``fg`` has given the result away."""
        return self._state

    def run(self) -> None:
        route = routing.Route(io.StringIO(), self._output, self._output, self)
        route.displayhook = self._display
        routing.enter(route)
        process = os.getpid()
        state = "failed"
        try:
            assert self._thunk is not None
            self._value = self._thunk()
            state = "done"
        except BaseException as error:
            self._value = error
            traceback.print_exc(file=self._output)
        finally:
            self._thunk = None
            if os.getpid() != process:
                end_forked_child(0 if state == "done" else 1)
            with _lock:
                self._state = state
                _running.pop(self.number, None)
                _finished.append(self)
            routing.leave()

    def _display(self, value: object) -> None:
        if value is not None:
            self._output.write(f"{value!r}\n")

    def fetch(self) -> Any:
        """Take the result: return it, raise it, or return the job itself while it runs."""
        with _lock:
            state, value = self._state, self._value
            if state == "running":
                return self
            if state == "fetched":
                raise ValueError(f"the result of {self!r} has been fetched already")
            self._state, self._value = "fetched", None
        if state == "failed":
            raise value
        return value

    def __repr__(self) -> str:
        return f"<Job %{self.number} {self.name!r} {self._state}>"


def bg(thunk: Callable[[], Any]) -> Job:
    """Run ``thunk`` in the background; return its job, which is a thread.

    The job goes on when the session ends. What it prints is kept in ``job.output``. ``fg`` gives its result.
    """
    if not callable(thunk):
        raise TypeError(f"bg() takes something to call without arguments, not {type(thunk).__name__}")
    job = Job(thunk)
    with _lock:
        _running[job.number] = job
    try:
        job.start()
    except BaseException:
        with _lock:
            _running.pop(job.number, None)
        raise
    return job


def fg(job: Union[Job, int]) -> Any:
    """Get the result of a background job, given as what ``bg`` returned or by its number.

    While it still runs, return the job itself. Once it is over, return its value or raise what it raised; a second
    time that is a ``ValueError``, because the result is not kept once it has been given away.
    """
    if isinstance(job, int) and not isinstance(job, bool):
        found = next((each for each in jobs() if each.number == job), None)
        if found is None:
            raise ValueError(f"there is no job %{job}")
        job = found
    if not isinstance(job, Job):
        raise TypeError(f"fg() takes what bg() returned, or its number, not {type(job).__name__}")
    return job.fetch()


def jobs() -> list[Job]:
    """The jobs that run, and the last ones that have ended, in the order they were started."""
    with _lock:
        return sorted([*_finished, *_running.values()], key=lambda job: job.number)
