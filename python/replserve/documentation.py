"""Documentation: docstrings and sources, printed without a pager."""

from __future__ import annotations

import inspect
import sys
from typing import Any

__all__ = ["doc", "source"]


def _definition(thing: object) -> tuple[str, list[str], int]:
    """The file, the source lines and the first line's number of an object, or else of its class.

    Raise ``LookupError`` when neither has any.
    """
    for each in (thing, type(thing)):
        try:
            filename = inspect.getsourcefile(each)  # type: ignore[arg-type]
            lines, first = inspect.getsourcelines(each)  # type: ignore[arg-type]
        except (TypeError, OSError):
            continue
        if filename is not None:
            return filename, lines, first
    raise LookupError


def doc(obj: Any) -> None:
    """Print where an object is defined, if that can be known, and its docstring.

    It goes to ``sys.stderr``, as a result of the block it is used in would not: nothing of it is data.
    """
    try:
        filename, _, first = _definition(obj)
        print(f"{filename}:{first}", file=sys.stderr)
    except LookupError:
        pass
    text = getattr(obj, "__doc__", None)
    print(inspect.cleandoc(text) if isinstance(text, str) and text else "<no docstring>", file=sys.stderr)


def source(obj: Any) -> None:
    """Print where an object is defined, and its source."""
    try:
        filename, lines, first = _definition(obj)
    except LookupError:
        print("<no source code available>", file=sys.stderr)
        return
    print(f"{filename}:{first}", file=sys.stderr)
    for line in lines:
        print(line.rstrip("\n"), file=sys.stderr)
