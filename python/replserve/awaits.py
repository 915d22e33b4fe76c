"""Awaits: what an evaluation awaits, while an event loop of the host runs it, or one of the session's own.

The evaluation's thread waits, and passes on what the task prints; so a client that takes its time, or a prompt that
nobody answers, never holds up the loop. An interrupt cancels the task. Where its code runs at that moment, it raises
KeyboardInterrupt there: within a step of the task, which the native side watches over, and never in the loop itself.
"""

from __future__ import annotations

import itertools
import os
import threading
import traceback
import types
from contextvars import Context
from functools import partial
from queue import SimpleQueue
from typing import Any, Callable, Generator, Optional

from . import _native, loops, routing
from .forks import end_forked_child
from .loopwatch import LoopWatch
from .reports import frame_report
from .streams import is_direct, refused_input, relayed_output
from .threads import locate as locate_thread

__all__ = ["Await", "OwnLoop", "interrupt", "locate"]

#: Bytes of output that may wait for the evaluation's thread; more is dropped, since the loop must not wait.
MAXIMUM_HELD = 4 << 20
#: Seconds that the tasks in a session's own loop have to end when the session does.
_FAREWELL = 1.0

_tokens = itertools.count(1)
#: By session and evaluation; for a job, by 0 and its number.
_waiting: dict[tuple[int, int], Await] = {}


class OwnLoop:
    """An event loop of one thread's own: it runs while that awaits something, and its tasks are there the next time."""

    def __init__(self) -> None:
        self._loop: Any = None

    def get(self) -> Any:
        """The loop; a new one when there is none, or the last one has been closed."""
        import asyncio

        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
            loops.keep_out(self._loop)
        return self._loop

    def close(self) -> None:
        """Cancel its tasks, in the thread that it belongs to, and close it."""
        loop, self._loop = self._loop, None
        if loop is None or loop.is_closed():
            return
        import asyncio

        try:
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            if tasks:
                loop.run_until_complete(asyncio.wait(tasks, timeout=_FAREWELL))
            for task in tasks:
                # One that goes on is let go of without a word on the host's standard error, as is what one raised.
                task._log_destroy_pending = False
                if task.done() and not task.cancelled():
                    task.exception()
            loop.run_until_complete(asyncio.wait_for(loop.shutdown_asyncgens(), _FAREWELL))
        except BaseException:
            pass  # a task has ended the loop in its own way; nobody is left to be told
        finally:
            loop.close()


class _Steps:
    """Drives a coroutine; what an interrupt raises is raised within its steps, and comes out of here as from it."""

    def __init__(self, coroutine: Any, token: int) -> None:
        self._coroutine = coroutine
        self._token = token
        self._process = os.getpid()

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[], Any] = partial(self._coroutine.send, None)
        while True:
            is_over = False
            try:
                yielded = _native.step(self._token, threading.get_ident(), step)
            except StopIteration as stop:
                is_over = True
                return stop.value
            finally:
                if os.getpid() != self._process:
                    # A child that was forked and forgotten would go on with the host's loop.
                    end_forked_child(0 if is_over else 1)
            try:
                step = partial(self._coroutine.send, (yield yielded))
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as error:
                step = partial(self._coroutine.throw, error)


class Await:
    """A coroutine that an evaluation awaits."""

    def __init__(self, evaluation: tuple[int, int], coroutine: Any, name: str, own: OwnLoop, loop: Optional[int]) -> None:
        """``evaluation`` is what `interrupt` is told; ``loop`` as `loops.choose` has it."""
        self._evaluation = evaluation
        self._coroutine = coroutine
        self._name = name
        self._own = own
        self._choice = loop
        self._token = next(_tokens)
        self._run_token = next(_tokens)
        self._is_started = self._is_interrupted = self._is_here = False
        self._loop: Any = None
        self._thread = 0
        self._task: Any = None
        self._watch: Optional[LoopWatch] = None
        self._route: Optional[routing.Route] = None
        self._news: SimpleQueue[Optional[tuple[Callable[[bytes], Any], bytes]]] = SimpleQueue()
        # Each of the two is changed by one thread only.
        self._relayed = self._taken = 0
        self._dropped = 0
        self._has_outcome = False
        self._value: Any = None
        self._error: Optional[BaseException] = None

    def result(self) -> Any:
        """Have it run, wait for it in the calling thread, and return or raise what it does."""
        _waiting[self._evaluation] = self
        try:
            _native.elsewhere(*self._evaluation, threading.get_ident(), self._run)
        finally:
            _waiting.pop(self._evaluation, None)
            _native.spare(self._token)
            _native.spare(self._run_token)
            if not self._is_started:
                self._coroutine.close()
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error
        return self._value

    # In the evaluation's thread, while no interrupt can reach that.

    def _run(self) -> None:
        try:
            loop = None if self._is_interrupted else self._find()
            if self._is_interrupted:
                self._fail(KeyboardInterrupt())
            elif loop is None:
                self._run_here()
            else:
                self._run_there(loop)
        except BaseException as error:
            self._fail(error)

    def _find(self) -> Any:
        import asyncio

        if asyncio._get_running_loop() is not None:
            raise RuntimeError("this thread runs an event loop already, which cannot be awaited in; leave --main-thread out")
        return loops.choose(self._choice)

    def _run_here(self) -> None:
        self._loop, self._is_here, self._thread = self._own.get(), True, threading.get_ident()
        self._is_started = True
        # Whoever interrupts says so first, and looks then whether it has started.
        if self._is_interrupted:
            self._coroutine.close()
            return self._fail(KeyboardInterrupt())
        self._make_task()
        _native.step(self._run_token, self._thread, self._complete)

    def _complete(self) -> None:
        while not self._task.done():
            try:
                self._loop.run_until_complete(self._task)
            except BaseException as error:
                # Another task, or a callback, was interrupted, has ended the session or has stopped the loop.
                self._fail(error)
                self._task.cancel()
        self._conclude()

    def _run_there(self, loop: Any) -> None:
        self._loop = loop
        self._route = self._route_of_task()
        try:
            Context().run(loop.call_soon_threadsafe, self._start)
        except RuntimeError:
            return self._fail(_stopped())
        if not loop.is_running() and not self._is_started:
            self._is_interrupted = True
            return self._fail(_stopped())
        while True:
            news = self._news.get()
            if news is None:
                break
            write, data = news
            write(data)
            self._taken += len(data)
        if self._dropped:
            route = routing.route_of_this_thread()
            if route is not None:
                route.stderr.write(f"replserve: {self._dropped} bytes of output came too fast, and were dropped\n")

    def _route_of_task(self) -> Optional[routing.Route]:
        """The route of the calling thread, as it is for a thread that must not wait."""
        mine = routing.route_of_this_thread()
        if mine is None:
            return None
        route = routing.Route(refused_input(), self._relay(mine.stdout), self._relay(mine.stderr), mine.owner)
        route.session, route.own_stdout, route.is_of_task = mine.session, None, True
        hook = mine.displayhook
        if isinstance(hook, partial) and hook.func is _native.display:
            results, target = hook.args
            shown = route if target is mine else types.SimpleNamespace(stdout=self._relay(target.stdout))
            hook = partial(_native.display, results, shown)
        route.displayhook = hook
        return route

    def _relay(self, stream: Any) -> Any:
        """A stream that leaves what is written to the evaluation's thread; one of the user's own is left as it is."""
        return relayed_output(stream, partial(self._hold, stream.buffer.write)) if is_direct(stream) else stream

    # In the loop's thread.

    def _hold(self, write: Callable[[bytes], Any], data: bytes) -> int:
        length = len(data)
        if self._relayed - self._taken >= MAXIMUM_HELD:
            self._dropped += length
        else:
            self._relayed += length
            self._news.put((write, bytes(data)))
        return length

    def _start(self) -> None:
        self._is_started = True
        if self._is_interrupted:
            self._coroutine.close()
            return self._end(KeyboardInterrupt())
        try:
            self._thread = threading.get_ident()
            if self._route is not None:
                routing.enter_task(self, self._route)
            self._watch = LoopWatch.enter(self)
            self._make_task()
            self._task.add_done_callback(lambda _: self._leave())
        except BaseException as error:
            self._end(error)

    def _make_task(self) -> None:
        import asyncio

        # Not by the loop's task factory: what the host does there is meant for its own.
        self._task = asyncio.Task(self._drive(), loop=self._loop, name=self._name)
        self._task._log_destroy_pending = False

    async def _drive(self) -> None:
        try:
            value = await _Steps(self._coroutine, self._token)
            if not self._has_outcome:
                self._has_outcome, self._value = True, value
        except GeneratorExit:
            raise
        except BaseException as error:
            self._fail(error)

    def _cancel(self) -> None:
        """Cancel the task; so its next step need not be struck."""
        _native.spare(self._token)
        self._task.cancel()

    def _leave(self) -> None:
        """The task is done."""
        self._conclude()
        self._end(None)

    def stopped(self) -> None:
        """The loop has stopped, and may never go on."""
        if self._task is not None and not self._task.done():
            self._fail(_stopped())
            self._task.cancel()
        self._end(None)

    def _conclude(self) -> None:
        if not self._has_outcome:
            # It was cancelled before its first step.
            self._fail(KeyboardInterrupt())
        self._coroutine.close()

    def _end(self, error: Optional[BaseException]) -> None:
        if error is not None:
            self._fail(error)
        if self._watch is not None:
            self._watch.leave(self)
        routing.leave_task(self, self._thread)
        self._news.put(None)

    # In any thread.

    def _fail(self, error: BaseException) -> None:
        """What becomes of it; the first word counts."""
        if self._has_outcome:
            return
        import asyncio

        if self._is_interrupted and isinstance(error, asyncio.CancelledError):
            error = KeyboardInterrupt().with_traceback(error.__traceback__)
        self._has_outcome, self._error = True, error

    def interrupt(self) -> None:
        """Let it end, as soon as its own code lets it."""
        self._is_interrupted = True
        if not self._is_started:
            self._fail(KeyboardInterrupt())
            self._news.put(None)
            return
        _native.strike(self._token)
        if self._is_here and self._runs_another():
            _native.strike(self._run_token)
        try:
            self._loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:
            pass  # it is closed, and so the watch has told of it

    def _runs_another(self) -> bool:
        """Whether the session's own loop is in a step of a task that it was not told to run, but that this has made."""
        import asyncio

        return asyncio.current_task(self._loop) not in (None, self._task)

    def locate(self) -> Optional[dict[str, Any]]:
        """Where its code is, if it has begun."""
        awaited, frame = self._coroutine, None
        if getattr(awaited, "cr_running", False):
            return locate_thread(self._thread)
        while awaited is not None:
            inner = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
            if inner is None:
                break
            frame = inner
            awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
        summary = traceback.extract_stack(frame, limit=1) if frame is not None else []
        return frame_report(summary[-1]) if summary else None


def _stopped() -> RuntimeError:
    return RuntimeError("the program's event loop has stopped; what this session awaited in it is cancelled")


def interrupt(session: int, number: int) -> bool:
    """Interrupt what an evaluation awaits; for a job, the session is 0. Return whether it awaits anything."""
    found = _waiting.get((session, number))
    if found is None:
        return False
    found.interrupt()
    return True


def locate(session: int, number: int) -> Optional[dict[str, Any]]:
    """Where the code that an evaluation awaits is; None when it awaits nothing."""
    found = _waiting.get((session, number))
    return None if found is None else found.locate()
