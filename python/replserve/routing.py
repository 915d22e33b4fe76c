"""Routing: ``sys.stdin``, ``stdout``, ``stderr`` and ``displayhook`` that depend on the thread that uses them.

While a session or one of its jobs lives, the four are replaced by stand-ins. In a thread that belongs to a session or
a job a stand-in is that session's or job's own stream; in every other thread it is the object it replaced, in all it
can be asked. Without sessions nothing is replaced.
"""

from __future__ import annotations

import sys
import threading
from typing import Any, Callable, Optional

__all__ = ["Route", "enter", "leave", "original", "route_of_this_thread", "uninstall"]


class Route:
    """Where a thread reads and writes: the streams of one session or one job."""

    def __init__(self, stdin: Any, stdout: Any, stderr: Any, display: Callable[[object], None], owner: Any) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.displayhook = display
        #: The session or job, for whoever asks who runs in this thread.
        self.owner = owner


_routes: dict[int, Route] = {}
_stand_ins: dict[str, Any] = {}
_lock = threading.Lock()
_NAMES = ("stdin", "stdout", "stderr", "displayhook")


def route_of_this_thread() -> Optional[Route]:
    """The route of the calling thread; None in a thread of the host."""
    return _routes.get(threading.get_ident())


def original(name: str) -> Any:
    """What the host has as ``sys.<name>``, whether a stand-in is there or not."""
    current = getattr(sys, name, None)
    while _is_stand_in(current):
        current = object.__getattribute__(current, "_original")
    return current


class _StandIn:
    """Passes everything on to the calling thread's own object."""

    __slots__ = ("_original", "_name")

    def __init__(self, original: Any, name: str) -> None:
        object.__setattr__(self, "_original", original)
        object.__setattr__(self, "_name", name)

    def _target(self) -> Any:
        route = _routes.get(threading.get_ident())
        if route is None:
            return object.__getattribute__(self, "_original")
        return getattr(route, object.__getattribute__(self, "_name"))

    # isinstance() asks the class of the object that the caller believes to have.
    @property
    def __class__(self) -> type:  # type: ignore[override]
        return type(_StandIn._target(self))

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return type(_StandIn._target(self))
        return getattr(_StandIn._target(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_StandIn._target(self), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_StandIn._target(self), name)

    def __call__(self, *arguments: Any) -> Any:
        return _StandIn._target(self)(*arguments)

    def __iter__(self) -> Any:
        return iter(_StandIn._target(self))

    def __next__(self) -> Any:
        return next(_StandIn._target(self))

    def __enter__(self) -> Any:
        return _StandIn._target(self).__enter__()

    def __exit__(self, *exception: Any) -> Any:
        return _StandIn._target(self).__exit__(*exception)

    def __repr__(self) -> str:
        return repr(_StandIn._target(self))

    def __dir__(self) -> list[str]:
        return dir(_StandIn._target(self))

    def __eq__(self, other: object) -> bool:
        return _StandIn._target(self) == other

    def __hash__(self) -> int:
        return hash(_StandIn._target(self))


def _is_stand_in(thing: object) -> bool:
    return type(thing) is _StandIn


def enter(route: Route, thread: Optional[int] = None) -> None:
    """Give a thread (the calling one by default) its route, and put the stand-ins in place."""
    with _lock:
        _routes[threading.get_ident() if thread is None else thread] = route
        for name in _NAMES:
            current = getattr(sys, name, None)
            # The host may have put a stream of its own there since: it is wrapped anew, and ours below it
            # keeps working for whoever holds it.
            if current is not None and not _is_stand_in(current):
                _stand_ins[name] = _StandIn(current, name)
                setattr(sys, name, _stand_ins[name])


def leave(thread: Optional[int] = None) -> None:
    """Take a thread's route away, and the stand-ins with the last one."""
    with _lock:
        _routes.pop(threading.get_ident() if thread is None else thread, None)
        if not _routes:
            _restore()


def uninstall() -> None:
    """Forget every route and give the host its own objects back."""
    with _lock:
        _routes.clear()
        _restore()


def forget_after_fork() -> None:
    """In a forked child: as ``uninstall``, but some thread of the parent may hold the lock.

    A child that a session forked goes on in that session's thread, and writes to the process's own streams.
    """
    global _lock
    _lock = threading.Lock()
    _routes.clear()
    _restore()


def _restore() -> None:
    for name in _NAMES:
        current = getattr(sys, name, None)
        # If the host has replaced it in the meantime, its own object stays.
        if current is not None and _is_stand_in(current):
            setattr(sys, name, object.__getattribute__(current, "_original"))
    _stand_ins.clear()
