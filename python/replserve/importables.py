"""Importable modules: the names that an import statement can begin or go on with, found without importing anything."""

from __future__ import annotations

import itertools
import os
import sys
import zipimport
from importlib.machinery import all_suffixes
from typing import Any, Optional

from .attributes import instance_dictionary, named

__all__ = ["exists", "loaded", "modules", "strings"]

#: How many folders are remembered, and how many entries of one are looked at.
MAXIMUM_FOLDERS = 512
MAXIMUM_ENTRIES = 1 << 14
#: How many folders of one path are searched.
MAXIMUM_PATH = 128

#: No lock guards it: one held while another thread forks would be held for ever in the child.
_folders: dict[str, tuple[int, frozenset[str]]] = {}


def modules(package: str) -> set[str]:
    """The names of the modules in a package, or with ``""`` of those that need none.

    A folder is read again when its time of modification has changed.
    """
    known = named(sys.modules)
    if not package:
        found = {name.partition(".")[0] for name in known} | set(sys.builtin_module_names)
        path = strings(sys.path)
    else:
        prefix = package + "."
        found = {name[len(prefix) :].partition(".")[0] for name in known if name.startswith(prefix)}
        path = _package_path(package, known)
    for folder in path[:MAXIMUM_PATH]:
        found |= _in_folder(folder or ".")
    return {name for name in found if name.isidentifier()}


def loaded(name: str) -> Optional[Any]:
    """A module that is loaded, by its dotted name; None for one that is not."""
    return named(sys.modules).get(name)


def exists(name: str) -> bool:
    """Whether there is a module with a dotted name, loaded or not."""
    package, _, last = name.rpartition(".")
    return last in modules(package)


def strings(path: Any) -> list[str]:
    """What of a path Python would look at: the strings of a list."""
    return [each for each in list(path) if type(each) is str] if type(path) is list else []


def _package_path(package: str, known: dict[str, Any]) -> list[str]:
    """The folders that a package's modules are in."""
    module = known.get(package)
    if module is not None:
        path = named(instance_dictionary(module)).get("__path__")
        # That of a package without an __init__ computes itself anew when it is asked.
        return strings(path) or strings(named(instance_dictionary(path)).get("_path"))
    parent, _, name = package.rpartition(".")
    above = _package_path(parent, known) if parent else strings(sys.path)
    folders = (os.path.join(each, name) for each in above[:MAXIMUM_PATH])
    return [each for each in folders if os.path.isdir(each)]


def _in_folder(folder: str) -> frozenset[str]:
    try:
        changed = os.stat(folder).st_mtime_ns
    except (OSError, ValueError):
        return frozenset()
    entry = _folders.get(folder)
    if entry is not None and entry[0] == changed:
        return entry[1]
    names = frozenset(_zipped(folder) if os.path.isfile(folder) else _scanned(folder))
    if len(_folders) >= MAXIMUM_FOLDERS:
        _folders.clear()
    _folders[folder] = (changed, names)
    return names


def _scanned(folder: str) -> set[str]:
    found = set()
    suffixes = all_suffixes()
    try:
        with os.scandir(folder) as scan:
            for entry in itertools.islice(scan, MAXIMUM_ENTRIES):
                name, dot, _ = entry.name.partition(".")
                if not name.isidentifier() or name == "__init__" or name == "__pycache__":
                    continue
                if dot:
                    if any(entry.name == name + suffix for suffix in suffixes):
                        found.add(name)
                elif os.path.isfile(os.path.join(folder, name, "__init__.py")):
                    found.add(name)
    except OSError:
        pass
    return found


def _zipped(path: str) -> set[str]:
    """The modules at the top of an archive, as far as Python has read it already."""
    importer = named(sys.path_importer_cache).get(path)
    if type(importer) is not zipimport.zipimporter:
        return set()
    files = named(named(instance_dictionary(importer)).get("_files"))
    found = set()
    for name in files:
        first, slash, rest = name.replace(os.sep, "/").partition("/")
        if rest == "__init__.py" if slash else first.endswith(".py"):
            found.add(first.partition(".")[0])
    return found
