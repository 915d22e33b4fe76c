"""Attributes: what an object has, found without running any code of the program's.

Python calls into a program in more places than meet the eye: ``isinstance`` reads ``__class__``, looking a type up in a
set hashes it by its metaclass, looking a string up in a dictionary may compare it with a key of a subclass of ``str``.
So here types are compared by identity, dictionaries are read entry by entry, and of descriptors only those that are
implemented in C and known to do nothing but read are asked for their value.
"""

from __future__ import annotations

import builtins
import enum
import functools
import itertools
import sys
import types
from typing import Any, Iterator, NamedTuple, Optional

__all__ = [
    "MISSING",
    "UNKNOWN",
    "Found",
    "attribute",
    "attributes",
    "class_names",
    "defines",
    "entries",
    "instance_dictionary",
    "item",
    "keys_can_be_trusted",
    "kind_of",
    "mro",
    "named",
    "own_class_names",
    "plain",
    "top_level",
    "type_name",
]

#: How many entries of one dictionary are looked at.
MAXIMUM_ENTRIES = 1 << 17
#: How often a dictionary that changes while it is read is tried again.
ATTEMPTS = 8

MISSING: Any = object()
#: The value of an attribute that cannot be known without running something.
UNKNOWN: Any = object()


class Found(NamedTuple):
    """An attribute."""

    #: What it is; ``UNKNOWN`` where only code of the program's could tell.
    value: Any
    #: A word for what it is, as in a candidate.
    kind: str
    #: The descriptor it comes from, or else the value.
    source: Any


_MRO: Any = type.__dict__["__mro__"]
_CLASS_DICT: Any = type.__dict__["__dict__"]
_CLASS: Any = object.__dict__["__class__"]
_LRU_CACHE = type(functools.lru_cache(maxsize=1)(len))

_METHOD_DESCRIPTORS = frozenset(
    map(id, (types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType))
)
_FUNCTIONS = _METHOD_DESCRIPTORS | frozenset(
    map(id, (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType, _LRU_CACHE,
             functools.partial))
)  # fmt: skip
#: Types whose attributes in C only read. ``f_locals`` of a frame is none: it writes the variables anew.
_READABLE = frozenset(
    map(id, (types.FunctionType, types.MethodType, types.CodeType, types.FrameType, types.TracebackType,
             types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, BaseException))
)  # fmt: skip
_READABLE_OF_TYPE = frozenset(("__name__", "__qualname__", "__bases__", "__module__"))


def mro(cls: type) -> tuple[type, ...]:
    """A class and its bases, whatever its metaclass says."""
    found = _MRO.__get__(cls)
    return found if type(found) is tuple else ()


def entries(names: Any) -> list[tuple[Any, Any]]:
    """A copy of a dictionary's entries, at most ``MAXIMUM_ENTRIES``; none if it is none, or changes all the time."""
    if not issubclass(type(names), dict):
        return []
    return _copied(dict.items(names))


def _copied(items: Any) -> list[tuple[Any, Any]]:
    for _ in range(ATTEMPTS):
        try:
            return list(itertools.islice(items, MAXIMUM_ENTRIES))
        except RuntimeError:
            # It changed its size: making the list may collect garbage, and that may run anything.
            continue
    return []


def named(names: Any) -> dict[str, Any]:
    """A copy of those entries of a dictionary whose keys are strings, and no subclass that has its own ``__eq__``."""
    return {key: value for key, value in entries(names) if type(key) is str}


def own_class_names(cls: type) -> dict[str, Any]:
    """The attributes in the dictionary of a class, whatever its metaclass says."""
    return {key: value for key, value in _copied(_CLASS_DICT.__get__(cls).items()) if type(key) is str}


def class_names(cls: type) -> dict[str, Any]:
    """The attributes in the dictionaries of a class and its bases, the nearest first to hold."""
    merged: dict[str, Any] = {}
    for each in reversed(mro(cls)):
        merged.update(own_class_names(each))
    return merged


def type_name(cls: type) -> str:
    """The name of a class, with the classes or functions it is in, whatever its metaclass says."""
    found = type.__dict__["__qualname__"].__get__(cls)
    return found if type(found) is str else "?"


def defines(cls: type, name: str) -> bool:
    """Whether a class or one of its bases has an attribute, ``object`` aside."""
    return _owner(cls, name) is not None


def _owner(cls: type, name: str) -> Optional[type]:
    for each in mro(cls):
        if each is not object and name in own_class_names(each):
            return each
    return None


def _instance_names(thing: Any) -> dict[str, Any]:
    names = instance_dictionary(thing)
    return {} if names is None else named(names)


def instance_dictionary(thing: Any) -> Optional[dict[Any, Any]]:
    """The dictionary an object has, whatever its class says ``__dict__`` is; None for one without."""
    for each in mro(type(thing)):
        value = own_class_names(each).get("__dict__")
        if type(value) is types.GetSetDescriptorType or type(value) is types.MemberDescriptorType:
            try:
                found = value.__get__(thing, type(thing))
            except (AttributeError, TypeError):
                continue
            if issubclass(type(found), dict):
                return found  # type: ignore[no-any-return]
    return None


def kind_of(thing: Any) -> str:
    """A word for what an object is."""
    cls = type(thing)
    if issubclass(cls, type):
        return "class"
    if issubclass(cls, types.ModuleType):
        return "module"
    return "function" if id(cls) in _FUNCTIONS else "instance"


def plain(value: Any) -> Found:
    """An object as what it is itself."""
    return Found(value, kind_of(value), value)


class _Names:
    """Where an object's attributes are looked for."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing
        self.cls = type(thing)
        self.of_class = class_names(self.cls)
        self.is_class = issubclass(self.cls, type)
        if self.is_class:
            self.own = class_names(thing)
            if issubclass(self.cls, enum.EnumMeta):
                # Until CPython 3.10 the members are in no dictionary of the class.
                self.own.update(named(self.own.get("_member_map_")))
        else:
            self.own = _instance_names(thing)

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        yield from (name for name in self.of_class if name not in self.own)

    def find(self, name: str) -> Optional[Found]:
        above = self.of_class.get(name, MISSING)
        if above is not MISSING and _is_data_descriptor(above):
            return _of_instance(name, above, self.thing)
        own = self.own.get(name, MISSING)
        if own is not MISSING:
            return _of_class(own, self.thing) if self.is_class else plain(own)
        return None if above is MISSING else _of_instance(name, above, self.thing)


def _is_data_descriptor(entry: Any) -> bool:
    cls = type(entry)
    if cls is types.FunctionType or id(cls) in _METHOD_DESCRIPTORS:
        return False
    return defines(cls, "__set__") or defines(cls, "__delete__")


def _of_instance(name: str, entry: Any, thing: Any) -> Found:
    """An attribute that an object has by its class."""
    cls = type(entry)
    if cls is types.FunctionType or cls is _LRU_CACHE:
        return Found(types.MethodType(entry, thing), "method", entry)
    if cls is types.MemberDescriptorType:
        return _read(entry, thing)
    if cls is types.GetSetDescriptorType:
        if entry is _CLASS:
            return Found(type(thing), "class", entry)
        if name == "__dict__":
            names = instance_dictionary(thing)
            return Found(UNKNOWN if names is None else names, "instance", entry)
        owner = entry.__objclass__
        if id(owner) in _READABLE and name != "f_locals" or owner is type and name in _READABLE_OF_TYPE:
            return _read(entry, thing)
        return Found(UNKNOWN, "property", entry)
    if cls is property:
        return _of_sys(name, entry) if thing is sys else Found(UNKNOWN, "property", entry)
    return _bound(entry, thing, type(thing))


def _of_class(entry: Any, owner: type) -> Found:
    """An attribute that a class has by itself or by a base."""
    cls = type(entry)
    if cls is types.FunctionType or cls is _LRU_CACHE:
        return Found(entry, "method", entry)
    if cls is property or cls is types.MemberDescriptorType or cls is types.GetSetDescriptorType:
        return Found(entry, "property", entry)
    return _bound(entry, None, owner)


def _bound(entry: Any, thing: Any, owner: type) -> Found:
    """An attribute that is the same for a class and its instances, or nearly so."""
    cls = type(entry)
    if cls is staticmethod:
        return Found(entry.__func__, kind_of(entry.__func__), entry)
    if cls is classmethod:
        function = entry.__func__
        is_plain = type(function) is types.FunctionType or type(function) is _LRU_CACHE
        return Found(types.MethodType(function, owner) if is_plain else UNKNOWN, "method", entry)
    if id(cls) in _METHOD_DESCRIPTORS:
        try:
            return Found(entry.__get__(thing, owner), "method", entry)
        except TypeError:
            return Found(UNKNOWN, "method", entry)
    if not defines(cls, "__get__"):
        return plain(entry)
    # Anybody's descriptor: what it would give, only it can tell.
    return Found(UNKNOWN, "method" if callable(entry) else "property", entry)


def _read(entry: Any, thing: Any) -> Found:
    """The value of a slot, or of an attribute in C that only reads."""
    try:
        value = entry.__get__(thing, type(thing))
    except (AttributeError, TypeError, ValueError):
        return Found(UNKNOWN, "property", entry)
    return Found(value, kind_of(value), entry)


def _of_sys(name: str, entry: property) -> Found:
    """What ``sys`` has under a name that is routed by thread while there are sessions: the program's own object."""
    routing = sys.modules.get(f"{__package__}.routing")
    if routing is None or name not in ("stdin", "stdout", "stderr", "displayhook"):
        return Found(UNKNOWN, "property", entry)
    value = routing.original(name)
    return Found(value, kind_of(value), entry)


def attribute(thing: Any, name: str) -> Optional[Found]:
    """An attribute of an object; None if it has none that can be seen without asking it."""
    return _Names(thing).find(name)


def attributes(thing: Any, prefix: str = "") -> dict[str, Found]:
    """The attributes of an object that begin with a prefix."""
    names = _Names(thing)
    found: dict[str, Found] = {}
    for name in names:
        if name.startswith(prefix):
            each = names.find(name)
            if each is not None:
                found[name] = each
    return found


def top_level(name: str, namespace: Any) -> Optional[Found]:
    """What a name stands for: in the namespace, or among the builtins."""
    for names in (namespace, vars(builtins)):
        value = named(names).get(name, MISSING)
        if value is not MISSING:
            return plain(value)
    return None


def keys_can_be_trusted(thing: Any) -> bool:
    """Whether an object is a dictionary, and looking up is what ``dict`` does."""
    return issubclass(type(thing), dict) and _owner(type(thing), "__getitem__") is dict


def item(thing: Any, key: Any) -> Optional[Found]:
    """What a list, a tuple or a dictionary holds under a number or a string; None for anything else."""
    cls = type(thing)
    if type(key) is int:
        for sequence in (list, tuple):
            if issubclass(cls, sequence) and _owner(cls, "__getitem__") is sequence:
                try:
                    return plain(sequence.__getitem__(thing, key))
                except (IndexError, OverflowError):
                    return None
    if keys_can_be_trusted(thing):
        for each, value in entries(thing):
            if type(each) is type(key) and each == key:
                return plain(value)
    return None
