"""Documentation: docstrings and sources, printed without a pager or given to whoever asks."""

from __future__ import annotations

import functools
import inspect
import keyword
import sys
import types
from typing import Any, Optional

from .attributes import UNKNOWN, Found, instance_dictionary, mro, named, own_class_names, type_name
from .cursor import Chain, Place
from .definitions import definition
from .importables import loaded
from .resolution import resolve
from .signatures import signature

__all__ = ["describe", "doc", "docstring", "first_line", "source"]

#: The longest text of a description, in bytes of UTF-8, and the longest name that is asked for, in code points.
MAXIMUM_TEXT_LENGTH = 1 << 18
MAXIMUM_NAME_LENGTH = 4096
#: The longest line of documentation of a candidate, in code points.
MAXIMUM_LINE_LENGTH = 200


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


def docstring(thing: Any) -> Optional[str]:
    """The documentation of an object, or else of its class, found without running any code of the program's."""
    text = _docstring(thing, 8)
    return text if text is None else inspect.cleandoc(text)


def _docstring(thing: Any, layers: int) -> Optional[str]:
    cls = type(thing)
    if layers <= 0:
        return None
    if id(cls) in _LAYERS:
        return _docstring(thing.__func__, layers - 1)
    if id(cls) in _WITH_DOC:
        text = thing.__doc__
        return text if type(text) is str else None
    if cls is functools.partial:
        return _docstring(thing.func, layers - 1)
    if issubclass(cls, type):
        return _class_docstring(thing)
    own = named(instance_dictionary(thing)).get("__doc__")
    if type(own) is str or issubclass(cls, types.ModuleType):
        return own if type(own) is str else None
    return _class_docstring(cls)


def _class_docstring(cls: type) -> Optional[str]:
    for each in mro(cls):
        text = own_class_names(each).get("__doc__")
        if type(text) is str and (each is not object or cls is object):
            return text
    return None


_LAYERS = frozenset(map(id, (types.MethodType, staticmethod, classmethod)))
_WITH_DOC = frozenset(
    map(id, (types.FunctionType, types.BuiltinFunctionType, types.MethodWrapperType, types.MethodDescriptorType,
             types.WrapperDescriptorType, types.ClassMethodDescriptorType, types.GetSetDescriptorType,
             types.MemberDescriptorType, property))
)  # fmt: skip


def first_line(thing: Any) -> str:
    """The first line of an object's own documentation, cut where it is long; "" without one."""
    if not (callable(thing) or issubclass(type(thing), (types.ModuleType, property))):
        return ""
    line = (docstring(thing) or "").strip().split("\n", 1)[0].strip()
    # It is shown in a terminal, which would obey what cannot be printed.
    line = "".join(each if each.isprintable() else " " for each in line[: MAXIMUM_LINE_LENGTH + 1])
    return line if len(line) <= MAXIMUM_LINE_LENGTH else line[: MAXIMUM_LINE_LENGTH - 3] + "..."


def describe(expression: str, namespace: dict[str, Any], want_source: bool) -> dict[str, Any]:
    """What is known of a name or a dotted expression, found without running any code of the program's.

    The result has ``kind``, ``type`` and ``truncated``, which says whether a text was cut to ``MAXIMUM_TEXT_LENGTH``
    bytes; and, where they are known, ``file``, ``line`` (from 1), ``signature``, ``doc`` and, if wanted, ``source``.
    Raise ``LookupError``, with a line for the user, for what stands for nothing.
    """
    name = expression.strip()
    if keyword.iskeyword(name) and name not in ("None", "True", "False"):
        doc = f"A word of the language. help({name!r}) in a session describes it."
        return {"kind": "keyword", "type": "keyword", "doc": doc, "truncated": False}
    found = _found(name, namespace)
    thing = found.source if found.value is UNKNOWN else found.value
    place = definition(thing)
    texts = {
        "file": None if place is None else place.filename,
        "signature": signature(thing),
        "doc": docstring(thing),
        "source": "".join(place.lines()) if want_source and place is not None else None,
    }
    described: dict[str, Any] = {"kind": found.kind, "type": _cut(_clean(type_name(type(thing))))[0], "truncated": False}
    if place is not None and place.line is not None:
        described["line"] = place.line
    for key, text in texts.items():
        if text:
            described[key], is_cut = _cut(_clean(text))
            described["truncated"] |= is_cut
    return described


def _found(name: str, namespace: dict[str, Any]) -> Found:
    """What a name or a dotted expression stands for; else raise ``LookupError``."""
    if len(name) > MAXIMUM_NAME_LENGTH:
        raise LookupError(f"a name of {len(name)} characters is too long: at most {MAXIMUM_NAME_LENGTH}")
    # With the blank, the last word is a token like the others.
    place = Place(name + " ")
    is_whole = place.string is None and not place.brackets and not place.is_comment
    chain = place.chain(len(place.tokens) - 1) if is_whole else None
    if chain is None or chain.first != 0:
        raise LookupError(f"{name!r} is not a name or a dotted expression")
    found = resolve(chain, namespace)
    if found is None:
        found = _in_modules(name, chain)
    if found is None:
        for length in range(len(chain.steps)):
            if resolve(chain._replace(steps=chain.steps[: length + 1]), namespace) is not None:
                continue
            mark, key = chain.steps[length]
            if resolve(chain._replace(steps=()), namespace) is not None:
                what = f"an attribute {key!r}" if mark == "." else f"anything under {key!r}"
                raise LookupError(f"{name!r}: there is not {what}, as far as can be seen without running anything")
        raise LookupError(f"there is nothing called {(chain.name or name)!r}")
    if found.value is UNKNOWN and found.source is UNKNOWN:
        raise LookupError(f"{name!r}: what a call or a property gives cannot be known without running it")
    return found


def _in_modules(name: str, chain: Chain) -> Optional[Found]:
    """A module that is loaded but not bound to a name, or something in it."""
    if any(mark != "." for mark, _ in chain.steps):
        return None
    parts = [chain.name, *(key for _, key in chain.steps)]
    for length in range(len(parts), 0, -1):
        module = loaded(".".join(parts[:length]))
        if module is not None:
            found = resolve(Chain("", module, chain.steps[length - 1 :], 0), {})
            if found is not None:
                return found
    return None


def _clean(text: str) -> str:
    """Half of a surrogate pair is no text that can be sent."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _cut(text: str) -> tuple[str, bool]:
    encoded = text.encode("utf-8")
    if len(encoded) <= MAXIMUM_TEXT_LENGTH:
        return text, False
    return encoded[:MAXIMUM_TEXT_LENGTH].decode("utf-8", "ignore"), True
