"""Passwords: ``getpass.getpass`` in a session asks the session's client, and never the terminal of the process.

The function opens ``/dev/tty`` itself, which is the terminal of whoever started the process.
"""

from __future__ import annotations

import sys
from typing import Any

from . import _native, routing
from .detours import Detour

__all__ = ["detour"]


def _getpass(prompt: str = "Password: ", stream: Any = None, **options: Any) -> Any:
    route = routing.route_of_this_thread()
    if route is not None and route.is_of_task:
        route.stdin.readline()  # refuses, in its own words
    if route is None or route.session is None:
        return detour.original(prompt, stream, **options)
    output = sys.stdout if stream is None else stream
    output.write(prompt)
    output.flush()
    line = _native.read_hidden(route.session).decode("utf-8", "replace")
    if not line:
        raise EOFError
    return line.rstrip("\n")


detour = Detour("getpass", "getpass", _getpass)
