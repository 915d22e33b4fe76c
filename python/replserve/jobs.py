"""Jobs: thunks that run in a thread of their own, and outlive the session that started them."""

from __future__ import annotations

import io
import os
import threading
from collections import deque
from typing import Any, Callable, Optional, Union

from . import _native, routing
from .console import Console, forget_unhandled_interrupt
from .forks import end_forked_child
from .interruption import as_interrupt
from .reports import format_exception, trim
from .streams import STDERR, STDOUT, job_output

__all__ = ["Job", "JobRecord", "SourceJob", "adopt", "bg", "fg", "find", "jobs", "launch", "settle"]

#: How many finished jobs are kept for those who did not keep theirs.
MAXIMUM_FINISHED = 64

_lock = threading.Lock()
_running: dict[int, JobRecord] = {}
_finished: deque[JobRecord] = deque(maxlen=MAXIMUM_FINISHED)


class JobRecord:
    """What is kept of a job: its number, its state and its result. What it prints is kept by the native side."""

    name: str

    def __init__(self, number: int) -> None:
        self.number = number
        self._state = "running"
        self._value: Any = None

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

    def finish(self, state: str, value: Any) -> None:
        """The job is over."""
        with _lock:
            self._state, self._value = state, value
            _running.pop(self.number, None)
            _finished.append(self)

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


class MovedJob(JobRecord):
    """A job that began as an evaluation of a session, and has that one's thread."""

    def __init__(self, number: int, source: str) -> None:
        super().__init__(number)
        self.name = source.strip().split("\n", 1)[0][:64]


class Job(JobRecord, threading.Thread):
    """A thread that runs a thunk, and keeps what becomes of it."""

    def __init__(self, thunk: Optional[Callable[[], Any]], name: str, number: Optional[int] = None) -> None:
        threading.Thread.__init__(self, name=name, daemon=True)
        JobRecord.__init__(self, _native.job_add(name, _owner()) if number is None else number)
        self._thunk = thunk
        self._stderr: Any = None

    def run(self) -> None:
        self._stderr = job_output(self.number, STDERR)
        route = routing.Route(io.StringIO(), job_output(self.number, STDOUT), self._stderr, self)
        route.displayhook = self._display
        routing.enter(route)
        process = os.getpid()
        state, value = "failed", None
        try:
            self._prepare()
            # Between the beginning and the end of this call, and nowhere else, an interrupt can reach the job.
            state = _native.job_run(self.number, threading.get_ident(), self._body)
            value = self._value
        except KeyboardInterrupt as error:
            state, value = "interrupted", error
        except BaseException as error:
            value = error
            self._tell(error)
        finally:
            self._thunk = self._stderr = None
            if os.getpid() != process:
                end_forked_child(0 if state == "done" else 1)
            if state == "interrupted":
                forget_unhandled_interrupt()
            self.finish(state, value)
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
        except BaseException as failure:
            error = as_interrupt(failure) or failure
            self._value = error
            self._tell(error)
            return "interrupted" if type(error) is KeyboardInterrupt else "failed"

    def _tell(self, error: BaseException) -> None:
        """Put an exception among the output, from the frames that are not ours."""
        text, _ = format_exception(type(error), error, trim(error.__traceback__))
        self._stderr.write(text)

    def _close(self) -> None:
        """Let go of what the thunk needed."""

    def _display(self, value: object) -> None:
        if value is not None:
            print(repr(value))


class SourceJob(Job):
    """A job that runs source in a console of its own; its result is the value of the last expression."""

    def __init__(
        self, source: str, number: int, open_console: Callable[[str], Console], loop: Optional[int]
    ) -> None:
        super().__init__(None, f"job-{number}", number)
        self._source = source
        self._loop = loop
        self._open_console: Optional[Callable[[str], Console]] = open_console
        self._console: Optional[Console] = None

    def _prepare(self) -> None:
        assert self._open_console is not None
        label = f"job {self.number}"
        console = self._console = self._open_console(label)
        console.begin(0, self.number, self._loop)
        self._open_console = None
        self._thunk = lambda: console.run_script(self._source, f"<{label}>")

    def _close(self) -> None:
        if self._console is not None:
            self._console.close_loop()
            self._console.close()
            self._console = None


def _owner() -> str:
    """Who starts a job in the calling thread."""
    route = routing.route_of_this_thread()
    owner = getattr(route, "owner", None)
    if isinstance(owner, Console):
        return owner.label
    return f"job %{owner.number}" if isinstance(owner, Job) else "the program"


def adopt(number: int, source: str) -> None:
    """An evaluation has become a job. It is known to `fg` from now on, unless it is over already."""
    with _lock:
        if number not in _running and all(each.number != number for each in _finished):
            _running[number] = MovedJob(number, source)


def settle(number: int, source: str, state: str, value: Any) -> None:
    """The evaluation that has become a job is over."""
    with _lock:
        job = _running.get(number)
    (MovedJob(number, source) if job is None else job).finish(state, value)


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


def find(number: int) -> Optional[JobRecord]:
    """The job of that number, if it runs or is one of the last that have ended."""
    return next((each for each in jobs() if each.number == number), None)


def fg(job: Union[JobRecord, int]) -> Any:
    """Get the result of a background job, given as what ``bg`` returned or by its number.

    While it still runs, return the job itself. Once it is over, return its value or raise what it raised; a second
    time that is a ``ValueError``, because the result is not kept once it has been given away.
    """
    if isinstance(job, int) and not isinstance(job, bool):
        found = find(job)
        if found is None:
            raise ValueError(f"there is no job %{job}")
        job = found
    if not isinstance(job, JobRecord):
        raise TypeError(f"fg() takes what bg() returned, or its number, not {type(job).__name__}")
    return job.fetch()


def jobs() -> list[JobRecord]:
    """The jobs that run, and the last ones that have ended, in the order they were started."""
    with _lock:
        return sorted([*_finished, *_running.values()], key=lambda job: job.number)
