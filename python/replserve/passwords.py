"""Passwords: ``getpass.getpass`` in a session asks the session's client, and never the terminal of the process.

The function opens ``/dev/tty`` itself, which is the terminal of whoever started the process. So while a session lives it
looks at who calls it.
"""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional

from . import _native, routing

__all__ = ["install", "restore"]

_original: Optional[Callable[..., str]] = None


def install() -> None:
    """Let ``getpass.getpass`` know of sessions."""
    global _original
    import getpass

    if getpass.getpass is _getpass:
        return
    _original = getpass.getpass
    getpass.getpass = _getpass


def _getpass(prompt: str = "Password: ", stream: Any = None, **options: Any) -> str:
    route = routing.route_of_this_thread()
    if route is None or route.session is None:
        assert _original is not None
        return _original(prompt, stream, **options)
    output = sys.stdout if stream is None else stream
    output.write(prompt)
    output.flush()
    line = _native.read_hidden(route.session).decode("utf-8", "replace")
    if not line:
        raise EOFError
    return line.rstrip("\n")


def restore() -> None:
    """Give ``getpass`` its own function back."""
    global _original
    getpass = sys.modules.get("getpass")
    if getpass is not None and _original is not None and getpass.getpass is _getpass:
        getpass.getpass = _original  # type: ignore[attr-defined]
    _original = None
