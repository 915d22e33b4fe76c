"""Inference: what jedi adds where the program has it, and that the program notices nothing of it."""

import pytest

from hostile_objects import EXPRESSIONS, HOSTILE
from inquirer import Inquirer

MODULE = r'''
calls = []

class Made:
    alpha = 1
    def text(self):
        calls.append("text")
        return "text"

class Maker:
    def make(self, *arguments):
        calls.append("make")
        return Made()
    @property
    def prop(self):
        calls.append("prop")
        return Made()

def made():
    calls.append("made")
    return Made()
'''
SETTING = "import inferred_from\nmaker = inferred_from.Maker()\nmakers = [maker]\ninferred_from.calls = calls\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inference")
    (folder / "inferred_from.py").write_text(MODULE)
    (folder / "never_imported.py").write_text("raise SystemExit\ndef never_called(): pass\nNEVER = 1\n")
    return folder


@pytest.fixture(scope="module", params=["oldest", "newest"])
def inquirer(request, folder):
    process = Inquirer(request.getfixturevalue(request.param).jedi, folder)
    yield process
    process.close()


def test_what_calls_and_properties_give(inquirer):
    assert inquirer.texts("maker.make(1, 'x').", SETTING) == ["alpha", "text"]
    assert inquirer.texts("maker.make().text().uppe", SETTING) == ["upper"]
    assert inquirer.texts("maker.prop.alp", SETTING) == ["alpha"]
    assert inquirer.texts("makers[0].make().alp", SETTING) == ["alpha"]
    assert inquirer.texts("inferred_from.made().alp", SETTING) == ["alpha"]
    assert inquirer.texts("inferred_from.Maker().make().alp", SETTING) == ["alpha"]
    assert inquirer.texts("str(5).uppe", SETTING) == ["upper"]
    assert inquirer.texts("[].copy().appe", SETTING) == ["append"]


def test_the_start_is_that_of_the_word(inquirer):
    source = "print(1, maker.make().alp"
    assert inquirer.complete(source, SETTING) == {"candidates": [{"text": "alpha", "kind": "instance"}],
                                                  "start": len(source) - 3, "truncated": False}


def test_names_of_the_source_itself(inquirer):
    assert inquirer.texts("def f():\n    text = ''\n    return text.uppe") == ["upper"]


def test_modules_that_are_not_imported(inquirer):
    assert inquirer.texts("from never_imported import nev") == ["never_called"]
    assert inquirer.texts("import never_imported\nnever_imported.NEV") == ["NEVER"]
    (loaded,), _ = inquirer.ask("import sys", ["eval", ["'never_imported' in sys.modules or 'jedi' in sys.modules"]])
    assert not loaded


def test_what_nobody_can_tell(inquirer):
    for source in ("nosuch.", "nosuch().", "maker.nosuch().", "len(nosuch)[0].", "(lambda: 1)().", "1()."):
        assert inquirer.texts(source, SETTING) == [], source


def test_private_names_on_request(inquirer):
    texts = inquirer.texts("maker.make().__cla", SETTING)
    assert "__class__" in texts and all(text.startswith("__") for text in texts)


def test_the_program_notices_nothing(inquirer, folder):
    before = "import sys, threading\nstate = lambda: [sys.path, sys.getrecursionlimit(), threading.active_count()]\nbefore = state()\n"
    results, calls = inquirer.ask(before + SETTING, ["complete", ["maker.make().", None, True]],
                                  ["eval", ["[state() == before, [each for each in sys.modules if each[:4] in ('jedi', 'pars')]]"]])
    assert len(results[0]["candidates"]) == 2 and calls == []
    assert results[1] == [True, []]
    assert sorted(each.name for each in folder.iterdir()) == ["inferred_from.py", "never_imported.py"]


def test_nothing_of_the_program_runs(inquirer):
    inquiries = [["complete", [expression + "().", None, False]] for expression in EXPRESSIONS[::6]]
    _, calls = inquirer.ask(HOSTILE, *inquiries)
    assert calls == []


@pytest.mark.parametrize("fake", ["raise SystemExit(1)", "import os; os.write(1, b'[[1, 2]')", "1 / 0", "import os; os.kill(os.getpid(), 9)"])
def test_a_jedi_that_fails(newest, tmp_path, fake):
    """Another module of that name, say: there is nothing more to offer then."""
    (tmp_path / "jedi.py").write_text(fake)
    (tmp_path / "inferred_from.py").write_text(MODULE)
    process = Inquirer(newest.plain, tmp_path)
    try:
        assert process.texts("maker.make().", "import sys; sys.path.insert(0, %r)\n" % str(tmp_path) + SETTING) == []
        assert process.texts("maker.mak", SETTING) == ["make"]
    finally:
        process.close()


def test_a_jedi_that_hangs_is_given_up(newest, tmp_path):
    (tmp_path / "jedi.py").write_text("import os\nwhile True: os.read(os.pipe()[0], 1)\n")
    process = Inquirer(newest.plain, tmp_path)
    try:
        setting = "import sys; sys.path.insert(0, %r)\nimport replserve.inference as i; i.MAXIMUM_SECONDS = 0.1\n" % str(tmp_path)
        assert process.texts("len(1).", setting) == []
        children = "__import__('pathlib').Path('/proc/thread-self/children').read_text()"
        assert process.ask("", ["eval", [children]])[0] == [""]
    finally:
        process.close()
