"""The loop watch: tells those who wait for an event loop of the host that it has stopped.

No loop tells anybody. But every one sets the hooks of its thread for asynchronous generators while it runs, and puts
back what was there before: so a hook that is put in front of its own dies when the loop stops, whatever made it do so.
The host's loop itself is left as it is.
"""

from __future__ import annotations

import sys
import threading
import weakref
from functools import partial
from typing import Any

__all__ = ["LoopWatch"]


def _nothing(_generator: Any) -> None:
    """Stand for the hook of a loop that has none."""


class LoopWatch:
    """One loop that runs, and who waits for it. It is used in the thread of that loop only."""

    _watches: dict[int, LoopWatch] = {}

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._waiting: set[Any] = set()
        self._before = sys.get_asyncgen_hooks().firstiter
        # A `partial` runs no frame of ours when the host iterates over a generator.
        hook = partial(self._before or _nothing)
        self._hook = weakref.ref(hook, self._stopped)
        sys.set_asyncgen_hooks(firstiter=hook)

    @classmethod
    def enter(cls, waiting: Any) -> LoopWatch:
        """Have ``waiting.stopped()`` called when the loop stops that runs in the calling thread."""
        watch = cls._watches.get(threading.get_ident())
        if watch is None:
            watch = cls._watches[threading.get_ident()] = cls()
        watch._waiting.add(waiting)
        return watch

    def leave(self, waiting: Any) -> None:
        """It waits no more; with the last one the loop gets its hook back."""
        self._waiting.discard(waiting)
        if self._waiting:
            return
        if self._watches.get(self._thread) is self:
            del self._watches[self._thread]
        hook = self._hook()
        if hook is not None and sys.get_asyncgen_hooks().firstiter is hook:
            sys.set_asyncgen_hooks(firstiter=self._before)

    def _stopped(self, _hook: Any) -> None:
        if self._watches.get(self._thread) is self:
            del self._watches[self._thread]
        for each in list(self._waiting):
            each.stopped()
