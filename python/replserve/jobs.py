"""Jobs: thunks that run in a thread of their own, and outlive the session that started them."""

from __future__ import annotations

import io
import os
import threading
import traceback
from collections import deque
from typing import Any, Callable, Optional, Union

from . import _native, routing
from .console import Console, forget_unhandled_interrupt
from .forks import end_forked_child
from .streams import STDERR, STDOUT, job_output

__all__ = ["Job", "SourceJob", "bg", "fg", "find", "jobs"]

#: How many finished jobs are kept for those who did not keep theirs.
MAXIMUM_FINISHED = 64

_lock = threading.Lock()
_running: dict[int, Job] = {}
_finished: deque[Job] = deque(maxlen=MAXIMUM_FINISHED)


class Job(threading.Thread):
    """A thread that runs a thunk, and keeps what becomes of it. What it prints is kept by the native side."""

    def __init__(self, thunk: Optional[Callable[[], Any]], name: str, number: Optional[int] = None) -> None:
        super().__init__(name=name, daemon=True)
        self.number = _native.job_add(name, _owner()) if number is None else number
        self._thunk = thunk
        self._state = "running"
        self._value: Any = None
        self._stderr: Any = None

    def __del__(self) -> None:
        # Nobody can ask for its output any more. When the interpreter ends, the module may be gone before this.
        release = getattr(_native, "job_release", None)
        if release is not None:
            release(self.number)

    @property
    def output(self) -> str:
        """What the job has printed so far, or the end of it."""
        return _native.job_output(self.number).decode("utf-8", "replace")

    @property
    def dropped(self) -> int:
        """How many bytes of the output are no longer kept."""
        return _native.job_dropped(self.number)

    @property
    def state(self) -> str:
        """``running``, ``done``, ``failed``, ``interrupted``, or ``fetched`` once ``fg`` has given the result away."""
        return self._state

    def run(self) -> None:
        stderr = self._stderr = job_output(self.number, STDERR)
        route = routing.Route(io.StringIO(), job_output(self.number, STDOUT), stderr, self)
        route.displayhook = self._display
        routing.enter(route)
        process = os.getpid()
        state = "failed"
        try:
            self._prepare()
            # Between the beginning and the end of this call, and nowhere else, an interrupt can reach the job.
            state = _native.job_run(self.number, threading.get_ident(), self._body)
        except KeyboardInterrupt as error:
            state, self._value = "interrupted", error
        except BaseException as error:
            self._value = error
            traceback.print_exc(file=stderr)
        finally:
            self._thunk = self._stderr = None
            if os.getpid() != process:
                end_forked_child(0 if state == "done" else 1)
            if state == "interrupted":
                forget_unhandled_interrupt()
            with _lock:
                self._state = state
                _running.pop(self.number, None)
                _finished.append(self)
            self._close()
            routing.leave()
            _native.job_end(self.number, state)

    def _prepare(self) -> None:
        """Do what must not be interrupted."""

    def _body(self) -> str:
        """Run the thunk; return the state it leaves the job in."""
        assert self._thunk is not None
        try:
            self._value = self._thunk()
            return "done"
        except BaseException as error:
            self._value = error
            traceback.print_exc(file=self._stderr)
            return "interrupted" if type(error) is KeyboardInterrupt else "failed"

    def _close(self) -> None:
        """Let go of what the thunk needed."""

    def _display(self, value: object) -> None:
        if value is not None:
            print(repr(value))

    def fetch(self) -> Any:
        """Take the result: return it, raise it, or return the job itself while it runs."""
        with _lock:
            state, value = self._state, self._value
            if state == "running":
                return self
            if state == "fetched":
                raise ValueError(f"the result of {self!r} has been fetched already")
            self._state, self._value = "fetched", None
        if state != "done":
            raise value
        return value

    def look(self) -> Any:
        """As `fetch` of a job that has ended, but the result stays to be had."""
        with _lock:
            state, value = self._state, self._value
        if state == "fetched":
            raise ValueError(f"the result of {self!r} has been fetched already")
        if state in ("failed", "interrupted"):
            raise value
        return value

    def __repr__(self) -> str:
        return f"<Job %{self.number} {self.name!r} {self._state}>"


class SourceJob(Job):
    """A job that runs source in a console of its own; its result is the value of the last expression."""

    def __init__(self, source: str, number: int, open_console: Callable[[str], Console]) -> None:
        super().__init__(None, f"job-{number}", number)
        self._source = source
        self._open_console: Optional[Callable[[str], Console]] = open_console
        self._console: Optional[Console] = None

    def _prepare(self) -> None:
        assert self._open_console is not None
        label = f"job {self.number}"
        console = self._console = self._open_console(label)
        self._open_console = None
        self._thunk = lambda: console.run_script(self._source, f"<{label}>")

    def _close(self) -> None:
        if self._console is not None:
            self._console.close()
            self._console = None


def _owner() -> str:
    """Who starts a job in the calling thread."""
    route = routing.route_of_this_thread()
    owner = getattr(route, "owner", None)
    if isinstance(owner, Console):
        return owner.label
    return f"job %{owner.number}" if isinstance(owner, Job) else "the program"


def launch(job: Job) -> None:
    """Start a job's thread."""
    with _lock:
        _running[job.number] = job
    try:
        job.start()
    except BaseException:
        with _lock:
            _running.pop(job.number, None)
        raise


def bg(thunk: Callable[[], Any]) -> Job:
    """Run ``thunk`` in the background; return its job, which is a thread.

    The job goes on when the session ends. What it prints is kept in ``job.output``. ``fg`` gives its result.
    """
    if not callable(thunk):
        raise TypeError(f"bg() takes something to call without arguments, not {type(thunk).__name__}")
    job = Job(thunk, getattr(thunk, "__name__", type(thunk).__name__))
    try:
        launch(job)
    except BaseException:
        _native.job_forget(job.number)
        raise
    return job


def find(number: int) -> Optional[Job]:
    """The job of that number, if it runs or is one of the last that have ended."""
    return next((each for each in jobs() if each.number == number), None)


def fg(job: Union[Job, int]) -> Any:
    """Get the result of a background job, given as what ``bg`` returned or by its number.

    While it still runs, return the job itself. Once it is over, return its value or raise what it raised; a second
    time that is a ``ValueError``, because the result is not kept once it has been given away.
    """
    if isinstance(job, int) and not isinstance(job, bool):
        found = find(job)
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
