"""The cursor: what of a source matters to what may be typed at one place of it.

Nothing is compiled, since what is before a cursor seldom can be: the source is split into words, strings and marks,
and looked at backwards.
"""

from __future__ import annotations

import ast
import keyword
import re
from typing import Any, NamedTuple, Optional

__all__ = ["Chain", "Place", "Token"]

#: How much of a source before the cursor is looked at, in code points.
MAXIMUM_LENGTH = 1 << 16
#: How many attributes, subscripts and calls of one primary are followed, and how many parentheses around it.
MAXIMUM_STEPS = 64
MAXIMUM_DEPTH = 8
#: The longest literal in a subscript, in code points.
MAXIMUM_LITERAL = 1024

_TOKEN = re.compile(
    r"""(?P<space>[ \t\f]+|\\\r?\n)
      |(?P<newline>\r\n|[\r\n])
      |(?P<comment>\#[^\r\n]*)
      |(?P<string>[rbuftRBUFT]{0,3}(?:\"\"\"|'''|["']))
      |(?P<number>(?:\d\w*\.?|\.\d)\w*(?:(?<=[eE])[+-]\d\w*)?)
      |(?P<name>\w+)
      |(?P<mark>:=|==|!=|<=|>=|->|.)""",
    re.VERBOSE | re.DOTALL,
)
_BODIES = {
    quote: re.compile(rf"(?:\\.|[^\\{quote[0]}{'' if len(quote) == 3 else chr(10)}]"
                      + (rf"|{quote[0]}(?!{quote[0] * 2})" if len(quote) == 3 else "") + ")*", re.DOTALL)
    for quote in ("'", '"', "'''", '"""')
}  # fmt: skip
_KNOWN_ESCAPES = re.compile(r"(?:[^\\]|\\(?:[\\'\"abfnrtv]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}))*")
_CONSTANTS = {"None": None, "True": True, "False": False}
_PAIRS = {"(": ")", "[": "]", "{": "}"}


class Token(NamedTuple):
    """A word, a number, a whole string, a mark or the end of a line outside of brackets."""

    kind: str
    text: str
    start: int
    end: int


class OpenString(NamedTuple):
    """A string that the cursor is in."""

    prefix: str
    quote: str
    body: str
    #: Where the body begins.
    start: int


class Chain(NamedTuple):
    """A primary: ``a.b["c"].d``."""

    #: The name it begins with, or "" when it begins with a literal.
    name: str
    #: The literal it begins with, empty, if it does.
    literal: Any
    #: The names of attributes, the keys of subscripts, and calls: ``(".", name)``, ``("[", key)``, ``("(", None)``.
    steps: tuple[tuple[str, Any], ...]
    #: The index of its first token.
    first: int


class Place:
    """What is before a cursor."""

    def __init__(self, source: str) -> None:
        self.source = source
        #: What is before the word at the cursor.
        self.tokens: list[Token] = []
        #: The indexes of the brackets that are open at the cursor.
        self.brackets: list[int] = []
        self.string: Optional[OpenString] = None
        self.is_comment = False
        self._split(source)
        #: The word that the cursor is at the end of, or "", and where it begins.
        self.word, self.start = "", len(source)
        #: Whether it is at the end of a number.
        self.number: Optional[Token] = None
        last = self.tokens[-1] if self.tokens else None
        if last is not None and last.end == len(source) and self.string is None:
            if last.kind == "name":
                self.word, self.start = last.text, last.start
                self.tokens.pop()
            elif last.kind == "number":
                self.number = self.tokens.pop()

    def _split(self, source: str) -> None:
        position = 0
        while position < len(source):
            match = _TOKEN.match(source, position)
            if match is None:
                return
            kind, start, position = match.lastgroup or "", position, match.end()
            if kind == "string":
                position = self._string(source, start, match.group())
            elif kind == "comment":
                self.is_comment = position == len(source)
            elif kind == "newline":
                if not self.brackets:
                    self.tokens.append(Token(kind, "\n", start, position))
            elif kind != "space":
                self._add(Token(kind, match.group(), start, position))

    def _string(self, source: str, start: int, opening: str) -> int:
        quote = opening.lstrip("rbuftRBUFT")
        body_start = start + len(opening)
        body = _BODIES[quote].match(source, body_start)
        end = body.end() if body is not None else body_start
        if source.startswith(quote, end):
            end += len(quote)
        elif len(quote) == 3 or end >= len(source) - (source[end:] == "\\"):
            prefix = opening[: len(opening) - len(quote)].lower()
            self.string = OpenString(prefix, quote, source[body_start:], body_start)
            return len(source)
        self.tokens.append(Token("string", source[start:end], start, end))
        return max(end, body_start)

    def _add(self, token: Token) -> None:
        if token.kind == "mark":
            if token.text in _PAIRS:
                self.brackets.append(len(self.tokens))
            elif token.text in ")]}" and self.brackets:
                self.brackets.pop()
        self.tokens.append(token)

    def text(self, index: int) -> str:
        """A token's text, counted from the end for a negative index; "" where there is none."""
        try:
            return self.tokens[index].text
        except IndexError:
            return ""

    def statement(self) -> list[Token]:
        """The tokens of the statement at the cursor, without those of a statement before it on the same line."""
        begin = len(self.tokens)
        while begin > 0 and self.tokens[begin - 1].text not in ("\n", ";"):
            begin -= 1
        tokens = self.tokens[begin:]
        for index in range(len(tokens) - 1, 0, -1):
            if tokens[index].text in ("import", "from") and tokens[index - 1].text == ":":
                return tokens[index:]
        return tokens

    def opener(self) -> str:
        """The innermost open bracket, or ""."""
        return self.tokens[self.brackets[-1]].text if self.brackets else ""

    def _begins_primary(self, index: int) -> bool:
        """Whether a token can be the last of what a bracket behind it subscribes or calls."""
        if index < 0:
            return False
        token = self.tokens[index]
        if token.kind == "name":
            return not keyword.iskeyword(token.text)
        return token.kind in ("string", "number") or token.text in (")", "]", "}")

    def chain(self, end: int, depth: int = 0) -> Optional[Chain]:
        """The primary whose last token has a given index; None if there is none that can be followed."""
        steps: list[tuple[str, Any]] = []
        index = end
        while index >= 0 and len(steps) < MAXIMUM_STEPS:
            token = self.tokens[index]
            if token.kind == "name":
                if index > 0 and self.tokens[index - 1].text == ".":
                    steps.append((".", token.text))
                    index -= 2
                    continue
                if token.text in _CONSTANTS:
                    return Chain("", _CONSTANTS[token.text], tuple(reversed(steps)), index)
                if keyword.iskeyword(token.text):
                    return None
                return Chain(token.text, None, tuple(reversed(steps)), index)
            if token.kind == "string":
                is_bytes = "b" in token.text[: token.text.index(token.text[-1])].lower()
                return Chain("", b"" if is_bytes else "", tuple(reversed(steps)), index)
            if token.text not in (")", "]", "}"):
                return None
            opening = self._opening(index)
            if opening is None:
                return None
            if token.text != "}" and self._begins_primary(opening - 1):
                if token.text == "]":
                    key = _literal(self.tokens[opening + 1 : index])
                    steps.append(("[", key))
                else:
                    steps.append(("(", None))
                index = opening - 1
                continue
            return self._display(opening, index, tuple(reversed(steps)), depth)
        return None

    def _opening(self, closing: int) -> Optional[int]:
        """The index of the bracket that another one closes."""
        depth = 0
        for index in range(closing, -1, -1):
            token = self.tokens[index]
            if token.kind == "mark" and token.text in (")", "]", "}"):
                depth += 1
            elif token.kind == "mark" and token.text in _PAIRS:
                depth -= 1
                if depth == 0:
                    return index if _PAIRS[token.text] == self.tokens[closing].text else None
        return None

    def _display(self, opening: int, closing: int, steps: tuple[tuple[str, Any], ...], depth: int) -> Optional[Chain]:
        """A list, a dictionary or something in parentheses, at the beginning of a primary."""
        mark = self.tokens[opening].text
        inside = self.tokens[opening + 1 : closing]
        if mark == "[":
            return Chain("", [], steps, opening)
        if mark == "{":
            is_dictionary = not inside or any(token.text in (":", "**") for token in inside)
            return Chain("", {} if is_dictionary else set(), steps, opening)
        inner = self.chain(closing - 1, depth + 1) if inside and depth < MAXIMUM_DEPTH else None
        if inner is not None and inner.first == opening + 1:
            return inner._replace(steps=inner.steps + steps, first=opening)
        if not inside or inside[-1].text == ",":
            return Chain("", (), steps, opening)
        return None

    def call(self) -> Optional[tuple[Chain, list[list[Token]]]]:
        """What is called where the cursor begins an argument, and the arguments before it; None elsewhere."""
        if self.opener() != "(" or self.text(-1) not in ("(", ","):
            return None
        opening = self.brackets[-1]
        if not self._begins_primary(opening - 1):
            return None
        called = self.chain(opening - 1)
        if called is None or self.text(called.first - 1) in ("def", "class") and called.first > 0:
            return None
        arguments: list[list[Token]] = [[]]
        depth = 0
        for token in self.tokens[opening + 1 :]:
            if token.kind == "mark":
                depth += (token.text in _PAIRS) - (token.text in (")", "]", "}"))
            if token.text == "," and depth == 0:
                arguments.append([])
            else:
                arguments[-1].append(token)
        return called, arguments[:-1]

    def subscribed(self) -> Optional[Chain]:
        """What is subscribed where the cursor begins a subscript; None elsewhere."""
        if not self.brackets or self.text(-1) != "[" or not self._begins_primary(self.brackets[-1] - 1):
            return None
        return self.chain(self.brackets[-1] - 1)


def _literal(tokens: list[Token]) -> Any:
    """The string or the number that tokens are; None if they are anything else."""
    text = "".join(token.text for token in tokens[:2])
    if len(tokens) == 1 and tokens[0].kind == "string":
        if text[0] not in "'\"rR" or len(text) > MAXIMUM_LITERAL:
            return None
        # Python warns of other escapes, and where a warning goes is the program's affair.
        if text[0] not in "rR" and not _KNOWN_ESCAPES.fullmatch(text):
            return None
    elif not (tokens and len(tokens) == 1 + (text[0] == "-") and re.fullmatch(r"-?(?:0|[1-9][0-9]{0,17})", text)):
        return None
    try:
        found = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return None
    return found if type(found) is str or type(found) is int else None
