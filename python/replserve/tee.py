"""The tee: what the process itself prints, for the clients that listen in.

While somebody does, ``sys.stdout`` and ``sys.stderr`` of the host are wrapped. What is written to the descriptors, or by
whoever has kept the stream itself, such as a handler of ``logging`` that was made before, is not seen.
"""

from __future__ import annotations

from typing import Any, Iterable

from . import _native

__all__ = ["Teed"]


class Teed:
    """A stream of the host: everything is done by it, and what is written is told."""

    def __init__(self, stream: Any, name: str) -> None:
        self._teed = stream
        self._number = 2 if name == "stderr" else 1

    @property
    def teed(self) -> Any:
        """The host's own stream."""
        return self._teed

    def write(self, text: Any) -> Any:
        """Write to the stream, and tell the clients; whatever it raises is the caller's."""
        result = self._teed.write(text)
        if isinstance(text, str):
            _native.tee(self._number, text.encode("utf-8", "backslashreplace"))
        return result

    def writelines(self, lines: Iterable[Any]) -> None:
        """Write each of them."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._teed, name)

    def __iter__(self) -> Any:
        return iter(self._teed)

    def __enter__(self) -> Any:
        return self._teed.__enter__()

    def __exit__(self, *exception: Any) -> Any:
        return self._teed.__exit__(*exception)
