"""Documentation: what is told of a name, and that nothing of the program's runs for it."""

import pytest

from hostile_objects import EXPRESSIONS, HOSTILE
from inquirer import Inquirer
from interpreters import interpreters

SETTING = r'''
import collections, functools, linecache, os, sys, typing
def registered(name, text):
    "What `replserve.sources` does with a block that was typed."
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile(text, name, "exec"), globals())
registered("<repl 1>", """def typed(a, b: int = 2, *rest: str, c: 'Later' = None, **more) -> typing.Optional[int]:
    'Typed.'
    return a

@functools.lru_cache
def decorated(x): return x

class Typed:
    'A class.\\n\\n    In two paragraphs.'

    @property
    def prop(self):
        "A property."
        calls.append("prop")

    def method(self, first): return first

    @staticmethod
    def static(one): pass

    @classmethod
    def made(cls, size=(1, 'x')): pass
    class Inner:
        def deep(self): pass
""")
thing = Typed()
thing.text = "abc"
@functools.wraps(typed)
def wrapped(*arguments): pass
plain = 5
items = {"key": typed, 0: [thing]}
'''


@pytest.fixture(scope="module", params=interpreters(), ids=lambda interpreter: "py" + interpreter.minor)
def inquirer(request, tmp_path_factory):
    process = Inquirer(request.param.plain, tmp_path_factory.mktemp("inquirer"))
    yield process
    process.close()


def test_a_function(inquirer):
    assert inquirer.describe("typed", SETTING) == {
        "kind": "function", "type": "function", "file": "<repl 1>", "line": 1, "doc": "Typed.", "truncated": False,
        "signature": "(a, b: int = 2, *rest: str, c: Later = None, **more) -> int | None"}


def test_its_source(inquirer):
    source = inquirer.describe("typed", SETTING, source=True)["source"]
    assert source.startswith("def typed(") and source.endswith("    return a\n")
    assert inquirer.describe("decorated", SETTING, source=True)["source"] == "@functools.lru_cache\ndef decorated(x): return x\n"
    assert inquirer.describe("wrapped", SETTING, source=True)["source"] == source
    assert inquirer.describe("items['key']", SETTING, source=True)["source"] == source
    assert "source" not in inquirer.describe("typed", SETTING)


def test_a_class(inquirer):
    found = inquirer.describe("Typed", SETTING, source=True)
    assert (found["kind"], found["type"], found["file"], found["line"]) == ("class", "type", "<repl 1>", 8)
    assert found["doc"] == "A class.\n\nIn two paragraphs."
    assert found["source"].startswith("class Typed:\n") and found["source"].endswith("def deep(self): pass\n")
    inner = inquirer.describe("Typed.Inner", SETTING, source=True)
    assert inner["source"] == "    class Inner:\n        def deep(self): pass\n"


def test_members_of_a_class(inquirer):
    def of(name):
        found = inquirer.describe(name, SETTING)
        return found["kind"], found["line"], found.get("signature")
    assert of("thing.method") == ("method", 16, "(first)")
    assert of("Typed.method") == ("method", 16, "(self, first)")
    assert of("thing.static") == of("Typed.static") == ("function", 18, "(one)")
    assert of("Typed.made") == ("method", 21, "(size=(1, 'x'))")


def test_a_property_is_described_itself(inquirer):
    for name in ("thing.prop", "Typed.prop"):
        found = inquirer.describe(name, SETTING, source=True)
        assert (found["kind"], found["type"], found["doc"]) == ("property", "property", "A property."), name
        assert found["source"].startswith("    @property\n    def prop(self):\n"), name
    assert "run" in inquirer.describe("thing.prop.x", SETTING)


def test_instances(inquirer):
    found = inquirer.describe("thing", SETTING)
    assert (found["kind"], found["type"], found["file"], found["line"]) == ("instance", "Typed", "<repl 1>", 8)
    found = inquirer.describe("plain", SETTING)
    assert (found["kind"], found["type"]) == ("instance", "int") and "file" not in found
    assert inquirer.describe("items[0][0].text", SETTING)["type"] == "str"
    assert inquirer.describe("None")["type"] == "NoneType"


def test_builtins_and_the_standard_library(inquirer):
    found = inquirer.describe("len")
    assert (found["kind"], found["type"], found["signature"]) == ("function", "builtin_function_or_method", "(obj, /)")
    assert "file" not in found and found["doc"]
    found = inquirer.describe("os.path.join", SETTING, source=True)
    assert found["file"].endswith("posixpath.py") and found["source"].startswith("def join(a, *p):")
    found = inquirer.describe("collections.OrderedDict", SETTING)
    assert found["kind"] == "class" and found["doc"]
    assert inquirer.describe("str.join")["signature"] == "(self, iterable, /)"
    assert inquirer.describe("'abc'.join")["signature"] == "(iterable, /)"


def test_modules_that_no_name_is_bound_to(inquirer):
    found = inquirer.describe("json.decoder", "import json as j", source=True)
    assert (found["kind"], found["type"]) == ("module", "module") and found["file"].endswith("decoder.py")
    assert "class JSONDecoder" in found["source"]
    assert inquirer.describe("json.decoder.JSONDecoder", "import json as j")["kind"] == "class"
    assert inquirer.describe("json.nosuch", "import json as j").startswith("LookupError: ")


def test_keywords(inquirer):
    found = inquirer.describe(" for ")
    assert (found["kind"], found["truncated"]) == ("keyword", False) and found["doc"]


@pytest.mark.parametrize("name", ["", "nosuch", "plain.nosuch", "plain.nosuch.more", "1 +", "typed()", "typed().x", "'", "a b", "# x",
                                  "items['nosuch']", "items[", "import os", "x" * 5000, "\ud800", "(", ")", "lambda: 1", "a\nb",
                                  "plain..x", ".", "12"])
def test_what_stands_for_nothing(inquirer, name):
    found = inquirer.describe(name, SETTING)
    assert found.startswith("LookupError: ") and "\n" not in found and len(found) < 9000, found


def test_long_texts_are_cut(inquirer):
    setting = "def long(): pass\nlong.__doc__ = 'é' * 200_000\ndef short(): pass\nshort.__doc__ = 'Short \\ud800.'\n"
    found = inquirer.describe("long", setting)
    assert found["truncated"] and found["doc"] == "é" * (1 << 17)
    assert inquirer.describe("short", setting)["doc"] == "Short \\ud800."


def test_places_that_are_no_files(inquirer, tmp_path):
    fifo = tmp_path / "fifo"
    setting = ("import os\nos.mkfifo(%r)\ndef f(): pass\n"
               "def at(name): return type(f)(f.__code__.replace(co_filename=name), globals())\n"
               "piped, zero, gone, folder, far = at(%r), at('/dev/zero'), at('/nosuch'), at('/'), "
               "type(f)(f.__code__.replace(co_firstlineno=10 ** 6), {})\n" % (str(fifo), str(fifo)))
    for name in ("piped", "zero", "gone", "folder", "far"):
        found = inquirer.describe(name, setting.replace("os.mkfifo", "os.path.exists(%r) or os.mkfifo" % str(fifo)), source=True)
        assert found["kind"] == "function" and "source" not in found, name


def test_nothing_of_the_program_runs(inquirer):
    inquiries = [["describe", [expression, wants_source]] for expression in EXPRESSIONS for wants_source in (True, False)]
    results, calls = inquirer.ask(HOSTILE, *inquiries)
    assert calls == []
    by_name = {arguments[0]: result for (_, arguments), result in zip(inquiries, results)}
    assert (by_name["hostile"]["kind"], by_name["hostile"]["type"]) == ("instance", "Hostile")
    assert (by_name["MetaHostile"]["kind"], by_name["MetaHostile"]["type"]) == ("class", "Meta")
    assert by_name["hostile.prop"]["kind"] == by_name["hostile.data"]["kind"] == by_name["hostile.lazy"]["kind"] == "property"
    assert by_name["function"]["signature"] == "(a, b: ... = ..., *rest: MetaHostile, c: Hostile = ..., **others: ...) -> ..."
