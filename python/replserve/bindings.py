"""Bindings: the names that a source itself gives to something, ahead of being run."""

from __future__ import annotations

import keyword
from typing import Iterator

from .cursor import Token

__all__ = ["bindings"]

_KINDS = {"def": "function", "class": "class"}


def bindings(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    """The names that are bound in a source, with a word for what they are; of any scope, and maybe more than once."""
    brackets: list[bool] = []
    is_signature = False
    target = ""
    for index, token in enumerate(tokens):
        text = token.text
        before = tokens[index - 1].text if index else "\n"
        after = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if token.kind == "name" and not keyword.iskeyword(text):
            if before == ".":
                continue
            if before in ("def", "class"):
                is_signature = before == "def"
                yield text, _KINDS[before]
            elif before == "as":
                yield text, "instance"
            elif brackets and brackets[-1] and before in ("(", ",", "*"):
                yield text, "instance"
            elif target == "import" and after in ("", "\n", ";", ",", ")", ".") and before in ("import", ",", "("):
                yield text, "module"
            elif target == "for" or after == ":=" or (after in ("=", ":") and not brackets and _begins(before)):
                yield text, "instance"
        elif text in ("for", "import"):
            target = text
        elif text in ("in", "\n", ";"):
            target, is_signature = "", is_signature and text == "in"
        elif token.kind == "mark" and text in ("(", "[", "{"):
            brackets.append(is_signature and text == "(")
            is_signature = False
        elif token.kind == "mark" and text in (")", "]", "}") and brackets:
            brackets.pop()


def _begins(before: str) -> bool:
    """Whether what stands before a name leaves it to be what an assignment begins with, or goes on with."""
    return before in ("\n", ";", ":", "=", ",")
