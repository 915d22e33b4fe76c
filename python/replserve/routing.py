"""Routing: ``sys.stdin``, ``stdout``, ``stderr`` and ``displayhook`` that depend on the thread that uses them.

While a session or one of its jobs lives, some things stand between the four and their users:

- In the dictionary of ``sys``, where C code such as ``print`` looks, there are stand-ins. In a thread that belongs to a
  session or a job a stand-in is that session's or job's own stream; in every other thread it is the host's object.
- In a thread of the host that runs an event loop, it is the stream of the task that runs, while a session awaits that.
- Python code that says ``sys.stdout`` gets the right object itself, by properties of the class of ``sys``: the host sees
  the very object it has always had, and an assignment, such as that of ``contextlib.redirect_stdout``, holds for the
  session that makes it, or for the host.

Without sessions nothing is replaced.
"""

from __future__ import annotations

import io
import sys
import threading
import types
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Callable, Iterator, Optional

from . import _native
from .tee import Teed

__all__ = [
    "Route", "enter", "enter_task", "entry", "forget_after_fork", "is_of_session", "leave", "leave_task", "listen",
    "original", "put_back", "route_of_this_thread", "uninstall",
]  # fmt: skip

_NAMES = ("stdin", "stdout", "stderr", "displayhook")
#: What a session's traceback leaves behind for ``pdb.pm()``; C code never looks there.
_LAST = ("last_type", "last_value", "last_traceback", "last_exc")


class Route:
    """Where a thread reads and writes: the streams of one session or one job."""

    def __init__(self, stdin: Any, stdout: Any, stderr: Any, owner: Any) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.displayhook: Callable[[object], Any] = lambda value: None
        #: The session or job, for whoever asks who runs in this thread.
        self.owner = owner
        #: The number of the session, if it is one's, and the output it began with.
        self.session: Optional[int] = None
        self.own_stdout = stdout
        #: Where values go that are for a program.
        self.values: Any = None
        #: Whether it is for a task in a loop of the host, where nothing may wait.
        self.is_of_task = False

    def show_for(self, results: Any) -> None:
        """Let the display hook write to this route's output, and leave what it shows in ``results``."""
        self.displayhook = self._text_hook = partial(_native.display, results, self)

    @contextmanager
    def showing_values(self) -> Iterator[types.SimpleNamespace]:
        """For a while, what the display hook writes goes to the values; unless the session has a hook of its own.

        Gives what will have the last value as its ``value``.
        """
        shown = types.SimpleNamespace()
        if self.displayhook is not self._text_hook:
            yield shown
            return
        hook = self.displayhook = partial(_native.display, shown, types.SimpleNamespace(stdout=self.values))
        try:
            yield shown
        finally:
            if self.displayhook is hook:
                self.displayhook = self._text_hook


#: Whether somebody listens in to what the host prints.
_is_teed = False
#: In the context of a task that an evaluation awaits, and of those that it makes: the key of its route.
_task: ContextVar[Any] = ContextVar("replserve_task", default=None)
#: By the numbers of threads; and by the keys of tasks, in threads that have `_task` instead of a route.
_routes: dict[Any, Any] = {}
#: How many tasks have a route in a thread.
_task_counts: dict[int, int] = {}
_lock = threading.Lock()


def route_of_this_thread() -> Optional[Route]:
    """The route of the calling thread, or of the task that it runs; None where the host runs code of its own."""
    found = _routes.get(threading.get_ident())
    return _routes.get(_task.get()) if found is _task else found


def is_of_session(thread: int) -> bool:
    """Whether a thread is a session's or a job's now."""
    return isinstance(_routes.get(thread), Route)


class _Nowhere(io.TextIOBase):
    """What C code finds in a host that has no such stream: there, ``sys.stdout`` may be None, and printing is nothing."""

    def write(self, text: str) -> int:
        return len(text)


_stand_ins = {name: _native.stand_in(name, _routes, _task, _Nowhere()) for name in _NAMES}


def original(name: str) -> Any:
    """What the host has as ``sys.<name>``, whether a stand-in is there or not."""
    current = vars(sys).get(name)
    return _native.original(current) if current is _stand_ins[name] else current


def _routed(name: str) -> property:
    """The property that ``sys`` has under a name while there are routes."""
    stand_in = _stand_ins[name]
    return property(
        partial(_native.routed_get, stand_in, name),
        partial(_native.routed_set, stand_in, name),
    )


def _last(name: str) -> property:
    """The property under a name of ``_LAST``: a thread's own where it has a route, else what is in the dictionary."""

    def read(module: types.ModuleType) -> Any:
        names = vars(route_of_this_thread() or module)
        if name not in names:
            raise AttributeError(f"module 'sys' has no attribute {name!r}")
        return names[name]

    def assign(module: types.ModuleType, value: Any) -> None:
        vars(route_of_this_thread() or module)[name] = value

    def delete(module: types.ModuleType) -> None:
        names = vars(route_of_this_thread() or module)
        if name not in names:
            raise AttributeError(name)
        del names[name]

    return property(read, assign, delete)


def _install() -> None:
    names = vars(sys)
    for name, stand_in in _stand_ins.items():
        # The host may have put an object of its own there since, by another way than `sys.<name> =`.
        if names.get(name) is not stand_in:
            _native.set_original(stand_in, names.get(name))
            names[name] = stand_in
    if not _is_routed():
        properties = {**{name: _routed(name) for name in _NAMES}, **{name: _last(name) for name in _LAST}}
        sys.__class__ = type("module", (type(sys),), properties)


def _restore() -> None:
    if _is_routed():
        sys.__class__ = type(sys).__base__  # type: ignore[assignment]
    names = vars(sys)
    for name, stand_in in _stand_ins.items():
        if names.get(name) is stand_in:
            names[name] = _native.original(stand_in)
            _native.set_original(stand_in, None)


def _is_routed() -> bool:
    return isinstance(vars(type(sys)).get("stdout"), property)


def enter(route: Route) -> None:
    """Give the calling thread its route, and put the stand-ins in place."""
    with _lock:
        _routes[threading.get_ident()] = route
        _install()


def leave() -> None:
    """Take the calling thread's route away, and the stand-ins with the last one."""
    with _lock:
        _routes.pop(threading.get_ident(), None)
        _restore_if_unused()


def entry() -> Any:
    """What the calling thread has, for `put_back`."""
    return _routes.get(threading.get_ident())


def put_back(before: Any) -> None:
    """Give the calling thread again what `entry` has returned."""
    with _lock:
        if before is None or before is _task and threading.get_ident() not in _task_counts:
            _routes.pop(threading.get_ident(), None)
        else:
            _routes[threading.get_ident()] = before
        _restore_if_unused()


def enter_task(key: Any, route: Route) -> None:
    """Give the calling thread's task, and those it makes, a route: a thread that runs an event loop of the host.

    It holds in the current context. ``key`` is for `leave_task`.
    """
    thread = threading.get_ident()
    with _lock:
        if isinstance(_routes.get(thread), Route):
            raise RuntimeError("the thread of this event loop is a session's; await it there")
        _routes[thread] = _task
        _routes[key] = route
        _task_counts[thread] = _task_counts.get(thread, 0) + 1
        _install()
    _task.set(key)


def leave_task(key: Any, thread: int) -> None:
    """Take a route away that was given to tasks in a thread. What they still print is the host's."""
    with _lock:
        if _routes.pop(key, None) is None:
            return
        left = _task_counts.pop(thread, 1) - 1
        if left > 0:
            _task_counts[thread] = left
        elif _routes.get(thread) is _task:
            del _routes[thread]
        _restore_if_unused()


def listen(is_wanted: bool) -> None:
    """Let what the host prints be told to those who listen in, or let it be."""
    global _is_teed
    with _lock:
        if is_wanted == _is_teed:
            return
        if is_wanted:
            _install()
            for name in ("stdout", "stderr"):
                stream = _native.original(_stand_ins[name])
                if stream is not None:
                    _native.set_original(_stand_ins[name], Teed(stream, name))
            _is_teed = True
        else:
            _stop_listening()
            _restore_if_unused()


def _stop_listening() -> None:
    global _is_teed
    _is_teed = False
    for name in ("stdout", "stderr"):
        stream = original(name)
        if isinstance(stream, Teed):
            if vars(sys).get(name) is _stand_ins[name]:
                _native.set_original(_stand_ins[name], stream.teed)
            else:
                vars(sys)[name] = stream.teed


def _restore_if_unused() -> None:
    if not _routes and not _is_teed:
        _restore()


def uninstall() -> None:
    """Forget every route and give the host its own objects back."""
    with _lock:
        _routes.clear()
        _task_counts.clear()
        _stop_listening()
        _restore()


def forget_after_fork() -> None:
    """In a forked child: as ``uninstall``, but some thread of the parent may hold the lock.

    A child that a session forked goes on in that session's thread, and writes to the process's own streams.
    """
    global _lock
    _lock = threading.Lock()
    _routes.clear()
    _task_counts.clear()
    _stop_listening()
    _restore()
