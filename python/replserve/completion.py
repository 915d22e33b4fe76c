"""Completion: everything that a piece of source may go on with at a cursor.

It runs no code of the program's: no property is read, no ``__getattr__`` and no ``__dir__`` asked, nothing imported and
nothing called. What cannot be seen without that is not offered, unless jedi can tell it from the source.
"""

from __future__ import annotations

import builtins
import keyword
from typing import Any, Iterable, Iterator, NamedTuple, Optional

from . import filenames, importables, inference
from .attributes import UNKNOWN, attributes, entries, keys_can_be_trusted, kind_of, named
from .bindings import bindings
from .cursor import MAXIMUM_LENGTH, Chain, OpenString, Place
from .documentation import first_line
from .resolution import resolve
from .signatures import EITHER, KEYWORD, parameters

__all__ = ["Candidate", "complete"]

#: As in ``Shared.Limits``.
MAXIMUM_CANDIDATES = 4096
MAXIMUM_CANDIDATE_LENGTH = 512
#: The longest number among a dictionary's keys that is offered.
MAXIMUM_KEY_BITS = 256

_KEYWORDS = (*keyword.kwlist, *(word for word in getattr(keyword, "softkwlist", ()) if word != "_"))
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_RANKS = {"parameter": 0, "key": 1}


class Candidate(NamedTuple):
    """What a word may become."""

    text: str
    kind: str
    #: What to take its line of documentation from.
    source: Any = UNKNOWN


class _Completions(NamedTuple):
    candidates: Iterable[Candidate]
    start: int


def complete(source: str, cursor: int, namespace: dict[str, Any], want_docs: bool) -> dict[str, Any]:
    """What may stand at a cursor, which counts code points.

    The result has ``candidates``, each with its ``text``, its ``kind`` and, if wanted and known, its ``doc``; they
    replace what is between ``start`` and the cursor. It has ``truncated``, too: whether there are more.
    """
    cursor = max(0, min(cursor, len(source)))
    begin = max(0, cursor - MAXIMUM_LENGTH)
    if begin:
        # A line that is longer than that is looked at from anywhere in it.
        begin = source.find("\n", begin, cursor) + 1 or begin
    found = _completions(Place(source[begin:cursor]), source[cursor : cursor + 8], namespace)
    chosen, is_truncated = _chosen(found.candidates)
    return {
        "candidates": [_fields(each, want_docs) for each in chosen],
        "start": begin + found.start,
        "truncated": is_truncated,
    }


def _fields(candidate: Candidate, want_docs: bool) -> dict[str, str]:
    fields = {"text": candidate.text, "kind": candidate.kind}
    doc = first_line(candidate.source) if want_docs and candidate.source is not UNKNOWN else ""
    if doc:
        fields["doc"] = doc
    return fields


def _chosen(candidates: Iterable[Candidate]) -> tuple[list[Candidate], bool]:
    """Each text once, in order, and no more than a reply may have; and whether that left any out."""
    first: dict[str, Candidate] = {}
    is_truncated = False
    for each in candidates:
        if len(each.text.encode("utf-8", "surrogatepass")) > MAXIMUM_CANDIDATE_LENGTH:
            is_truncated = True
        else:
            first.setdefault(each.text, each)
    chosen = sorted(first.values(), key=lambda each: (_RANKS.get(each.kind, 2), each.text.lower(), each.text))
    return chosen[:MAXIMUM_CANDIDATES], is_truncated or len(chosen) > MAXIMUM_CANDIDATES


def _completions(place: Place, after: str, namespace: dict[str, Any]) -> _Completions:
    if place.is_comment:
        return _Completions([], place.start)
    if place.string is not None:
        return _in_string(place, place.string, after, namespace)
    if place.number is not None:
        number, container = place.number, place.subscribed()
        keys = _numbers(container, namespace, number.text, after) if container is not None else []
        return _Completions(keys, number.start)
    return _Completions(_in_code(place, after, namespace), place.start)


def _in_code(place: Place, after: str, namespace: dict[str, Any]) -> Iterator[Candidate]:
    word, previous = place.word, place.text(-1)
    statement = place.statement()
    if statement and statement[0].text in ("import", "from"):
        yield from _in_import(place, [token.text for token in statement], namespace)
    elif previous == ".":
        chain = place.chain(len(place.tokens) - 2)
        found = None if chain is None else resolve(chain, namespace)
        if found is not None and found.value is not UNKNOWN:
            yield from _members(found.value, word)
        elif chain is not None:
            yield from _inferred(inference.attributes(chain, word, place.source, namespace), word)
    elif previous not in ("def", "class", "as"):
        yield from _keyword_arguments(place, namespace)
        container = place.subscribed()
        if container is not None and not word:
            yield from _numbers(container, namespace, "", after)
            yield from _strings(container, namespace, None, after)
        yield from _names(word, namespace)
        for name, kind in bindings(place.tokens):
            if _is_offered(name, word):
                yield Candidate(name, kind)


def _is_offered(name: str, prefix: str) -> bool:
    """Whether a name begins with a prefix, and is no more private than that."""
    if not name.startswith(prefix) or not name.isidentifier():
        return False
    return prefix.startswith(name[: min(2, len(name) - len(name.lstrip("_")))])


def _members(thing: Any, prefix: str) -> Iterator[Candidate]:
    for name, found in attributes(thing, prefix).items():
        if _is_offered(name, prefix):
            yield Candidate(name, found.kind, found.source if found.value is UNKNOWN else found.value)


def _inferred(found: Iterable[inference.Inferred], prefix: str) -> Iterator[Candidate]:
    return (Candidate(each.name, each.kind) for each in found if _is_offered(each.name, prefix))


def _names(prefix: str, namespace: Any) -> Iterator[Candidate]:
    for names in (named(namespace), named(vars(builtins))):
        for name, value in names.items():
            if _is_offered(name, prefix) and not keyword.iskeyword(name):
                yield Candidate(name, kind_of(value), value)
    for word in _KEYWORDS:
        if _is_offered(word, prefix):
            yield Candidate(word, "keyword")


def _keyword_arguments(place: Place, namespace: Any) -> Iterator[Candidate]:
    call = place.call()
    found = None if call is None else resolve(call[0], namespace)
    if call is None or found is None or found.value is UNKNOWN:
        return
    given = {tokens[0].text for tokens in call[1] if len(tokens) > 1 and tokens[1].text == "="}
    positional = sum(1 for tokens in call[1] if tokens and not (len(tokens) > 1 and tokens[1].text == "="))
    for index, each in enumerate(parameters(found.value) or ()):
        if each.kind == KEYWORD or (each.kind == EITHER and index >= positional):
            if each.name not in given and _is_offered(each.name, place.word):
                yield Candidate(each.name + "=", "parameter")


# Imports.


def _in_import(place: Place, statement: list[str], namespace: Any) -> Iterator[Candidate]:
    if statement[0] == "import":
        last = _last_item(statement[1:])
        if not last or last[-1] == ".":
            yield from _modules("".join(last[:-1]), place.word)
        else:
            yield from _words(place.word, () if "as" in last else ("as",))
    elif "import" not in statement:
        path = statement[1:]
        is_apart = place.start > place.tokens[-1].end
        if path and (path[-1] != "." or is_apart and not "".join(path).strip(".")):
            yield from _words(place.word, ("import",))
        else:
            yield from _modules(_absolute("".join(path), namespace), place.word)
    else:
        middle = statement.index("import")
        last = _last_item([text for text in statement[middle + 1 :] if text != "("])
        package = _absolute("".join(statement[1:middle]), namespace)
        if last:
            yield from _words(place.word, ("as",) if len(last) == 1 else ())
        elif package:
            module = importables.loaded(package)
            if module is not None:
                yield from _members(module, place.word)
            yield from _modules(package, place.word)
            if module is None and importables.exists(package):
                yield from _inferred(inference.members(package), place.word)


def _last_item(texts: list[str]) -> list[str]:
    """What stands behind the last comma."""
    while "," in texts:
        texts = texts[texts.index(",") + 1 :]
    return texts


def _absolute(path: str, namespace: Any) -> Optional[str]:
    """The dotted name of a package, which may be relative to the namespace's; None if there is no such."""
    rest = path.lstrip(".")
    level = len(path) - len(rest)
    rest = rest.rstrip(".")
    if not level:
        return rest
    names = named(namespace)
    package = names.get("__package__")
    if type(package) is not str or not package:
        name = names.get("__name__")
        package = name.rpartition(".")[0] if type(name) is str else ""
    parts = package.split(".")
    if not package or level > len(parts):
        return None
    parts = parts[: len(parts) - level + 1]
    return ".".join([*parts, rest] if rest else parts)


def _modules(package: Optional[str], prefix: str) -> Iterator[Candidate]:
    if package is not None:
        for name in importables.modules(package):
            if _is_offered(name, prefix) and not keyword.iskeyword(name):
                full = f"{package}.{name}" if package else name
                yield Candidate(name, "module", importables.loaded(full) or UNKNOWN)


def _words(prefix: str, words: Iterable[str]) -> Iterator[Candidate]:
    return (Candidate(word, "keyword") for word in words if word.startswith(prefix))


# Strings.


def _in_string(place: Place, opening: OpenString, after: str, namespace: Any) -> _Completions:
    if set(opening.prefix) & set("ft"):
        begin = _expression(opening.body)
        if begin is not None:
            inner = Place(opening.body[begin:])
            if inner.brackets or all(token.text not in (":", "!") for token in inner.tokens):
                found = _completions(inner, after, namespace)
                return found._replace(start=found.start + opening.start + begin)
            return _Completions([], place.start)
    container = place.subscribed()
    if container is not None:
        keys = _strings(container, namespace, opening, after) if not set(opening.prefix) & set("bft") else ()
        return _Completions(keys, opening.start)
    path = filenames.split(opening.body)
    if path is None or "\\" in opening.body:
        return _Completions([], place.start)
    folder, prefix = path
    is_raw = "r" in opening.prefix
    escaped = (_escaped(name, opening.quote, is_raw) for name in filenames.names(folder, prefix))
    return _Completions([Candidate(name, "file") for name in escaped if name is not None], opening.start + len(folder))


def _expression(body: str) -> Optional[int]:
    """Where the expression begins that the end of an f-string is in; None if it is in none."""
    begin: Optional[int] = None
    depth = position = 0
    while position < len(body):
        mark = body[position]
        if mark == "{":
            if begin is None and body.startswith("{{", position):
                position += 2
                continue
            depth += 1
            if begin is None:
                begin = position + 1
        elif mark == "}" and begin is not None:
            depth -= 1
            if depth == 0:
                begin = None
        position += 1
    return begin


def _escaped(text: str, quote: str, is_raw: bool) -> Optional[str]:
    """A text as it is written in a string with these quotes; None for one that a raw string cannot hold."""
    text = text[: MAXIMUM_CANDIDATE_LENGTH + 1]
    if text.isprintable() and "\\" not in text and quote[0] not in text:
        return text
    return None if is_raw else "".join(_escape(each, quote[0]) for each in text)


def _escape(character: str, quote: str) -> str:
    if character in ("\\", quote):
        return "\\" + character
    if character.isprintable():
        return character
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _strings(chain: Chain, namespace: Any, opening: Optional[OpenString], after: str) -> Iterator[Candidate]:
    """The keys of a dictionary that are strings, with what closes them where it is not there yet."""
    if opening is None:
        quote, before, body, is_raw = "'", "'", "", False
    else:
        quote, before, body, is_raw = opening.quote, "", opening.body, "r" in opening.prefix
    if opening is not None and after.startswith(quote):
        closing = ""
    else:
        closing = quote if after.startswith("]") else quote + "]"
    for key in _keys(chain, namespace, str):
        text = _escaped(key, quote, is_raw)
        if text is not None and text.startswith(body):
            yield Candidate(before + text + closing, "key")


def _numbers(chain: Chain, namespace: Any, prefix: str, after: str) -> Iterator[Candidate]:
    """The keys of a dictionary that are whole numbers."""
    closing = "" if after.startswith("]") else "]"
    for key in _keys(chain, namespace, int):
        if key.bit_length() <= MAXIMUM_KEY_BITS:
            text = str(key)
            if text.startswith(prefix):
                yield Candidate(text + closing, "key")


def _keys(chain: Chain, namespace: Any, cls: type) -> list[Any]:
    found = resolve(chain, namespace)
    if found is None or found.value is UNKNOWN or not keys_can_be_trusted(found.value):
        return []
    return [key for key, _ in entries(found.value) if type(key) is cls]
