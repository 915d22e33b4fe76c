"""Sessions: what the native side asks of Python, in the threads it asks for."""

from __future__ import annotations

import json
import os
import threading
from functools import partial
from typing import Any, Callable, Optional

from . import (
    _native,
    awaits,
    completion,
    documentation,
    drafts,
    interruption,
    jobs,
    passwords,
    routing,
    threads,
    windows,
)
from .console import Console, Outcome
from .forks import end_forked_child
from .mainthread import MainThread, NotTaken
from .namespace import Injection
from .streams import STDERR, STDOUT, VALUE, session_input, session_output
from .words import words

__all__ = ["Sessions"]

#: Threads of the native side that are no session's.
_THREAD_NAMES = {0: "replserve-worker", -1: "replserve-completer"}
#: What the source of an evaluation is; the numbers are those of the native side.
_BLOCK, _FINAL_BLOCK, _SCRIPT, _RESULT = range(4)


def _result_of_job(number: int) -> Any:
    job = jobs.find(number)
    if job is None:
        raise ValueError(f"the result of job %{number} is no longer kept")
    return job.look()


def _has_succeeded(result: Any) -> bool:
    """Whether an evaluation, by what ``run`` returns of it, came to its end without an error."""
    if isinstance(result, str):
        result = json.loads(result).get("outcome")
    return result in (Outcome.VALUE, Outcome.END_OF_SESSION, "value", "ended")


class Sessions:
    """The Python side of the sessions of one server."""

    def __init__(self, namespace: dict[str, Any], injection: Injection, on_halt: Callable[[], None]) -> None:
        self._namespace = namespace
        self._injection = injection
        self._on_halt = on_halt
        self._routes: dict[int, routing.Route] = {}
        self._threads: dict[int, threading.Thread] = {}
        self._lock = threading.Lock()
        self._may_have_macros = True
        self.main_thread = MainThread()

    # The hooks of the native side. See `PythonEngine.Hooks`.

    def spawn(self, kind: int) -> None:
        """Start the thread of a session, or of a worker."""

        def serve() -> None:
            _native.serve(kind, threading.get_ident())

        name = _THREAD_NAMES.get(kind, f"replserve-session-{kind}")
        thread = threading.Thread(target=serve, name=name, daemon=True)
        with self._lock:
            self._threads[kind] = thread
        thread.start()

    def opened(self, session: int) -> None:
        """Make the session's console, in its thread.

        Not in `run`: an interrupt would hit the imports this needs, and leave broken modules to the whole process.
        """
        self._open(session)

    def run(
        self, session: int, number: int, source: str, kind: int, is_structured: bool, is_main: bool, loop: int
    ) -> Any:
        """Evaluate in the calling thread, which is the session's, or have it done by the main thread.

        ``kind`` is one of the numbers below; for the result of a job, ``source`` is the job's number. ``loop`` is the
        number of the event loop for what is awaited, or -1. Return an ``Outcome``, or, structured, the report as JSON.
        """
        process = os.getpid()
        has_succeeded = False
        try:
            run = partial(self._run, session, number, source, kind, is_structured, None if loop < 0 else loop)
            result = self._on_main(session, run) if is_main else run()
            has_succeeded = _has_succeeded(result)
        finally:
            if os.getpid() != process:
                end_forked_child(0 if has_succeeded else 1)
        return result

    def _on_main(self, session: int, run: Callable[[], Any]) -> Any:
        def routed() -> Any:
            before = routing.entry()
            process = os.getpid()
            has_succeeded = False
            try:
                result = run()
                has_succeeded = _has_succeeded(result)
                return result
            finally:
                if os.getpid() != process:
                    # A child that was forked and forgotten would go on with the program.
                    end_forked_child(0 if has_succeeded else 1)
                # A loop of the main thread's own ends with the evaluation: nobody would run it again.
                route = self._routes.get(session)
                if route is not None:
                    route.owner.close_loop()
                routing.put_back(before)

        try:
            return self.main_thread.evaluate(session, routed)
        except NotTaken as error:
            return json.dumps({"unavailable": str(error)})

    def _run(
        self, session: int, number: int, source: str, kind: int, is_structured: bool, loop: Optional[int]
    ) -> Any:
        # Where it could not be opened, for want of descriptors or memory, that may have become better since.
        route = self._routes.get(session) or self._open(session)
        # Again each time: the host may have put objects of its own into `sys` since.
        routing.enter(route)
        console = route.owner
        console.begin(session, number, loop)
        if not is_structured:
            return console.evaluate(source, number, kind == _FINAL_BLOCK)
        if kind == _SCRIPT:
            report = console.report_script(source, number, session)
        elif kind == _RESULT:
            report = console.report_result(partial(_result_of_job, int(source)), session)
        else:
            with route.showing_values() as shown:
                report = console.report_block(source, number)
            console.keep(shown)
        return json.dumps(report)

    # Jobs. See `jobs`.

    def start_job(self, number: int, source: str, loop: int) -> None:
        """Start a job that runs source, and awaits in the event loop of that number; -1 is whichever is right."""
        self._injection.add()
        jobs.launch(jobs.SourceJob(source, number, self._console, None if loop < 0 else loop))

    def adopt(self, number: int, source: str) -> None:
        """An evaluation has become a job, and still runs, unless `settle` came first."""
        jobs.adopt(number, source)

    def settle(self, number: int, source: str, state: str) -> None:
        """The calling thread's evaluation, which has become a job, is over."""
        route = routing.route_of_this_thread()
        jobs.settle(number, source, state, None if route is None else route.owner.last_result())

    def listen(self, is_wanted: bool) -> None:
        """Whether a client wants to see what the process itself prints."""
        routing.listen(is_wanted)

    # What is asked while nothing is evaluated. Each answer is JSON.

    def withdraw(self, session: int, number: int) -> bool:
        """Interrupt an evaluation that waits for an event loop, or that the main thread has not begun.

        Session 0 stands for a job. Return whether that was so.
        """
        return awaits.interrupt(session, number) or self.main_thread.withdraw(session)

    def on_main(self, session: int) -> None:
        """The calling thread is the main thread, and a session has something for it."""
        self.main_thread.take(session)

    def locate(self, session: int, number: int, ident: int) -> str:
        """Where an evaluation or, for session 0, a job is, which is in that thread, or for 0 awaits something."""
        return json.dumps(awaits.locate(session, number) or threads.locate(ident))

    def unblock(self, number: int, ident: int) -> str:
        """Do what Python can about the wait of a thread that an interrupt is meant for."""
        return interruption.unblock(number, ident)

    def threads(self) -> str:
        """Where every thread is."""
        return json.dumps(threads.stacks())

    def candidates(self, source: str, cursor: int, with_docs: bool) -> str:
        """Every completion of a piece of source; a negative cursor stands for its end."""
        self._injection.add()
        at = len(source) if cursor < 0 else min(cursor, len(source))
        return json.dumps(completion.complete(source, at, self._namespace, with_docs))

    def check(self, source: str) -> str:
        """Whether a block is complete, and how the next line is indented."""
        return json.dumps(drafts.check(source))

    def document(self, name: str, with_source: bool) -> str:
        """What is known of a name; of one that is not known, why."""
        self._injection.add()
        try:
            return json.dumps(documentation.describe(name, self._namespace, with_source))
        except LookupError as error:
            return json.dumps({"failure": str(error.args[0] if error.args else error)})

    def complete(self, text: str) -> list[str]:
        """Candidates for a name or a dotted expression, in the form in which ``rlcompleter`` gives them."""
        self._injection.add()
        return words(text, self._namespace)

    def closed(self, session: int, has_moved: bool) -> None:
        """The calling thread, which is the session's, is about to end.

        When its last evaluation has become a job, the session goes on, in another thread or without one.
        """
        with self._lock:
            if self._threads.get(session) is threading.current_thread():
                self._threads.pop(session)
        route = routing.route_of_this_thread()
        if route is not None:
            route.owner.close_loop()
        if not has_moved:
            self.forget(session)
        routing.leave()

    def forget(self, session: int) -> None:
        """The session has ended."""
        with self._lock:
            route = self._routes.pop(session, None)
        if route is not None:
            route.owner.close()

    def halted(self) -> None:
        """The last session has ended after ``halt()``."""
        self._on_halt()

    def checkpoint(self) -> None:
        """Do nothing: an interrupt that is due is raised on the way in."""

    def _open(self, session: int) -> routing.Route:
        stdin, stdout, stderr = (
            session_input(session),
            session_output(session, STDOUT),
            session_output(session, STDERR),
        )
        # The route comes first: what an import does to sys.stdout (colorama, which mcpyrate uses, wraps it) is done
        # to this session's, and undone below.
        route = routing.Route(stdin, stdout, stderr, None)
        routing.enter(route)
        self._injection.add()
        passwords.detour.install()
        windows.detour.install()
        before = self._routes.get(session)
        console = self._console(f"session {session}") if before is None else before.owner
        route.owner = console
        route.stdin, route.stdout, route.stderr = stdin, stdout, stderr
        route.session = session
        route.show_for(console.results)
        route.values = session_output(session, VALUE)
        with self._lock:
            self._routes[session] = route
        return route

    def _console(self, label: str) -> Console:
        console = self._macro_console(label)
        if console is None:
            return Console(label, self._namespace)
        self._injection.add_macro()
        return console

    def _macro_console(self, label: str) -> Optional[Console]:
        if not self._may_have_macros:
            return None
        try:
            from .macroconsole import MacroConsole
        except ImportError:
            # No mcpyrate, or one that this interpreter cannot import. It is looked for once: a failed import
            # searches the path and may run code of others.
            self._may_have_macros = False
            return None
        return MacroConsole(label, self._namespace)

    def join(self, seconds: float) -> None:
        """Wait for the threads to end, as long as they do so promptly."""
        with self._lock:
            threads = [each for each in self._threads.values() if each is not threading.current_thread()]
        for thread in threads:
            thread.join(seconds)
