"""Windows: ``shutil.get_terminal_size`` in a session gives the size of its client's window, if it has one.

Of the terminal of the process, which it gives otherwise, nobody in a session sees anything.
"""

from __future__ import annotations

import os
from typing import Any

from . import _native, routing
from .detours import Detour

__all__ = ["detour"]


def _get_terminal_size(fallback: Any = (80, 24)) -> Any:
    route = routing.route_of_this_thread()
    if route is None:
        return detour.original(fallback)
    size = (0, 0) if route.session is None else _native.window_size(route.session)
    return os.terminal_size(size if min(size) > 0 else fallback)


detour = Detour("shutil", "get_terminal_size", _get_terminal_size)
