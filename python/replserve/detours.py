"""Detours: functions of the standard library that, in a session, are meant for its client and not for the process.

Such a function is replaced while sessions live, by one that looks at who calls it: in a thread of the host it does what it
always did. What is put there is taken back when the server stops.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, Callable

__all__ = ["Detour"]


class Detour:
    """One replaced function."""

    def __init__(self, module: str, name: str, replacement: Callable[..., Any]) -> None:
        self._module = module
        self._name = name
        self._replacement = replacement
        self._original: Callable[..., Any] = replacement

    def install(self) -> None:
        """Put the replacement there, in front of whatever is there now."""
        module = importlib.import_module(self._module)
        current = getattr(module, self._name)
        if current is not self._replacement:
            self._original = current
            setattr(module, self._name, self._replacement)

    def original(self, *arguments: Any, **options: Any) -> Any:
        """Call what was there; stay in front of it, if it replaces itself."""
        try:
            return self._original(*arguments, **options)
        finally:
            self.install()

    def restore(self) -> None:
        """Give the module its own function back, if ours still stands there."""
        module = sys.modules.get(self._module)
        if module is not None and getattr(module, self._name, None) is self._replacement:
            setattr(module, self._name, self._original)
        self._original = self._replacement
