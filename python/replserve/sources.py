"""Sources: the text of blocks that were typed, so that tracebacks and ``inspect`` can show it."""

from __future__ import annotations

import linecache
import threading
from collections import deque

__all__ = ["forget_all", "register"]

#: How many blocks, and how many characters of them in all, are kept for the whole process.
MAXIMUM_BLOCKS = 2000
MAXIMUM_CHARACTERS = 8 << 20

_lock = threading.Lock()
_kept: deque[tuple[str, int]] = deque()
_characters = 0


def register(filename: str, source: str) -> None:
    """Let ``linecache`` know a block under the name it was compiled with.

    An entry without a modification time stays when ``linecache.checkcache`` looks for files that have changed.
    """
    global _characters
    lines = [line + "\n" for line in source.splitlines()]
    with _lock:
        linecache.cache[filename] = (len(source), None, lines, filename)
        _kept.append((filename, len(source)))
        _characters += len(source)
        while _kept and (len(_kept) > MAXIMUM_BLOCKS or _characters > MAXIMUM_CHARACTERS):
            oldest, size = _kept.popleft()
            _characters -= size
            linecache.cache.pop(oldest, None)


def forget_all() -> None:
    """Forget every block."""
    global _characters
    with _lock:
        for filename, _ in _kept:
            linecache.cache.pop(filename, None)
        _kept.clear()
        _characters = 0
