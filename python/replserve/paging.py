"""Paging: ``help`` in a session prints plain text there, and never opens a pager on the process's terminal.

``pydoc`` picks its pager once for the whole process: if the program was the first to ask for help, in a terminal, every
later ``help()`` would open ``less`` there. So from the first ``help()`` of a session on ``pydoc.pager`` looks at who
calls it.
"""

from __future__ import annotations

import builtins
import sys
from typing import Any, Callable, Optional

from . import _native, routing

__all__ = ["help", "restore"]

_original: Optional[Callable[..., None]] = None


def help(*subject: Any, **options: Any) -> Any:
    """Describe an object, or start the interactive help: the builtin ``help``, as plain text in this session."""
    if routing.route_of_this_thread() is not None:
        _install()
    return getattr(builtins, "help", _site_help)(*subject, **options)


def _site_help(*subject: Any, **options: Any) -> Any:
    import pydoc

    return pydoc.help(*subject, **options)


def _install() -> None:
    global _original
    import pydoc

    if pydoc.pager is _page:
        return
    _original = pydoc.pager
    pydoc.pager = _page  # type: ignore[assignment]


def _page(text: str, *arguments: Any, **options: Any) -> None:
    import pydoc

    route = routing.route_of_this_thread()
    if route is not None:
        if not _page_at_client(route, text):
            pydoc.plainpager(text)
    elif _original is not None:
        # The original replaces `pydoc.pager` by what it picks; it may, but we stay in front of it.
        _original(text, *arguments, **options)
        if pydoc.pager is not _page:
            _install()


def _page_at_client(route: routing.Route, text: str) -> bool:
    """Show a text in the pager of a session's client, if it has one and the text is meant for its output."""
    session = route.session
    if session is None or sys.stdout is not route.own_stdout:
        return False
    import pydoc

    return _native.page(session, pydoc.plain(text).encode("utf-8", "backslashreplace"))


def restore() -> None:
    """Give ``pydoc`` its own pager back."""
    global _original
    pydoc = sys.modules.get("pydoc")
    if pydoc is not None and _original is not None and pydoc.pager is _page:
        pydoc.pager = _original  # type: ignore[attr-defined]
    _original = None
