"""replcomplete as a process: names that are hostile, cursors beyond the BMP, an interpreter that is held."""

import json

import pytest

import tools
from deadline import eventually
from fake_server import FakeServer, silent

SETTING = r"""
account = 1
mixed = {"plain": 1, "new\nline": 2, "tab\tbed": 3, "\x1b[2J\x07": 4, "quote\"d": 5, 'back\\slash': 6, "\u202eturned": 7,
         "\u2028": 8, "ž😀": 9, "": 10, "nul\0": 11, "\x9b31m": 12, "\r\n": 13, "'": 14}
class Strange: pass
strange = Strange()
strange.__dict__.update({"a b": 1, "new\nline": 2, "fine": 3, "\x1b[0m": 4})
globals().update({"hostile\n\x1b[2J": 1, "hostile_fine": 2, "hostile\ttab": 3})
"""


@pytest.fixture
def complete(server, environment):
    assert tools.run(("replctl", "eval", SETTING), environment) == (0, b"", b"")

    def run(*words, status=0):
        found = tools.run(("replcomplete", *words), environment)
        assert (found.status, found.errors) == (status, b""), found
        return found.output.decode().split("\n")[:-1]
    return run


@pytest.mark.parametrize("prefix", ['mixed["', "mixed['", "mixed[", "strange.", "hostile"])
def test_every_candidate_is_one_harmless_line(prefix, complete):
    lines = complete(prefix)
    assert lines
    for line in lines:
        assert line.startswith(prefix) or prefix == "mixed[", line
        assert line.isprintable(), line
    with_columns = complete("--kind", "--doc", prefix)
    assert [line.split("\t")[0] for line in with_columns] == lines
    assert {line.count("\t") for line in with_columns} == {2}
    documents = [json.loads(line) for line in complete("--json", prefix)]
    assert len(documents) == len(lines)
    assert all(set(document) == {"text", "kind", "doc", "start"} for document in documents)


def test_keys_that_can_be_written_are_offered(complete):
    lines = complete('mixed["')
    assert 'mixed["plain"]' in lines
    assert 'mixed["ž😀"]' in lines
    # What is offered is source that gives the key, for every key there is.
    for line in lines:
        assert eval(line, {"mixed": EveryKey()})  # noqa: S307


class EveryKey:
    def __getitem__(self, key):
        return isinstance(key, str)


# Letters of two and of four bytes, two code points in one character, a family of seven, a flag of two, an end of line of two.
BEFORE = ["", "'é'; ", "'😀'; ", "'e\u0301'; ", "'\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466'; ",
          "'\U0001f1e8\U0001f1ff'; ", "x = 1\r\n"]


@pytest.mark.parametrize("before", BEFORE, ids=ascii)
def test_the_cursor_counts_code_points(before, complete):
    start = len(before)
    for more in ("", "  # ", " + 'č😀'"):
        line = before + "acc" + more
        documents = [json.loads(found) for found in complete("--json", "--line", line, "--cursor", str(start + 3))]
        assert [(document["text"], document["start"]) for document in documents] == [("account", start)]
    # What replaces a prefix is all of it, and its lines are one.
    assert complete(before + "acc") == [(before + "account").replace("\r", "\\r").replace("\n", "\\n")]
    (whole,) = complete("--json", before + "acc")
    assert json.loads(whole)["text"] == before + "account"


def test_there_is_none(complete):
    for words in (["nothing_like_it"], ["account.nothing"], ["# acc"], ["'acc"], ["--json", "nothing_like_it"],
                  ["--kind", "--doc", "nothing_like_it"], ["--line", "'acc", "--cursor", "4"]):
        assert complete(*words, status=1) == []


def test_words_that_are_not_text(complete, environment):
    for word in (b"acc\xff", b"\xff", b"'\xf0\x9f\x98'; acc", b"\xed\xa0\x80acc"):
        found = tools.run(("replcomplete", word), environment)
        assert found.status in (0, 1) and found.errors == b"", found


def test_no_code_of_the_program_runs(complete, environment):
    code = """
class Trap:
    def __getattr__(self, name): print("ran"); raise SystemExit
    def __dir__(self): print("ran"); return []
    @property
    def value(self): print("ran")
trap = Trap()"""
    assert tools.run(("replctl", "eval", code), environment).status == 0
    assert complete("trap.val") == ["trap.value"]
    assert complete("--kind", "trap.val") == ["trap.value\tproperty"]


HOG = """
import os, re, time
while not os.path.exists(%r): time.sleep(0.01)
re.match('(a+)+b', 'a' * 40)
"""


def test_an_interpreter_that_is_held(complete, environment, tmp_path):
    go = tmp_path / "go"
    assert tools.run(("replctl", "bg", HOG % str(go)), environment).output == b"%1\n"
    go.touch()
    eventually(lambda: b"is held" in tools.run(("replctl", "threads"), environment).errors, "the interpreter is held")
    for words in (["--timeout", "0.3", "acc"], ["acc"]):
        found = tools.run(("replcomplete", *words), environment)
        assert (found.status, found.output) == (tools.TIMED_OUT, b"")
        assert found.errors.startswith(b"replcomplete: ") and found.errors.count(b"\n") == 1


def test_a_server_that_is_silent(environment, closing):
    closing(FakeServer(silent, environment["XDG_RUNTIME_DIR"]))
    assert tools.run(("replcomplete", "acc"), environment)[:2] == (tools.TIMED_OUT, b"")


def test_where_it_looks(complete, environment, server):
    control = "127.0.0.1:1:%d" % server.control_port
    for options, variables in ((["-t", "pid:%d" % server.announced["pid"]], {}), ([], {"REPL_TO": control}),
                               (["--to=" + control], {"REPL_TO": "pid:1"}), (["-t", "unix:" + server.announced["socket"]], {})):
        assert tools.run(("replcomplete", *options, "accoun"), dict(environment, **variables)) == (0, b"account\n", b"")
