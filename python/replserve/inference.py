"""Inference: what jedi works out from sources, where looking at what is there comes to an end.

What a call gives, or a property, cannot be seen without running it, but can often be told from its source. Where the
program has jedi among the modules it could import, jedi is asked; where it has not, there is nothing more to offer.

It is asked in a process of its own, about sources only. In this one it would call ``__dir__`` and ``__class__`` of the
program's objects whatever its settings say, import modules, put another ``sys.path`` and another recursion limit in
place for all threads while it works, keep tens of megabytes, and write files to the user's home.
"""

from __future__ import annotations

import builtins
import json
import os
import re
import sys
import time
import types
from typing import Any, NamedTuple, Optional

from . import importables
from .attributes import UNKNOWN, instance_dictionary, kind_of, named, type_name
from .cursor import MAXIMUM_LENGTH, Chain
from .resolution import resolve

__all__ = ["Inferred", "attributes", "members"]

#: How long an answer is waited for, in seconds. A server that has no completion after two gives up the rest with it.
MAXIMUM_SECONDS = 1.5
#: How long an answer is good for, in seconds.
MAXIMUM_AGE = 30.0
MAXIMUM_NAMES = 4096
MAXIMUM_NAME_LENGTH = 512

_PROGRAM = """
import json, sys
request = json.load(sys.stdin)
sys.path.extend(each for each in request["path"] if each not in sys.path)
import jedi, parso.cache
from jedi.api.environment import InterpreterEnvironment
for each in ("_load_from_file_system", "_save_to_file_system", "_remove_cache_and_update_lock"):
    setattr(parso.cache, each, lambda *arguments, **options: None)
project = jedi.Project("/", sys_path=request["path"], smart_sys_path=False)
script = jedi.Script(request["source"], environment=InterpreterEnvironment(), project=project)
found = [[each.name, each.type] for each in script.complete() if len(each.name) <= request["length"]]
json.dump(found[:request["count"]], sys.stdout)
"""
_MODULE_OF: Any = type.__dict__["__module__"]
_INTERPRETER = re.compile(r"python(?:3(?:\.\d+)?)?[dt]*")
_KINDS = {"function": "function", "class": "class", "module": "module", "property": "property", "keyword": "keyword"}

#: The last source asked about, when, and the answer: who presses Tab twice, or types on, asks the same again.
_last: tuple[str, float, list[Inferred]] = ("", 0.0, [])


class Inferred(NamedTuple):
    """A name that jedi offers."""

    name: str
    kind: str


def attributes(chain: Chain, prefix: str, source: str, namespace: Any) -> list[Inferred]:
    """The attributes of a chain that cannot be followed to its end, or whose first name is nothing that is there.

    ``source`` is what stands before the cursor, the dot and the prefix included.
    """
    if chain.name and resolve(chain._replace(steps=()), namespace) is None:
        return _asked(source[: len(source) - len(prefix)])
    for length in range(len(chain.steps), -1, -1):
        found = resolve(chain._replace(steps=chain.steps[:length]), namespace)
        written = None if found is None or found.value is UNKNOWN else _written(found.value)
        if written is not None:
            return _asked(written + "".join(map(_step, chain.steps[length:])) + ".")
    return []


def members(module: str) -> list[Inferred]:
    """The names in a module that is not loaded."""
    return _asked(f"from {module} import ")


def _step(step: tuple[str, Any]) -> str:
    mark, key = step
    if mark == ".":
        return "." + str(key)
    return "()" if mark == "(" else f"[{key!r}]" if key is not None else "[0]"


def _written(thing: Any) -> Optional[str]:
    """Source at whose end there is an expression for an object, or for another one of its class; None without one."""
    cls = type(thing)
    if issubclass(cls, types.ModuleType):
        name = named(instance_dictionary(thing)).get("__name__")
        return f"import {name} as it\nit" if type(name) is str and _are_words(name) else None
    if cls is types.FunctionType:
        return _imported(thing.__module__, thing.__qualname__)
    if issubclass(cls, type):
        return _imported(_MODULE_OF.__get__(thing), type_name(thing))
    if cls is types.BuiltinFunctionType:
        name = thing.__name__
        return name if named(vars(builtins)).get(name) is thing else None
    made = None if kind_of(thing) == "function" else _imported(_MODULE_OF.__get__(cls), type_name(cls))
    return None if made is None else made + "()"


def _imported(module: Any, name: Any) -> Optional[str]:
    if type(module) is not str or type(name) is not str or not _are_words(name):
        return None
    if module == "builtins":
        return name
    if module == "__main__":
        # The script may be found under the name of its file.
        filename = named(instance_dictionary(importables.loaded(module))).get("__file__")
        module = os.path.splitext(os.path.basename(filename))[0] if type(filename) is str else ""
    first, dot, rest = name.partition(".")
    return f"from {module} import {first} as it\nit{dot}{rest}" if _are_words(module) else None


def _are_words(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _path() -> list[str]:
    path = [each or "." for each in importables.strings(sys.path)]
    filename = named(instance_dictionary(importables.loaded("__main__"))).get("__file__")
    if type(filename) is str:
        path.append(os.path.dirname(os.path.abspath(filename)))
    return [os.path.abspath(each) for each in path]


def _asked(source: str) -> list[Inferred]:
    """What jedi offers at the end of a source; nothing if it is not there, fails or takes too long."""
    global _last
    executable = sys.executable
    if not executable or not _INTERPRETER.fullmatch(os.path.basename(executable)):
        # A program that has Python built in: another process of it would be another one of the program.
        return []
    if len(source) > MAXIMUM_LENGTH or "jedi" not in importables.modules(""):
        return []
    # No lock: one held here while another thread forks would be held for ever in the child.
    last = _last
    if source == last[0] and time.monotonic() - last[1] <= MAXIMUM_AGE:
        return last[2]
    answer = _answer(executable, source)
    if answer is None:
        return []
    _last = (source, time.monotonic(), answer)
    return answer


def _answer(executable: str, source: str) -> Optional[list[Inferred]]:
    """What a new process says; None if it fails or takes too long."""
    import subprocess

    request = {"source": source, "path": _path(), "count": MAXIMUM_NAMES, "length": MAXIMUM_NAME_LENGTH}
    try:
        done = subprocess.run(
            [executable, "-I", "-B", "-c", _PROGRAM],
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            timeout=MAXIMUM_SECONDS,
            start_new_session=True,
            check=False,
        )
        return [Inferred(name, _KINDS.get(kind, "instance")) for name, kind in json.loads(done.stdout)]
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
