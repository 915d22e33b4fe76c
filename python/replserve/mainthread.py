"""The main thread: evaluations that run on it, as soon as it can take them.

Where the main thread waits for the server's end, in a playground or after the program, it takes them at once. In a
running program it takes them between two bytecodes, by the interpreter's pending calls: so not while it waits in C.
"""

from __future__ import annotations

import sys
import threading
import traceback
from queue import SimpleQueue
from typing import Any, Callable, Optional

from . import _native
from .reports import frame_report

__all__ = ["MainThread", "NotTaken"]

#: Seconds that the main thread has to take an evaluation.
PATIENCE = 5.0


class NotTaken(Exception):
    """The main thread did not take an evaluation in time; the message says what it does instead."""


class _Call:
    """One evaluation on its way to the main thread. It runs once, or is withdrawn before that.

    A pending call may come between any two bytecodes of the main thread, those of this module among them: nothing that
    the main thread does here may hold a lock.
    """

    def __init__(self, session: int, body: Callable[[], Any]) -> None:
        self._session = session
        self._body = body
        self._permits = [True]
        self.is_withdrawn = False
        self.is_interrupted = False
        self.result: Any = None
        self.taken = threading.Event()
        self.done = threading.Event()

    def _take(self) -> bool:
        try:
            return self._permits.pop()
        except IndexError:
            return False

    def withdraw(self) -> bool:
        """Let it not run, if it does not yet; return whether that is so."""
        if not self._take():
            return False
        self.is_withdrawn = True
        self.taken.set()
        self.done.set()
        return True

    def run(self) -> None:
        """Run it in the calling thread, which is the main thread, and let nothing of it out."""
        if not self._take():
            return
        self.taken.set()
        try:
            try:
                _native.evaluating_in(self._session, threading.get_ident())
                self.result = self._body()
            finally:
                _native.evaluating_in(self._session, 0)
        except KeyboardInterrupt:
            # It came when the evaluation was on its way out. From the call below on there is no other.
            _native.evaluating_in(self._session, 0)
            self.is_interrupted = True
        finally:
            self.done.set()


class MainThread:
    """What the sessions of one server have for the main thread."""

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}
        self._news: SimpleQueue[bool] = SimpleQueue()
        self._is_waiting = False
        self._has_ended = False

    def evaluate(self, session: int, body: Callable[[], Any]) -> Any:
        """Have ``body`` called in the main thread, wait for it in the calling one, and return what it returns.

        Raise `NotTaken`, or KeyboardInterrupt when it was interrupted before it began or after its end.
        """
        call = _Call(session, body)
        self._calls[session] = call
        try:
            # Looked at after the call is there: whoever begins to wait looks for calls after saying so.
            if self._is_waiting:
                self._news.put(True)
            elif not _native.call_on_main(session):
                raise NotTaken("the main thread has too much to do already; try again later")
            if not call.taken.wait(PATIENCE) and call.withdraw():
                raise NotTaken(f"the main thread did not take it within {PATIENCE:g} s: {_whereabouts()}")
            call.done.wait()
        finally:
            self._calls.pop(session, None)
        if call.is_withdrawn or call.is_interrupted:
            raise KeyboardInterrupt
        return call.result

    def take(self, session: int) -> None:
        """Run what a session has for the main thread, which is the calling one."""
        call = self._calls.get(session)
        if call is not None:
            call.run()

    def withdraw(self, session: int) -> bool:
        """Let what a session has for the main thread not run; return whether it had not begun."""
        call = self._calls.get(session)
        return call is not None and call.withdraw()

    def serve(self) -> None:
        """Run what comes, in the calling thread, until `end`. In the main thread a Ctrl-C ends it, too."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main:
            self._is_waiting = True
            self._take_all()
        try:
            while not self._has_ended:
                if not self._news.get():
                    # For whoever else waits.
                    self._news.put(False)
                    return
                if not is_main:
                    self._news.put(True)
                    continue
                self._take_all()
        finally:
            if is_main:
                self._is_waiting = False

    def end(self) -> None:
        """Let `serve` return, in whatever thread it runs."""
        self._has_ended = True
        self._news.put(False)
        for call in list(self._calls.values()):
            call.withdraw()

    def _take_all(self) -> None:
        for session in list(self._calls):
            self.take(session)


def _whereabouts() -> str:
    """What the main thread does now, in one line."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    if frame is None:
        return "it has ended"
    place: Optional[dict[str, Any]] = None
    for summary in traceback.extract_stack(frame, limit=1):
        place = frame_report(summary)
    if place is None:
        return "what it does is not known"
    text = f": {place['text']}" if "text" in place else ""
    return f"it is in {place['function']}, {place['file']}:{place['line']}{text}"
