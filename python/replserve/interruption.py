"""Interruption: what Python itself can do about a thread that waits, and what shows that a wait was ended.

Python before 3.12 leaves no way to end the wait for a lock. What waits for a condition, an event, a queue or a future does
wait for a lock of its own, though, which nobody minds to be released: a wake-up for no reason, which they allow.
"""

from __future__ import annotations

import _thread
import errno
import sys
import threading
import types
from typing import Any, Iterator, Optional

from . import _native

__all__ = ["as_interrupt", "unblock"]

#: How many exceptions that one may have come from are looked at.
MAXIMUM_CHAIN = 10

_LOCKS = (_thread.LockType, _thread.RLock)
_WAIT = threading.Condition.wait.__code__


def unblock(interruption: int, thread: int) -> str:
    """Do something about the wait of a thread, by what ``threading.get_ident()`` gives in it.

    ``interruption`` is the number of the interrupt that stands for it. Return ``woken`` when it will go on, ``joins`` when
    it waits for the end of a thread, else ``none``.
    """
    frame = sys._current_frames().get(thread)
    if frame is None:
        return "none"
    if sys.version_info < (3, 12) and frame.f_code is _WAIT and _wake(frame, interruption, thread):
        return "woken"
    # It takes one exception there for the end of the thread that it waits for.
    joins = frame.f_code.co_name == "_wait_for_tstate_lock" and frame.f_code.co_filename == threading.__file__
    return "joins" if joins else "none"


def _wake(frame: types.FrameType, interruption: int, thread: int) -> bool:
    """Wake one waiter of a condition, and no other; return whether that was done."""
    names = frame.f_locals
    condition, waiter = names.get("self"), names.get("waiter")
    lock = getattr(condition, "_lock", None)
    # Somebody else's kind of lock may do anything when it is taken.
    if not isinstance(lock, _LOCKS) or not isinstance(waiter, _thread.LockType) or not waiter.locked():
        return False
    # With the lock held the waiter can't leave `wait`. Somebody who holds it is about to notify, or to wait.
    if not lock.acquire(False):
        return False
    try:
        if _native.interrupted_thread(interruption) != thread:
            return False
        # Out of the list first: `notify` would release it a second time, which is an error.
        condition._waiters.remove(waiter)
        waiter.release()
        return True
    except ValueError:
        # It was notified already.
        return False
    finally:
        lock.release()


def as_interrupt(error: Optional[BaseException]) -> Optional[BaseException]:
    """What is to be shown for an exception that ends the calling thread's evaluation.

    A KeyboardInterrupt, from the same place, for one that came of the end of a call by an interrupt; else the exception.
    """
    if error is None or isinstance(error, KeyboardInterrupt) or not _native.struck():
        return error
    if any(isinstance(each, OSError) and each.errno == errno.ECANCELED for each in _chain(error)):
        interrupt = KeyboardInterrupt().with_traceback(error.__traceback__)
        interrupt.__suppress_context__ = True
        return interrupt
    return error


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those it came from."""
    each: Any = error
    for _ in range(MAXIMUM_CHAIN):
        if each is None:
            return
        yield each
        each = each.__cause__ or each.__context__
