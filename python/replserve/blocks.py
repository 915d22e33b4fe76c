"""Blocks: which lines of a long block can end it.

To know whether a block is complete, it is compiled. Doing that for every line of a long paste takes time that grows
with the square of its length, so from some length on only those lines are tried that may be the last.
"""

from __future__ import annotations

import re

__all__ = ["BlockScanner"]

#: Blocks up to this many lines are compiled line by line, so that an error is told at once.
SHORT_BLOCK = 100

_TOKENS = re.compile(
    r"""\#[^\n]* | \"\"\" | ''' | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | [()\[\]{}]""",
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {'"""': re.compile(r'(?:\\.|[^"\\]|"(?!""))*"""', re.DOTALL),
            "'''": re.compile(r"(?:\\.|[^'\\]|'(?!''))*'''", re.DOTALL)}  # fmt: skip


class BlockScanner:
    """Follows the brackets and long strings of one block as it grows. It may err; see `may_be_complete`."""

    def __init__(self) -> None:
        self._source = ""
        self._lines = 0
        self._tried_at = 0
        self._depth = 0
        self._quote = ""
        self._continued = ""

    def may_be_complete(self, source: str) -> bool:
        """Whether to compile ``source``, which is the block of the last call and more, or another one.

        Whatever this makes of brackets and quotes, the block is tried when it has doubled since the last time.
        """
        if not (self._source and source.startswith(self._source)):
            self.__init__()  # type: ignore[misc]
        added = source[len(self._source) :]
        self._source = source
        self._lines += added.count("\n") or 1
        self._follow(added)
        last = added.rsplit("\n", 1)[-1]
        is_open = bool(self._depth > 0 or self._quote)
        # An indented line continues the block it is in, unless it closes a bracket that was opened without indentation.
        continues = last[:1] in (" ", "\t") and last.strip() and not last.rstrip().endswith(tuple(")]}\"'"))
        is_inside = is_open or bool(continues)
        if self._lines > SHORT_BLOCK and is_inside and self._lines < 2 * self._tried_at:
            return False
        self._tried_at = self._lines
        return True

    def _follow(self, text: str) -> None:
        # A string may go on behind a backslash at the end of a line: such a line is read with the next one.
        text, self._continued = self._continued + text, ""
        if text.endswith("\\") and not self._quote:
            self._continued = text
            return
        position = 0
        while position < len(text):
            if self._quote:
                end = _CLOSING[self._quote].match(text, position)
                if end is None:
                    return
                self._quote, position = "", end.end()
                continue
            token = _TOKENS.search(text, position)
            if token is None:
                return
            position = token.end()
            found = token.group()
            if found in _CLOSING:
                self._quote = found
            elif found in "([{":
                self._depth += 1
            elif found in ")]}":
                self._depth -= 1
