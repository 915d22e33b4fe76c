"""Reports: what became of an evaluation, as data for a program instead of text for a person."""

from __future__ import annotations

import os
import traceback
import types
from typing import Any, Optional, Type

__all__ = ["cut", "exception_report", "format_exception", "trim"]

#: Bytes of UTF-8 of one text, and frames of one stack; what is longer is cut in its middle.
MAXIMUM_TEXT = 64 << 10
MAXIMUM_FRAMES = 100

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def trim(trace: Optional[types.TracebackType]) -> Optional[types.TracebackType]:
    """The traceback without the frames of this package it begins with."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        trace = trace.tb_next
    return trace


def _hide_own_frames(shown: Optional[traceback.TracebackException]) -> None:
    """Take the frames of this package out of a traceback, and out of those it is chained to."""
    pending, seen = [shown], set()
    while pending:
        each = pending.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        each.stack[:] = [frame for frame in each.stack if not frame.filename.startswith(_PACKAGE)]
        pending += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]


def format_exception(
    kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[types.TracebackType]
) -> tuple[str, list[traceback.FrameSummary]]:
    """The text of an exception, as the interpreter's own prompt would show it, and the frames of its traceback.

    Whatever the code of the exception does: what cannot be shown is said to be so. A KeyboardInterrupt comes through.
    """
    try:
        shown = traceback.TracebackException(kind, error, trace)  # type: ignore[arg-type]
        _hide_own_frames(shown)
        # What the server itself has to say of a block has no frames, and needs no heading for them.
        is_bare = not shown.stack and shown.__cause__ is None and shown.__context__ is None
        return "".join(shown.format_exception_only() if is_bare else shown.format()), list(shown.stack)
    except KeyboardInterrupt:
        raise
    except BaseException as failure:
        name = getattr(kind, "__name__", kind)
        return f"{name}: <cannot be shown: {type(failure).__name__}>\n", []


def cut(text: str, maximum: int = MAXIMUM_TEXT) -> str:
    """The text, or its beginning and its end when its UTF-8 is longer than `maximum`."""
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= maximum:
        return data.decode("utf-8")
    half = maximum // 2
    head = data[:half].decode("utf-8", "ignore")
    tail = data[-half:].decode("utf-8", "ignore")
    return f"{head}\n... {len(data) - 2 * half} bytes left out ...\n{tail}"


def exception_report(error: BaseException) -> dict[str, Any]:
    """An exception as the wire has it: its type, message, traceback and frames."""
    text, frames = format_exception(type(error), error, trim(error.__traceback__))
    if len(frames) > MAXIMUM_FRAMES:
        frames = frames[: MAXIMUM_FRAMES // 2] + frames[-MAXIMUM_FRAMES // 2 :]
    return {
        "type": cut(str(getattr(type(error), "__name__", "?")), 1024),
        "message": cut(_message(error), 16 << 10),
        "traceback": cut(text),
        "frames": [frame_report(frame) for frame in frames],
    }


def _message(error: BaseException) -> str:
    try:
        if isinstance(error, SyntaxError) and error.lineno is not None:
            return _syntax_message(error)
        return str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as failure:
        return f"<cannot be shown: {type(failure).__name__}>"


def _syntax_message(error: SyntaxError) -> str:
    """What is wrong with the source, and where, in one line."""
    where = f"line {error.lineno}" + (f", column {error.offset}" if error.offset else "")
    text = error.text.strip() if isinstance(error.text, str) else ""
    return f"{error.msg} ({where})" + (f": {text}" if text and "\n" not in text else "")


def frame_report(frame: traceback.FrameSummary) -> dict[str, Any]:
    """One entry of a stack as the wire has it."""
    report: dict[str, Any] = {
        "file": cut(frame.filename, 4096),
        "line": frame.lineno or 0,
        "function": cut(frame.name, 1024),
    }
    try:
        line = frame.line
    except Exception:
        line = None
    if line:
        report["text"] = cut(line.strip(), 1024)
    return report
