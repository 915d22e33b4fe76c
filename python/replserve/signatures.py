"""Signatures: how something is called, found without running any code of the program's.

``inspect.signature`` asks the object (``__signature__``, ``__wrapped__``), and to write a default value or an
annotation down is to call its ``__repr__``. So what a function is made of is read instead, and of the values only those
of plain types are written out; any other is ``...``.
"""

from __future__ import annotations

import functools
import re
import types
from typing import Any, NamedTuple, Optional

from .attributes import MISSING, attribute, class_names, instance_dictionary, kind_of, named, type_name

__all__ = ["Parameter", "parameters", "signature"]

POSITIONAL, EITHER, VAR_POSITIONAL, KEYWORD, VAR_KEYWORD = range(5)

#: How many decorators, partial applications and methods are looked through.
MAXIMUM_LAYERS = 16
#: How deep a tuple or a generic type is written out, and how many of its members.
MAXIMUM_DEPTH = 4
MAXIMUM_MEMBERS = 16
MAXIMUM_VALUE_LENGTH = 200
MAXIMUM_TEXT_LENGTH = 8192

_LRU_CACHE = type(functools.lru_cache(maxsize=1)(len))
_WITH_TEXT = frozenset(
    map(id, (types.BuiltinFunctionType, types.MethodWrapperType, types.MethodDescriptorType,
             types.WrapperDescriptorType, types.ClassMethodDescriptorType))
)  # fmt: skip
_UNBOUND = frozenset(map(id, (types.MethodDescriptorType, types.WrapperDescriptorType)))
_TEXT_OF_TYPE: Any = type.__dict__["__text_signature__"]


class Parameter(NamedTuple):
    """A parameter."""

    name: str
    kind: int
    #: The default as it is written, or "" for none.
    default: str = ""
    #: The annotation as it is written, or "" for none.
    annotation: str = ""


def parameters(thing: Any, layers: int = MAXIMUM_LAYERS) -> Optional[list[Parameter]]:
    """The parameters that a call of an object takes; None if that cannot be known."""
    cls = type(thing)
    if layers <= 0:
        return None
    if cls is types.FunctionType or cls is _LRU_CACHE:
        wrapped = named(instance_dictionary(thing)).get("__wrapped__")
        found = parameters(wrapped, layers - 1) if kind_of(wrapped) in ("function", "class") else None
        return _of_function(thing) if found is None and cls is types.FunctionType else found
    if cls is types.MethodType:
        return _without_first(parameters(thing.__func__, layers - 1))
    if cls is functools.partial:
        return _of_partial(thing, layers)
    if issubclass(cls, type):
        return _of_class(thing, layers)
    if id(cls) in _WITH_TEXT:
        return _of_text(thing.__text_signature__, id(cls) in _UNBOUND)
    call = class_names(cls).get("__call__", MISSING)
    return _without_first(parameters(call, layers - 1)) if type(call) is types.FunctionType else None


def _without_first(found: Optional[list[Parameter]]) -> Optional[list[Parameter]]:
    """Without the parameter that a method gets by itself."""
    if found and found[0].kind in (POSITIONAL, EITHER):
        return found[1:]
    return found


def _of_function(function: types.FunctionType) -> list[Parameter]:
    code = function.__code__
    annotations = named(function.__annotations__)
    positional, keyword_only = code.co_argcount, code.co_kwonlyargcount
    names = code.co_varnames
    defaults: Any = function.__defaults__
    if type(defaults) is not tuple:
        defaults = ()
    keyword_defaults = named(function.__kwdefaults__)

    def made(name: str, kind: int, default: Any = MISSING) -> Parameter:
        annotation = annotations.get(name, MISSING)
        return Parameter(
            name,
            kind,
            "" if default is MISSING else _written(default),
            "" if annotation is MISSING else _annotation(annotation),
        )

    found = []
    first_default = positional - len(defaults)
    for index, name in enumerate(names[:positional]):
        default = defaults[index - first_default] if index >= first_default else MISSING
        found.append(made(name, POSITIONAL if index < code.co_posonlyargcount else EITHER, default))
    rest = list(names[positional + keyword_only :])
    if code.co_flags & 0x04 and rest:
        found.append(made(rest.pop(0), VAR_POSITIONAL))
    for name in names[positional : positional + keyword_only]:
        found.append(made(name, KEYWORD, keyword_defaults.get(name, MISSING)))
    if code.co_flags & 0x08 and rest:
        found.append(made(rest.pop(0), VAR_KEYWORD))
    return found


def _of_partial(thing: Any, layers: int) -> Optional[list[Parameter]]:
    found = parameters(thing.func, layers - 1)
    if found is None:
        return None
    given = len(thing.args)
    while given and found and found[0].kind in (POSITIONAL, EITHER):
        found, given = found[1:], given - 1
    preset = named(thing.keywords)
    # What stands behind a preset one can only be given by name.
    is_behind = False
    changed = []
    for each in found:
        if each.name in preset and each.kind in (EITHER, KEYWORD):
            is_behind = True
            each = each._replace(default=_written(preset[each.name]))
        if is_behind and each.kind == VAR_POSITIONAL:
            continue
        changed.append(each._replace(kind=KEYWORD) if is_behind and each.kind == EITHER else each)
    return changed


def _of_class(cls: type, layers: int) -> Optional[list[Parameter]]:
    """What a class takes: of its metaclass, or else of the nearest ``__new__`` and ``__init__`` in Python."""
    call = class_names(type(cls)).get("__call__", MISSING)
    if type(call) is types.FunctionType:
        return _without_first(parameters(call, layers - 1))
    names = class_names(cls)
    candidates = []
    for name in ("__init__", "__new__"):
        made = names.get(name, MISSING)
        if type(made) is staticmethod:
            made = made.__func__
        if type(made) is types.FunctionType:
            candidates.append(_without_first(parameters(made, layers - 1)) or [])
    if candidates:
        # Of a pair, one often only passes on what it is given.
        return max(candidates, key=lambda each: sum(1 for one in each if one.kind not in (VAR_POSITIONAL, VAR_KEYWORD)))
    return _of_text(_TEXT_OF_TYPE.__get__(cls))


_PIECE = re.compile(r"\s*([\w$*/]+)\s*(?:=\s*([^,()\[\]{}'\"]+|'[^']*'|\"[^\"]*\"|\(\)|\[\]|\{\}))?\s*(?:,|$)")


def _of_text(text: Any, is_unbound: bool = False) -> Optional[list[Parameter]]:
    """The parameters in a ``__text_signature__``, such as ``($self, key, default=None, /)``.

    The one with the dollar sign is given by the caller only where nothing is bound yet.
    """
    if type(text) is not str or not (text.startswith("(") and text.endswith(")")) or len(text) > MAXIMUM_TEXT_LENGTH:
        return None
    found: list[Parameter] = []
    body, position, kind = text[1:-1], 0, EITHER
    while position < len(body):
        piece = _PIECE.match(body, position)
        if piece is None:
            return None
        position = piece.end()
        name, default = piece.group(1), (piece.group(2) or "").strip()
        if name == "/":
            found = [each._replace(kind=POSITIONAL) for each in found]
        elif name == "*":
            kind = KEYWORD
        elif name.startswith("**"):
            found.append(Parameter(name[2:], VAR_KEYWORD))
        elif name.startswith("*"):
            kind = KEYWORD
            found.append(Parameter(name[1:], VAR_POSITIONAL))
        elif name.startswith("$"):
            found += [Parameter(name[1:], EITHER)] if is_unbound else []
        else:
            found.append(Parameter(name, kind, default))
    return found if all(each.name.isidentifier() for each in found) else None


def _written(value: Any, depth: int = 0) -> str:
    """A default value as it would be written in a source, where that needs no code of the program's."""
    cls = type(value)
    if value is None or value is True or value is False or value is ...:
        return repr(value)
    if cls is int:
        return str(value) if value.bit_length() < 256 else "..."
    if cls is float or cls is complex:
        return repr(value)
    if cls is str or cls is bytes:
        written = repr(value[: MAXIMUM_VALUE_LENGTH + 1])
        return written if len(written) <= MAXIMUM_VALUE_LENGTH else "..."
    if cls is tuple and depth < MAXIMUM_DEPTH and len(value) <= MAXIMUM_MEMBERS:
        members = [_written(each, depth + 1) for each in value]
        return "(" + ", ".join(members) + ("," if len(members) == 1 else "") + ")"
    if (cls is list or cls is dict or cls is set) and not len(value):
        return "[]" if cls is list else "{}" if cls is dict else "set()"
    if issubclass(cls, type):
        return type_name(value)
    return "..."


def _annotation(value: Any, depth: int = 0) -> str:
    """An annotation as it is written, as far as that needs no code of the program's; else ``...``."""
    cls = type(value)
    if depth > MAXIMUM_DEPTH:
        return "..."
    if cls is str:
        return value[:MAXIMUM_VALUE_LENGTH] if value.isprintable() else "..."
    if value is None or cls is type(None):
        return "None"
    if value is ...:
        return "..."
    if issubclass(cls, type):
        return "None" if value is type(None) else type_name(value)
    if cls is list:
        return "[" + ", ".join(_annotation(each, depth + 1) for each in value[:MAXIMUM_MEMBERS]) + "]"
    if cls is types.GenericAlias:
        return _generic(_annotation(value.__origin__, depth + 1), value.__args__, depth)
    if cls is getattr(types, "UnionType", MISSING):
        return " | ".join(_annotation(each, depth + 1) for each in value.__args__[:MAXIMUM_MEMBERS])
    if type(cls) is type and class_names(cls).get("__module__") == "typing":
        return _of_typing(value, depth)
    return "..."


def _of_typing(value: Any, depth: int) -> str:
    arguments = _value(value, "__args__")
    # A Union has no name of its own in some versions.
    names = (_value(value, "_name"), _value(value, "__name__"), _value(_value(value, "__origin__"), "_name"))
    name = next((each for each in names if type(each) is str and each.isprintable()), "...")
    if name in ("Union", "Optional") and type(arguments) is tuple:
        return " | ".join(_annotation(each, depth + 1) for each in arguments[:MAXIMUM_MEMBERS])
    return _generic(name, arguments, depth)


def _value(thing: Any, name: str) -> Any:
    found = attribute(thing, name)
    return None if found is None else found.value


def _generic(name: str, arguments: Any, depth: int) -> str:
    if type(arguments) is not tuple or not arguments:
        return name
    members = [_annotation(each, depth + 1) for each in arguments[:MAXIMUM_MEMBERS]]
    if name == "Callable" and len(members) > 1:
        members = ["[" + ", ".join(members[:-1]) + "]", members[-1]] if members[0] != "..." else members
    return f"{name}[{', '.join(members)}]"


_PREFIXES = {VAR_POSITIONAL: "*", VAR_KEYWORD: "**"}


def signature(thing: Any) -> Optional[str]:
    """How an object is called, in parentheses, with what it returns; None if that cannot be known."""
    found = parameters(thing)
    if found is None:
        return None
    parts: list[str] = []
    previous = POSITIONAL
    for each in found:
        if previous == POSITIONAL and each.kind != POSITIONAL and parts:
            parts.append("/")
        if each.kind == KEYWORD and previous not in (KEYWORD, VAR_POSITIONAL):
            parts.append("*")
        previous = each.kind
        part = _PREFIXES.get(each.kind, "") + each.name
        if each.annotation:
            part += ": " + each.annotation
        if each.default:
            part += (" = " if each.annotation else "=") + each.default
        parts.append(part)
    if parts and previous == POSITIONAL:
        parts.append("/")
    return "(" + ", ".join(parts) + ")" + _returned(thing)


def _returned(thing: Any) -> str:
    function = thing.__func__ if type(thing) is types.MethodType else thing
    if type(function) is not types.FunctionType:
        return ""
    value = named(function.__annotations__).get("return", MISSING)
    return "" if value is MISSING else " -> " + _annotation(value)
