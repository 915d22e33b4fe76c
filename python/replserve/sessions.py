"""Sessions: what the native side asks of Python, in the threads it asks for."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import Any, Callable, Optional

from . import _native, routing
from .console import Console, Outcome
from .forks import end_forked_child
from .namespace import Injection
from .streams import STDERR, STDOUT, session_input, session_output

__all__ = ["Sessions"]

#: Threads of the native side that are no session's.
_THREAD_NAMES = {0: "replserve-worker", -1: "replserve-completer"}


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

    def run(self, session: int, number: int, source: str, is_final: bool) -> int:
        """Evaluate a block in the calling thread, which is the session's."""
        route = self._routes[session]
        # Again each time: the host may have put objects of its own into `sys` since.
        routing.enter(route)
        process = os.getpid()
        outcome = Outcome.EXCEPTION
        try:
            outcome = route.owner.evaluate(source, number, is_final)
        finally:
            if os.getpid() != process:
                end_forked_child(0 if outcome in (Outcome.VALUE, Outcome.END_OF_SESSION) else 1)
        return outcome

    def complete(self, text: str) -> list[str]:
        """Candidates for a name or a dotted expression, as ``rlcompleter`` gives them."""
        import rlcompleter

        self._injection.add()
        completer = rlcompleter.Completer(self._namespace)
        candidates: list[str] = []
        seen: set[str] = set()
        while True:
            candidate = completer.complete(text, len(candidates)) if text.strip() else None
            if candidate is None or candidate in seen:
                return candidates
            seen.add(candidate)
            candidates.append(candidate)

    def closed(self, session: int) -> None:
        """The calling thread, which is the session's, is about to end."""
        with self._lock:
            route = self._routes.pop(session, None)
            self._threads.pop(session, None)
        if route is not None:
            route.owner.close()
        routing.leave()

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
        console = self._console(session)
        route.owner = console
        route.stdin, route.stdout, route.stderr = stdin, stdout, stderr
        route.displayhook = partial(_native.display, console.results, route)
        with self._lock:
            self._routes[session] = route
        return route

    def _console(self, session: int) -> Console:
        console = self._macro_console(session)
        if console is None:
            return Console(session, self._namespace)
        self._injection.add_macro()
        return console

    def _macro_console(self, session: int) -> Optional[Console]:
        if not self._may_have_macros:
            return None
        try:
            from .macroconsole import MacroConsole
        except ImportError:
            # No mcpyrate, or one that this interpreter cannot import. It is looked for once: a failed import
            # searches the path and may run code of others.
            self._may_have_macros = False
            return None
        return MacroConsole(session, self._namespace)

    def join(self, seconds: float) -> None:
        """Wait for the threads to end, as long as they do so promptly."""
        with self._lock:
            threads = [each for each in self._threads.values() if each is not threading.current_thread()]
        for thread in threads:
            thread.join(seconds)
