"""The namespace: the names that sessions find beside the program's own."""

from __future__ import annotations

import builtins
import threading
from typing import Any, Callable, Optional

from . import _native, loops, routing
from .console import Console
from .documentation import doc
from .jobs import bg, fg, jobs
from .paging import help

__all__ = ["Injection", "halt", "server_print", "use_loop"]


#: Held while `server_print` writes, and while the process forks: a child would inherit the lock of the stream that is
#: being written to, and wait for it for ever.
printing = threading.Lock()


def server_print(*values: Any, **options: Any) -> None:
    """Print to the standard output of the process that is served. Arguments are those of ``print``.

    It is flushed at once, since whoever prints there wants it to be seen.
    """
    with printing:
        print(*values, **{"flush": True, **options}, file=routing.original("stdout"))


def halt(doit: bool = True) -> None:
    """Tell the server to stop after the last session has ended; ``halt(False)`` takes that back."""
    if doit:
        message = "Halt requested, the REPL server will stop after the last session has ended."
    else:
        message = "Halt canceled, the REPL server goes on."
    _native.halt(bool(doit))
    print(message)
    if routing.route_of_this_thread() is not None:
        server_print(message)


_LIST = object()


def use_loop(number: Any = _LIST) -> None:
    """Choose the event loop of the program that runs what this session awaits, by its number.

    0 is a loop of the session's own, None whichever is the only one. Without an argument, say which there are.
    """
    route = routing.route_of_this_thread()
    console = getattr(route, "owner", None)
    if not isinstance(console, Console):
        raise RuntimeError("use_loop() works in a session")
    if number is not _LIST:
        if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
            raise TypeError(f"use_loop() takes a number or None, not {type(number).__name__}")
        if number is not None:
            loops.choose(number)
        console.loop = number
        return
    print(f"event loops that the program runs: {loops.describe(loops.running())}")
    used = {None: "the only one there is, else its own", 0: "its own"}.get(console.loop, f"number {console.loop}")
    print(f"this session uses: {used}")


def _macro(function: Callable[..., Any]) -> Callable[..., Any]:
    """Bind a named function as a macro of this session; works as a decorator, too."""
    route = routing.route_of_this_thread()
    expander = getattr(getattr(route, "owner", None), "expander", None)
    if expander is None:
        raise RuntimeError("macro() works in a session that has macros")
    if not callable(function):
        raise TypeError(f"macro() takes a function, not {type(function).__name__}")
    if function.__name__ == "<lambda>":
        raise TypeError("macro() takes a function that has a name, not a lambda")
    expander.bindings[function.__name__] = function
    return function


_macro.__name__ = _macro.__qualname__ = "macro"


class Injection:
    """The names put into a program's namespace; those it has itself are left alone."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._added: dict[str, Any] = {}
        self._is_done = False

    def add(self) -> None:
        """Put the names there, as soon as somebody may use them; only once, since a session may delete them."""
        if self._is_done:
            return
        self._is_done = True
        for function in (doc, server_print, halt, bg, fg, jobs, help, use_loop):
            self._add(function.__name__, function)
        # Without the site module there are none.
        for name in ("exit", "quit"):
            if not hasattr(builtins, name):
                self._add(name, _end_session)

    def add_macro(self) -> None:
        """Put ``macro`` there, as soon as there is a session that has macros."""
        self._add("macro", _macro)

    def _add(self, name: str, thing: Any) -> None:
        if name not in self._namespace:
            self._namespace[name] = thing
            self._added[name] = thing

    def remove(self) -> None:
        """Take back what still is ours."""
        for name, thing in self._added.items():
            if self._namespace.get(name) is thing:
                del self._namespace[name]
        self._added.clear()


def _end_session(code: Optional[object] = None) -> None:
    """End this session."""
    raise SystemExit(code)
