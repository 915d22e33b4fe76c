"""Words: completion as ``rlcompleter`` gives it, for the ancestor's clients.

Unlike it, this runs no code of the program's: ``rlcompleter`` reads every attribute that it offers.
"""

from __future__ import annotations

import builtins
import keyword
import re
import sys
from typing import Any

from .attributes import UNKNOWN, Found, attributes, named, plain
from .cursor import Place
from .resolution import resolve
from .signatures import parameters

__all__ = ["words"]

_DOTTED = re.compile(r"(\w+(?:\.\w+)*)\.(\w*)")
#: The first version that writes both parentheses behind what takes no argument.
_CLOSES_PARENTHESES = sys.version_info >= (3, 10)
_OFFERS_SOFT_KEYWORDS = sys.version_info >= (3, 11)
_WITHOUT_BLANK = frozenset(("False", "None", "True", "break", "continue", "pass", "else", "_"))


def words(text: str, namespace: dict[str, Any]) -> list[str]:
    """The whole words that a name or a dotted expression may become; what can be called ends with a parenthesis."""
    if not text.strip():
        return []
    return _of_attributes(text, namespace) if "." in text else _of_names(text, namespace)


def _of_names(text: str, namespace: dict[str, Any]) -> list[str]:
    soft = getattr(keyword, "softkwlist", []) if _OFFERS_SOFT_KEYWORDS else []
    found: dict[str, str] = {"__builtins__": ""}
    for word in (*keyword.kwlist, *soft):
        if word.startswith(text):
            ending = ":" if word in ("finally", "try") else "" if word in _WITHOUT_BLANK else " "
            found[word] = word + ending
    for names in (named(namespace), named(vars(builtins))):
        for name, value in names.items():
            if name.startswith(text) and name not in found:
                found[name] = name + _ending(plain(value))
    del found["__builtins__"]
    return list(found.values())


def _of_attributes(text: str, namespace: dict[str, Any]) -> list[str]:
    match = _DOTTED.match(text)
    if match is None:
        return []
    expression, prefix = match.groups()
    place = Place(expression + " ")
    chain = place.chain(len(place.tokens) - 1)
    found = None if chain is None else resolve(chain, namespace)
    if found is None or found.value is UNKNOWN:
        return []
    offered = {name: each for name, each in attributes(found.value, prefix).items() if name != "__builtins__"}
    # Private names are given where there are no others.
    for hidden in ("_", "__", None) if not prefix else ("__", None) if prefix == "_" else (None,):
        names = [name for name in offered if hidden is None or not name.startswith(hidden)]
        if names:
            return sorted(f"{expression}.{name}{_ending(offered[name])}" for name in names)
    return []


def _ending(found: Found) -> str:
    if found.value is UNKNOWN or found.kind == "property":
        return "(" if found.kind == "method" else ""
    if not callable(found.value):
        return ""
    return "()" if _CLOSES_PARENTHESES and parameters(found.value) == [] else "("
