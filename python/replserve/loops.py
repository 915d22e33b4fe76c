"""Loops: the event loops that run in the host, and which of them is to run what a session awaits."""

from __future__ import annotations

import sys
import threading
import weakref
from typing import Any, NamedTuple, Optional

from . import routing

__all__ = ["RunningLoop", "choose", "describe", "keep_out", "running"]

#: How often a set of tasks is read again because it has changed meanwhile.
_READINGS = 50


class RunningLoop(NamedTuple):
    """An event loop of the host: its number, which it keeps, itself, and the name of its thread, if that is known."""

    number: int
    loop: Any
    thread: Optional[str]

    def __str__(self) -> str:
        return f"{self.number} ({f'thread {self.thread}' if self.thread else 'in some thread'})"


_numbers: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
#: Those that sessions have made for themselves.
_ours: weakref.WeakSet[Any] = weakref.WeakSet()
_last_number = 0
_lock = threading.Lock()


def keep_out(loop: Any) -> None:
    """Let a loop, which is a session's own, not count among those of the host."""
    _ours.add(loop)


def _loop_of(frame: Any, codes: dict[Any, Any]) -> Any:
    """The loop that is run by a frame or one of its callers: the innermost one; None without any."""
    while frame is not None:
        find = codes.get(frame.f_code)
        if find is not None:
            return find(frame.f_locals)
        frame = frame.f_back
    return None


def _runners() -> dict[Any, Any]:
    """The code of the functions of asyncio that run a loop, and how to find that among their variables."""
    from asyncio import base_events, runners

    codes: dict[Any, Any] = {base_events.BaseEventLoop.run_forever.__code__: lambda names: names.get("self")}
    # The frames of a loop that is written in C are not to be seen, but those of whoever runs it are.
    if hasattr(runners, "Runner"):
        codes[runners.Runner.run.__code__] = lambda names: getattr(names.get("self"), "_loop", None)
    else:
        codes[runners.run.__code__] = lambda names: names.get("loop")
    return codes


def _tasks() -> list[Any]:
    """The tasks of all loops."""
    from asyncio import tasks

    found: list[Any] = []
    for name in ("_scheduled_tasks", "_eager_tasks", "_all_tasks"):
        for _ in range(_READINGS):
            try:
                found += list(getattr(tasks, name, ()))
                break
            except RuntimeError:  # it has changed while it was read
                continue
    return found


def _is_running(loop: Any) -> bool:
    try:
        return bool(loop.is_running())
    except Exception:
        return False


def running() -> list[RunningLoop]:
    """The loops that run in threads of the host now, by their numbers."""
    if "asyncio.runners" not in sys.modules:
        return []
    codes = _runners()
    loops: dict[int, tuple[Any, Optional[int]]] = {}
    left_out = {id(loop) for loop in list(_ours)}
    for ident, frame in sys._current_frames().items():
        loop = _loop_of(frame, codes)
        if loop is None:
            continue
        if routing.is_of_session(ident):
            left_out.add(id(loop))
        else:
            loops[id(loop)] = (loop, ident)
    for task in _tasks():
        loop = task.get_loop()
        if id(loop) not in loops:
            loops[id(loop)] = (loop, getattr(loop, "_thread_id", None))
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    main = threading.main_thread().ident
    found = [
        (loop, ident) for key, (loop, ident) in loops.items() if key not in left_out and _is_running(loop)
    ]  # fmt: skip
    # New ones are numbered in the order in which their threads began, as far as that is known.
    order = {ident: place for place, ident in enumerate(names)}
    found.sort(key=lambda each: (each[1] != main, order.get(each[1], len(order))))
    numbered = [RunningLoop(_number_of(loop), loop, names.get(ident)) for loop, ident in found]
    return sorted(numbered, key=lambda each: each.number)


def _number_of(loop: Any) -> int:
    global _last_number
    with _lock:
        number = _numbers.get(loop)
        if number is None:
            number = _last_number = _last_number + 1
            _numbers[loop] = number
        return number


def describe(found: list[RunningLoop]) -> str:
    """What loops there are, in a few words."""
    return ", ".join(map(str, found)) if found else "none"


def choose(number: Optional[int]) -> Any:
    """The loop of that number; None stands for the only one that the host runs.

    Return None where the session is to use a loop of its own, which is number 0. Raise RuntimeError when there is no
    such loop, or there are several to choose from.
    """
    if number == 0:
        return None
    found = running()
    if number is None:
        if len(found) > 1:
            raise RuntimeError(
                f"the program runs {len(found)} event loops: {describe(found)}; choose one with use_loop(N), or the "
                "option --loop N of replconnect, replctl eval and replctl bg; 0 is a loop of this session's own"
            )
        return found[0].loop if found else None
    for each in found:
        if each.number == number:
            return each.loop
    raise RuntimeError(f"the program runs no event loop {number}; those it runs: {describe(found)}")
