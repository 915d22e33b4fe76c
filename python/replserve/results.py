"""Results: the ``_`` of a session, in a namespace that all sessions share.

``_`` cannot be a name of the shared namespace, nor of ``builtins``, where the interpreter's own prompt puts it: there
one session would see another's, and a host that has a ``_`` of its own (gettext) would lose it. So a block that refers
to ``_``, and does not bind it, is made to refer to a name of its session's instead. That name is put into ``builtins``
when the first such block is run, and is no identifier, so nothing can collide with it.
"""

from __future__ import annotations

import builtins
import types
from typing import Any

__all__ = ["Results"]

_READS = frozenset({"LOAD_NAME", "LOAD_GLOBAL"})


def _codes(code: types.CodeType) -> Any:
    """The code object and all that are nested in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _only_reads_underscore(code: types.CodeType) -> bool:
    """Whether every use of the name ``_`` in a block reads a global one, rather than binding one."""
    import dis

    for part in _codes(code):
        if "_" in part.co_names:
            for instruction in dis.get_instructions(part):
                if instruction.argval == "_" and instruction.opcode in dis.hasname:
                    if instruction.opname not in _READS:
                        return False
    return True


def _rename(code: types.CodeType, name: str) -> types.CodeType:
    names = tuple(name if each == "_" else each for each in code.co_names)
    constants = tuple(_rename(each, name) if isinstance(each, types.CodeType) else each for each in code.co_consts)
    return code.replace(co_names=names, co_consts=constants)


_NOTHING = object()


class Results:
    """The last result of one session."""

    def __init__(self, label: str) -> None:
        """``label`` is what the console is for, such as ``session 3``."""
        self._name = f"_@{label}"
        #: Set by the native display hook.
        self.value: Any = _NOTHING

    def bind(self, code: types.CodeType, namespace: dict[str, Any]) -> types.CodeType:
        """The block with ``_`` meaning this session's, where it means anybody's.

        A ``_`` that the namespace has is the program's, as under the interpreter's own prompt.
        """
        if self._name in vars(builtins):
            vars(builtins)[self._name] = self.value
        if self.value is _NOTHING or "_" in namespace:
            return code
        if not any("_" in part.co_names for part in _codes(code)):
            return code
        if not _only_reads_underscore(code):
            # The block makes a `_` of its own, for all sessions; until then the name has the last result.
            namespace["_"] = self.value
            return code
        vars(builtins)[self._name] = self.value
        return _rename(code, self._name)

    def clear(self) -> None:
        """Let go of the result."""
        self.value = _NOTHING
        vars(builtins).pop(self._name, None)
