"""Completion: what is offered at a cursor, and that nothing of the program's runs for it."""

import pytest

from hostile_objects import EXPRESSIONS, HOSTILE
from inquirer import Inquirer
from interpreters import interpreters

CLASSES = r'''
import collections, enum, functools, os, sys
class Point:
    """A point.

    More of it."""
    kind_of_point = 1
    def __init__(self, across, down=0, *, label=None):
        self.across, self.inner, self._private = across, None, 1
    def moved(self, by): "Move it."
    @property
    def norm(self): calls.append("norm"); return self
    @classmethod
    def origin(cls, scale): pass
    @staticmethod
    def parsed(text): pass
class Slots:
    __slots__ = ("filled", "empty")
class Colour(enum.Enum):
    RED = 1
    GREEN = 2
    def shade(self): pass
point = Point(1)
point.inner = Point(2)
slots = Slots(); slots.filled = [point]
table = {"key one": point, "it's": point, 'say "it"': 1, "line\nend": 1, "back\\slash": 1, 12: point, 120: 1, -3: 1, 2.5: 1,
         True: 1, b"bytes": 1, "nested": {"deep": point}}
def work(alpha, beta=1, *rest, gamma, delta=None, **others): "Work.\n\nHard."
def positional(only, /, both): pass
partly = functools.partial(work, 1, gamma=2)
@functools.wraps(work)
def wrapped(*arguments, **options): pass
cached = functools.lru_cache(work)
class Called:
    def __call__(self, volume): pass
called = Called()
_hidden = __dunder__ = 1
'''


@pytest.fixture(scope="module", params=interpreters(), ids=lambda interpreter: "py" + interpreter.minor)
def inquirer(request, tmp_path_factory):
    process = Inquirer(request.param.plain, tmp_path_factory.mktemp("inquirer"))
    yield process
    process.close()


def test_names(inquirer):
    assert inquirer.kinds("pri") == {"print": "function"}
    assert inquirer.kinds("poi", CLASSES) == {"point": "instance"}
    assert inquirer.kinds("Poi", CLASSES) == {"Point": "class"}
    assert inquirer.kinds("functoo", CLASSES) == {"functools": "module"}
    assert inquirer.kinds("whil") == {"while": "keyword"}
    assert inquirer.kinds("x = [y for y in prin") == {"print": "function"}
    assert inquirer.kinds("žlu", "žluť = 1") == {"žluť": "instance"}
    assert inquirer.texts("nosuch") == []


def test_the_reply(inquirer):
    reply = inquirer.complete("x = pri + 1", cursor=7)
    assert reply == {"candidates": [{"text": "print", "kind": "function"}], "start": 4, "truncated": False}


@pytest.mark.parametrize("cursor", [-1, 0, 3, 4, 10 ** 30])
def test_a_cursor_anywhere(inquirer, cursor):
    reply = inquirer.complete("prin", cursor=cursor)
    assert reply["start"] == 0
    assert "print" in [each["text"] for each in reply["candidates"]]


def test_the_cursor_counts_code_points(inquirer):
    source = "x = '\N{GRINNING FACE}é'\npri"
    assert inquirer.complete(source) == {"candidates": [{"text": "print", "kind": "function"}], "start": len(source) - 3,
                                         "truncated": False}


def test_documentation_of_candidates(inquirer):
    def docs(source):
        return {each["text"]: each.get("doc") for each in inquirer.complete(source, CLASSES, docs=True)["candidates"]}
    assert docs("Poin") == {"Point": "A point."}
    assert docs("point.mo") == {"moved": "Move it."}
    assert docs("wor") == {"work": "Work."}
    assert docs("point.acr") == {"across": None}


def test_private_names_on_request(inquirer):
    assert [text for text in inquirer.texts("", CLASSES) if text.startswith("_")] == []
    assert "_hidden" in inquirer.texts("_", CLASSES) and "__dunder__" not in inquirer.texts("_", CLASSES)
    assert inquirer.texts("__dun", CLASSES) == ["__dunder__"]
    assert not [text for text in inquirer.texts("point.", CLASSES) if text.startswith("_")]
    assert inquirer.texts("point._", CLASSES) == ["_private"]
    assert "__init__" in inquirer.texts("point.__", CLASSES) and "_private" not in inquirer.texts("point.__", CLASSES)


def test_attributes(inquirer):
    assert inquirer.kinds("point.", CLASSES) == {
        "across": "instance", "inner": "instance", "kind_of_point": "instance", "moved": "method", "norm": "property",
        "origin": "method", "parsed": "function"}
    assert inquirer.texts("point.inner.mo", CLASSES) == ["moved"]
    assert inquirer.texts("Point.mo", CLASSES) == ["moved"]
    assert inquirer.texts("work(1, point.inner.ac", CLASSES) == ["across"]
    assert inquirer.texts("-point.acr", CLASSES) == ["across"]
    assert inquirer.texts("point . inner . acr", CLASSES) == ["across"]
    assert inquirer.texts("(point).acr", CLASSES) == ["across"]
    assert inquirer.texts("(\n point\n .acr", CLASSES) == ["across"]
    assert inquirer.texts("point.moved.__func", CLASSES) == ["__func__"]
    assert inquirer.texts("point.__class__.kin", CLASSES) == ["kind_of_point"]
    assert inquirer.texts("os.path.isab", CLASSES) == ["isabs"]
    assert inquirer.texts("nosuch.", CLASSES) == inquirer.texts("point.nosuch.", CLASSES) == []


def test_attributes_of_what_is_written_out(inquirer):
    assert inquirer.texts("'abc'.uppe") == ["upper"]
    assert inquirer.texts("b'abc'.deco") == ["decode"]
    assert inquirer.texts("''.deco") == []
    assert inquirer.texts("[1].appe") == ["append"]
    assert inquirer.texts("{}.setd") == inquirer.texts("{1: 2}.setd") == ["setdefault"]
    assert inquirer.texts("{1}.iss") == ["issubset", "issuperset"]
    assert inquirer.texts("(1,).cou") == ["count"]


def test_a_chain_ends_at_what_would_run(inquirer):
    assert inquirer.texts("point.norm.", CLASSES) == []
    assert inquirer.texts("point.moved(1).", CLASSES) == []
    assert inquirer.texts("point.norm.across.", CLASSES) == []


def test_subscripts_of_builtin_containers(inquirer):
    for chain in ("table['key one']", 'table["key one"]', "table['nested']['deep']", "table[12]", "slots.filled[0]",
                  "slots.filled[-1]", "table['it\\'s']", "table[r'key one']"):
        assert inquirer.texts(chain + ".kin", CLASSES) == ["kind_of_point"], chain
    for chain in ("table['nosuch']", "table[99]", "slots.filled[1]", "slots.filled[10000000000000000000000]", "table[point]",
                  "slots.filled[0:1]", "table[f'key one']", "table['key' ' one']"):
        assert inquirer.texts(chain + ".kin", CLASSES) == [], chain


def test_slots_and_enumerations(inquirer):
    assert inquirer.kinds("slots.", CLASSES) == {"filled": "instance", "empty": "property"}
    assert inquirer.texts("Colour.R", CLASSES) == ["RED"]
    assert inquirer.texts("Colour.RED.sha", CLASSES) == ["shade"]


def test_keyword_arguments_come_first(inquirer):
    def parameters(source):
        return [each["text"] for each in inquirer.complete(source, CLASSES)["candidates"] if each["kind"] == "parameter"]
    candidates = inquirer.complete("work(", CLASSES)["candidates"]
    assert [each["text"] for each in candidates[:4]] == ["alpha=", "beta=", "delta=", "gamma="]
    assert parameters("work(1, ") == ["beta=", "delta=", "gamma="]
    assert parameters("work(1, gamma=2, ") == ["beta=", "delta="]
    assert parameters("work(f(1, 2), [3, 4], de") == ["delta="]
    assert parameters("work(\n    1,\n    ga") == ["gamma="]
    assert parameters("Point(") == ["across=", "down=", "label="]
    assert parameters("point.moved(") == parameters("Point.moved(point, ") == ["by="]
    assert parameters("point.origin(") == ["scale="]
    assert parameters("point.parsed(") == ["text="]
    assert parameters("positional(") == ["both="]
    assert parameters("partly(") == ["beta=", "delta=", "gamma="]
    assert parameters("wrapped(") == parameters("cached(") == ["alpha=", "beta=", "delta=", "gamma="]
    assert parameters("called(") == ["volume="]
    assert parameters("sorted([], ") == ["key=", "reverse="]
    assert parameters("work(1, x") == parameters("work(alpha + ") == parameters("def work(") == parameters("work([") == []
    assert parameters("nosuch(") == parameters("class X(Point, ") == parameters("if (") == []


def test_imports(inquirer, tmp_path):
    (tmp_path / "package_here" / "below").mkdir(parents=True)
    (tmp_path / "package_here" / "__init__.py").write_text("raise SystemExit\n")
    (tmp_path / "package_here" / "part_one.py").write_text("raise SystemExit\n")
    (tmp_path / "package_here" / "below" / "__init__.py").write_text("")
    (tmp_path / "module_here.py").write_text("raise SystemExit\n")
    (tmp_path / "not-a-module.py").write_text("")
    setting = "import sys, os, json\nsys.path.insert(0, %r)" % str(tmp_path)
    assert inquirer.kinds("import module_h", setting) == {"module_here": "module"}
    assert inquirer.texts("from package_h", setting) == ["package_here"]
    assert inquirer.texts("import package_here.", setting) == ["below", "part_one"]
    assert inquirer.texts("from package_here import ", setting) == ["below", "part_one"]
    assert inquirer.texts("import os, package_here.pa", setting) == ["part_one"]
    assert inquirer.texts("if True: import module_h", setting) == ["module_here"]
    assert inquirer.texts("x = 1; import module_h", setting) == ["module_here"]
    assert inquirer.texts("import os.pat", setting) == ["path"]
    assert inquirer.texts("import json.dec", setting) == ["decoder"]
    assert inquirer.texts("from json import JSOND", setting) == ["JSONDecodeError", "JSONDecoder"]
    assert inquirer.texts("from json import (loads, JSONDecoder, du", setting) == ["dump", "dumps"]
    assert inquirer.texts("from json.decoder import scan", setting) == ["scanner", "scanstring"]
    assert inquirer.texts("from os ", setting) == ["import"]
    assert inquirer.texts("import os a", setting) == inquirer.texts("from os import path a", setting) == ["as"]
    assert inquirer.texts("import os as ", setting) == inquirer.texts("from os import path as pa", setting) == []
    (tmp_path / "module_later.py").write_text("")
    assert inquirer.texts("import module_l", setting) == ["module_later"]
    (result,), _ = inquirer.ask(setting, ["eval", ["[each for each in __import__('sys').modules if '_here' in each]"]])
    assert result == []


def test_relative_imports(inquirer):
    setting = "import json.decoder\n__package__ = 'json'\n"
    assert inquirer.texts("from . import deco", setting) == ["decoder"]
    assert inquirer.texts("from .deco", setting) == ["decoder"]
    assert inquirer.texts("from .decoder import JSONDecoder", setting) == ["JSONDecoder"]
    assert inquirer.texts("from . ", setting) == ["import"]
    assert inquirer.texts("from ... import x", setting) == []


def test_keys(inquirer):
    def keys(source, setting=CLASSES, after=""):
        reply = inquirer.complete(source + after, setting, cursor=len(source))
        return [each["text"] for each in reply["candidates"] if each["kind"] == "key"]
    assert keys("table['") == ["back\\\\slash']", "it\\'s']", "key one']", "line\\nend']", "nested']", "say \"it\"']"]
    assert keys('table["sa') == ['say \\"it\\""]']
    assert keys("table['ke") == keys("work(table['ke") == keys("table[ 'ke") == ["key one']"]
    assert keys("table['ke", after="']") == keys("table['ke", after="'") == ["key one"]
    assert keys("table['ke", after="]") == ["key one'"]
    assert keys("table['nested']['") == ["deep']"]
    assert keys("table[1") == ["120]", "12]"]
    assert keys("table[", after="]") == ["'back\\\\slash'", "'it\\'s'", "'key one'", "'line\\nend'", "'nested'",
                                         "'say \"it\"'", "-3", "12", "120"]
    assert keys("table[r'b") == keys("table[b'") == keys("table[f'") == keys("point['") == keys("nosuch['") == []
    assert inquirer.complete("table['ke", CLASSES)["start"] == 7
    assert keys("ordered['", "import collections\nordered = collections.OrderedDict(one=1)") == ["one']"]
    assert keys("default['", "import collections\ndefault = collections.defaultdict(list, one=1)") == ["one']"]


def test_keys_that_cannot_be_typed(inquirer):
    setting = r"odd = {'\x00\x1b': 1, '\ud800': 2, '\U000e0001': 3, 'x' * 10000: 4, 'tab\t': 5}"
    reply = inquirer.complete("odd['", setting)
    assert [each["text"] for each in reply["candidates"]] == ["\\U000e0001']", "\\ud800']", "\\x00\\x1b']", "tab\\t']"]
    assert reply["truncated"]


def test_file_names(inquirer, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner.txt").write_text("")
    for name in ("file.txt", ".hidden", "it's.txt", "line\nend", "fifo"):
        (tmp_path / name).write_text("")
    assert inquirer.kinds("open('%s/fi" % tmp_path) == {"file.txt": "file", "fifo": "file"}
    assert inquirer.texts("open('%s/fo" % tmp_path) == ["folder/"]
    assert inquirer.texts("'%s/folder/" % tmp_path) == ["inner.txt"]
    assert inquirer.texts("'%s/" % tmp_path) == ["fifo", "file.txt", "folder/", "it\\'s.txt"]
    assert inquirer.texts('"%s/it' % tmp_path) == ["it's.txt"]
    assert inquirer.texts("'%s/.h" % tmp_path) == [".hidden"]
    assert inquirer.complete("'%s/fi" % tmp_path)["start"] == len("'%s/" % tmp_path)
    setting = "import os; os.environ['HOME'] = %r" % str(tmp_path)
    assert inquirer.texts("'~/fil", setting) == ["file.txt"]
    assert inquirer.texts("'~root/", setting) == inquirer.texts("'/nosuch/", setting) == inquirer.texts("'fil") == []
    assert inquirer.texts("'https://exam") == []


def test_nothing_in_comments_and_strings(inquirer):
    for source in ("# pri", "x = 1  # pri", "'pri", '"""pri', '"""\npri\n', "f'pri", "'\\'pri", "def pri", "class pri",
                   "1.pri", "12pri", "x = 0x1f", "import os as o"):
        assert inquirer.texts(source) == [], source


def test_expressions_in_f_strings(inquirer):
    assert inquirer.texts("f'{point.acr", CLASSES) == ["across"]
    assert inquirer.texts("f'{{ {point.inner.acr", CLASSES) == ["across"]
    assert inquirer.texts("f'{table[\"key o", CLASSES) == ["key one\"]"]
    assert inquirer.texts("f'{point} acr", CLASSES) == inquirer.texts("f'{{point.acr", CLASSES) == []
    assert inquirer.texts("f'{point:pri", CLASSES) == []
    assert inquirer.complete("f'{point.acr", CLASSES)["start"] == 9


def test_blocks_of_many_lines(inquirer):
    assert inquirer.texts("def f():\n    '''text'''\n    return point.acr", CLASSES) == ["across"]
    assert inquirer.texts("x = '''\nmany\n'''.uppe") == ["upper"]
    assert inquirer.texts("'unfinished\npri") == ["print"]
    assert inquirer.texts("x = (1,\r\n  # )\r\n  pri") == ["print"]
    assert inquirer.texts("x = 1 \\\n + pri") == ["print"]
    assert inquirer.texts(")]}\npri") == ["print"]


def test_names_that_the_source_binds(inquirer):
    source = ("import json as my_json, my_module\nfrom os import my_path\ndef my_function(my_first, *my_rest, my_key=print(my_not=1)):\n"
              "    my_local: int = my_other = [my_item for my_item in my_first]\n    with open('x') as my_file:\n"
              "        x.my_attribute = 1\n        if (my_walrus := 1): my_")
    assert inquirer.kinds(source) == {
        "my_json": "instance", "my_module": "module", "my_path": "module", "my_function": "function", "my_first": "instance",
        "my_rest": "instance", "my_key": "instance", "my_local": "instance", "my_other": "instance", "my_item": "instance",
        "my_file": "instance", "my_walrus": "instance"}


def test_long_sources(inquirer):
    assert inquirer.texts("x = 1\n" * 200_000 + "pri") == ["print"]
    assert inquirer.texts("(" * 50_000 + "pri") == ["print"]
    assert inquirer.texts("a" + ".b" * 30_000 + ".") == []
    assert inquirer.texts("x" + "[0]" * 20_000 + ".") == []
    assert inquirer.texts("'" + "\\'" * 30_000) == []
    assert inquirer.texts("f'" + "{" * 30_000) == []


def test_order_and_bounds(inquirer):
    many = "for n in range(10_000): globals()['name_%05d' % n] = n\nname_b = Name_a = name_C = 1\n"
    reply = inquirer.complete("name_0", many)
    assert len(reply["candidates"]) == 4096 and reply["truncated"]
    assert [each["text"] for each in reply["candidates"]] == ["name_%05d" % n for n in range(4096)]
    assert inquirer.texts("name_b", "name_b = 1; name_B = 2; name_Bc = name_ba = 1") == ["name_b", "name_ba"]
    long = "globals()['long_' + 'x' * 600] = globals()['long_' + 'é' * 200] = 1"
    reply = inquirer.complete("long_", long)
    assert [each["text"] for each in reply["candidates"]] == ["long_" + "é" * 200] and reply["truncated"]


def test_huge_containers(inquirer):
    setting = "huge = dict.fromkeys(range(1_000_000)); names = {'k%d' % n: n for n in range(300_000)}"
    assert len(inquirer.texts("huge[9", setting)) == 4096
    assert inquirer.complete("names['k", setting)["truncated"]


def test_a_dictionary_that_changes_all_the_time(inquirer):
    """Another thread adds and removes names while completions are made: each is answered."""
    setting = ("import threading\nclass Thing: pass\nthing = Thing(); names = {'a': 1}; stop = threading.Event()\n"
               "def change():\n    n = 0\n    while not stop.is_set():\n        n += 1\n"
               "        for d in (names, thing.__dict__, globals()): d['x%d' % (n % 997)] = n; d.pop('x%d' % ((n * 7) % 997), None)\n"
               "thread = threading.Thread(target=change); thread.start()\n")
    inquiries = [["complete", [source, None, False]] for source in ("thing.x", "names['", "Thi", "thing.")] * 50
    results, _ = inquirer.ask(setting, *inquiries, ["eval", ["(stop.set(), thread.join())[0]"]])
    assert [each["text"] for each in results[2]["candidates"]] == ["Thing"]
    assert all(isinstance(each["candidates"], list) for each in results[:-1])


def test_names_that_are_no_words(inquirer):
    setting = ("class Thing: pass\nthing = Thing()\n"
               "thing.__dict__.update({'not a word': 1, 'class': 2, '\\ud800x': 3, '1x': 4, '': 5, 7: 6, ('t',): 7, 'word': 8})\n"
               "globals().update({'odd name': 1, 'odd_name': 2, 7: 3})\n")
    assert inquirer.texts("thing.", setting) == ["class", "word"] or inquirer.texts("thing.", setting) == ["word"]
    assert inquirer.texts("odd", setting) == ["odd_name"]


@pytest.mark.parametrize("ending", [".", "._", ".__", ".__dict__.", ".__class__.", ".prop.", ".method.", "['", "[", "[0].", "(", "(1, ",
                                    "().", ".plain"])
def test_nothing_of_the_program_runs(inquirer, ending):
    inquiries = [["complete", [expression + ending, None, True]] for expression in EXPRESSIONS]
    results, calls = inquirer.ask(HOSTILE, *inquiries)
    assert calls == []
    assert len(results) == len(EXPRESSIONS)


def test_the_traps_work(inquirer):
    """What `test_nothing_of_the_program_runs` shows is worth nothing if these record nothing."""
    spring = ("def spring(function, *arguments):\n    try: function(*arguments)\n    except RuntimeError: pass\n"
              "    found = list(calls); calls.clear(); return found\n")
    results, _ = inquirer.ask(HOSTILE + spring, *(["eval", ["spring(%s)" % each]] for each in (
        "dir, hostile", "repr, hostile", "isinstance, hostile, dict", "hash, MetaHostile", "words.get, 'word'", "dir, module",
        "getattr, plain, '__doc__', ''", "list, mapping", "bool, MetaHostile", "len, sequence", "lambda: Hostile.data",
        "lambda: MetaHostile.__name__")))
    assert all(results), results


def test_hostile_objects_are_seen_all_the_same(inquirer):
    results, calls = inquirer.ask(HOSTILE, *(["complete", [source, None, True]] for source in (
        "hostile.", "meta_hostile.me", "MetaHostile.me", "holder.held.pro", "words['", "words[", "module.mem", "hostile.method(",
        "function(", "Subc", "Subclass.att", "from module import mem")))
    assert calls == []
    texts = [[each["text"] for each in result["candidates"]] for result in results]
    assert {"prop", "plain", "method", "data", "bindable", "lazy"} <= set(texts[0])
    assert texts[1] == texts[2] == ["method"]
    assert texts[3] == ["prop"]
    assert texts[4] == ["meta']", "plain']"]
    assert texts[6] == ["member"]
    assert texts[7][:2] == ["alpha=", "beta="]
    assert texts[8][:3] == ["a=", "b=", "c="]
    assert texts[10] == ["attribute"]


def test_words_are_those_of_rlcompleter(inquirer):
    """But for what only running something would tell."""
    setting = CLASSES + ("import rlcompleter\n"
                         "def candidates(text):\n    c = rlcompleter.Completer(globals()); found = []\n"
                         "    while c.complete(text, len(found)) is not None: found.append(c.complete(text, len(found)))\n"
                         "    return found\n")
    for text in ("poin", "Poin", "pri", "impor", "whi", "Tru", "tr", "fin", "mat", "sys.st", "os.path.is", "sys.version_info.m",
                 "table.up", "nosuch", "nosuch.x", "sys.nosuch", "1 +", "sys.version.upper().lo", "point.", "point.mo", "point._",
                 "point.__in", "Point.", "Point.mr", "Point.__na", "slots.f", "called", "work", "sys.getrecursionl", "os.getp",
                 "_hid", "__dun", "functools.par", "collections.Ord", "point.inner.", "sys.exc_", "os.environ.ge"):
        (expected, found), _ = inquirer.ask(setting, ["eval", ["candidates(%r)" % text]], ["words", [text]])
        assert sorted(found) == sorted(expected), text


def test_words_run_nothing(inquirer):
    inquiries = [["words", [expression + ending]] for expression in EXPRESSIONS for ending in (".", "._", ".__", ".m")]
    results, calls = inquirer.ask(HOSTILE, *inquiries, ["words", [""]], ["words", ["ho"]], ["words", ["_"]])
    assert calls == []
    assert "hostile.method(" in results[0]
