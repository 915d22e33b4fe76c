"""Drafts: a block that is being typed, and what is to become of it when Enter is pressed."""

from __future__ import annotations

import ast
import re
from codeop import CommandCompiler
from typing import Any

__all__ = ["check"]

_STEP = "    "
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_TOKEN = re.compile(r"\#[^\n]*|'''|\"\"\"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[()\[\]{}]", re.DOTALL)
#: What ends the block it is in: the next line goes back a step.
_ENDS_BLOCK = re.compile(r"(return|raise|break|continue|pass)\b")


def check(source: str) -> dict[str, Any]:
    """Whether a block is complete, and the indentation of the line that follows where it is not.

    What is wrong is complete: running it says what is wrong with it. An indented block is complete after an empty line.
    """
    return {"complete": _is_complete(source), "indent": _indentation(source)}


def _is_complete(source: str) -> bool:
    lines = source.split("\n")
    # `obj?` and the like are complete; so is nothing.
    if len(lines) == 1 and (not source.strip() or source.rstrip().endswith("?")):
        return True
    # As the console has it, which knows `await`.
    compiler = CommandCompiler()
    compiler.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        if compiler(source, "<draft>", "exec") is None:
            # An `else` may still follow an indented block; an empty line says that none does.
            if lines[-1].strip() or len(lines) == 1:
                return False
            return compiler(source + "\n", "<draft>", "exec") is not None
        # A line may still follow in an indented block, which a statement over several lines is not.
        is_indented = lines[-1].strip() and lines[-1][:1] in (" ", "\t")
        return not (is_indented and hasattr(ast.parse(source).body[-1], "body"))
    except (OverflowError, SyntaxError, ValueError):
        return True


def _indentation(source: str) -> str:
    line = source.rsplit("\n", 1)[-1]
    own = line[: len(line) - len(line.lstrip())]
    code, depth = _code_of(line)
    if code.endswith(":") or depth > 0:
        return own + _STEP
    if _ENDS_BLOCK.match(code):
        return own[: max(0, len(own) - len(_STEP))]
    return own


def _code_of(line: str) -> tuple[str, int]:
    """A line without its comment and its own indentation, and how many brackets it leaves open."""
    depth = 0
    code = line
    for token in _TOKEN.finditer(line):
        text = token.group()
        if text.startswith("#"):
            code = line[: token.start()]
            break
        if text in _BRACKETS:
            depth += 1
        elif text in _BRACKETS.values():
            depth -= 1
    return code.strip(), depth
