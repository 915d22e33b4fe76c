"""Definitions: where in which file something is defined, found without running any code of the program's."""

from __future__ import annotations

import functools
import inspect
import linecache
import os
import re
import tokenize
import types
from typing import Any, NamedTuple, Optional

from .attributes import instance_dictionary, named, own_class_names, type_name
from .importables import loaded

__all__ = ["Definition", "definition"]

#: How many decorators, partial applications and methods are looked through.
MAXIMUM_LAYERS = 16
#: The largest file that is read, in bytes.
MAXIMUM_FILE_SIZE = 8 << 20


class Definition(NamedTuple):
    """Where something is defined."""

    filename: str
    #: Its first line, from 1; None for a module, which is the whole file.
    line: Optional[int]

    def lines(self) -> list[str]:
        """Its source, each line with its end; none where it cannot be read."""
        lines = _lines(self.filename)
        if self.line is None:
            return lines
        try:
            return inspect.getblock(lines[self.line - 1 :]) if 0 < self.line <= len(lines) else []
        except (SyntaxError, tokenize.TokenError):
            return []


def definition(thing: Any, layers: int = MAXIMUM_LAYERS) -> Optional[Definition]:
    """Where an object, or else its class, is defined; None if that cannot be known."""
    cls = type(thing)
    if layers <= 0 or thing is None:
        return None
    if cls is types.MethodType or cls is staticmethod or cls is classmethod:
        return definition(thing.__func__, layers - 1)
    if cls is property:
        return definition(thing.fget, layers - 1)
    if cls is functools.partial:
        return definition(thing.func, layers - 1)
    if issubclass(cls, types.ModuleType):
        filename = named(instance_dictionary(thing)).get("__file__")
        return Definition(filename, None) if type(filename) is str else None
    if issubclass(cls, type):
        return _of_class(thing)
    wrapped = named(instance_dictionary(thing)).get("__wrapped__")
    found = definition(wrapped, layers - 1) if wrapped is not None else None
    if found is not None:
        return found
    if cls is types.FunctionType:
        code = thing.__code__
        filename = code.co_filename
        if type(filename) is str and filename.startswith("<frozen "):
            # The module knows where its source is.
            known = named(thing.__globals__).get("__file__")
            filename = known if type(known) is str else filename
        return Definition(filename, code.co_firstlineno) if type(filename) is str else None
    return _of_class(cls)


def _of_class(cls: type) -> Optional[Definition]:
    names = own_class_names(cls)
    module = names.get("__module__")
    if type(module) is not str or module == "builtins":
        return None
    name = type_name(cls)
    filename = named(instance_dictionary(loaded(module))).get("__file__")
    # A class that was typed has no file of a module's, but its methods know the block it was typed in.
    for value in names.values():
        if type(value) is types.FunctionType:
            full = value.__qualname__
            if type(full) is str and full.startswith(name + "."):
                filename = value.__code__.co_filename
                break
    if type(filename) is not str:
        return None
    line = _class_line(_lines(filename), name, names.get("__firstlineno__"))
    return None if line is None else Definition(filename, line)


def _class_line(lines: list[str], name: str, known: Any) -> Optional[int]:
    """The line that a class with a qualified name begins at, its decorators included."""
    if type(known) is int:
        return known
    first, indentation = 0, -1
    for part in name.split("."):
        if part == "<locals>":
            continue
        pattern = re.compile(rf"([ \t]*)(?:class|(?:async[ \t]+)?def)[ \t]+{re.escape(part)}\b")
        matches = [(len(match.group(1)), index) for index, match in enumerate(map(pattern.match, lines))
                   if match is not None and index >= first and len(match.group(1)) > indentation]  # fmt: skip
        if not matches:
            return None
        indentation, first = min(matches)
    while first > 0 and re.match(rf"[ \t]{{{indentation}}}@", lines[first - 1]):
        first -= 1
    return first + 1


def _lines(filename: str) -> list[str]:
    """The lines of a file, or of a block that was typed."""
    linecache.checkcache(filename)
    entry = linecache.cache.get(filename)
    # An entry of one member is a loader, which would be asked.
    if entry is None or len(entry) == 1:
        try:
            if not os.path.isfile(filename) or os.path.getsize(filename) > MAXIMUM_FILE_SIZE:
                return []
        except (OSError, ValueError):
            return []
    return linecache.getlines(filename)
