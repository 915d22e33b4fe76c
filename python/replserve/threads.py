"""Threads: where every thread of the process is."""

from __future__ import annotations

import sys
import threading
import traceback
from typing import Any, Optional

from .reports import MAXIMUM_FRAMES, frame_report

__all__ = ["locate", "stacks"]


def stacks() -> list[dict[str, Any]]:
    """The stack of every thread that Python knows, the outermost frame first; the calling one's is empty."""
    frames = sys._current_frames()
    found = []
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        if frame is None or thread.native_id is None:
            continue
        is_here = thread.ident == threading.get_ident()
        summary = [] if is_here else traceback.extract_stack(frame, limit=MAXIMUM_FRAMES)
        found.append(
            {"thread": thread.native_id, "name": str(thread.name)[:256], "frames": [frame_report(f) for f in summary]}
        )
    return found


def locate(ident: int) -> Optional[dict[str, Any]]:
    """Where a thread is, by what ``threading.get_ident()`` gives in it: its innermost frame; None when it has none."""
    frame = sys._current_frames().get(ident)
    if frame is None:
        return None
    summary = traceback.extract_stack(frame, limit=1)
    return frame_report(summary[-1]) if summary else None
