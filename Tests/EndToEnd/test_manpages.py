"""The man pages: mandoc has nothing to say of them, and every example in them runs and prints what they say.

An example to be run is a literal display (.Bd -literal) right after a comment line `.\\" run: NAME`; what it
prints is the display after a comment line `.\\" prints:` or `.\\" prints: NAME` that follows it.
"""

import os
import re
import signal
import subprocess

import pytest

from interpreters import ROOT
from peers import STAGE, tool

PAGES = sorted((ROOT / "man").glob("*.[1-8]"))
NAMES = [page.name for page in PAGES]
MARK = re.compile(r'^\.\\" (run|prints):\s*(.*)$')


def displayed(lines):
    """The text of the literal display at the start of `lines`, as a reader sees it."""
    body = []
    for line in lines[1:]:
        if line.startswith(".Ed"):
            return "\n".join(body) + "\n"
        assert not line.startswith(".") or line.startswith("\\&."), "a macro inside a literal display: " + line
        line = line[2:] if line.startswith("\\&") else line
        body.append(line.replace("\\e", "\\").replace("\\(aq", "'").replace("\\-", "-").replace("\\(ga", "`")
                    .replace("\\(ha", "^").replace("\\(ti", "~").replace("\\(dq", '"').replace("\\&", ""))
    raise AssertionError("a display without .Ed")


def examples(page):
    """(name, source, what it prints or None) of each example to be run."""
    lines = page.read_text().splitlines()
    found = []
    for number, line in enumerate(lines):
        mark = MARK.match(line)
        if not mark:
            continue
        assert lines[number + 1].startswith(".Bd -literal"), "%s:%d: no literal display" % (page.name, number + 2)
        text = displayed(lines[number + 1:])
        if mark.group(1) == "run":
            assert mark.group(2), "%s:%d: an example without a name" % (page.name, number + 1)
            found.append([mark.group(2), text, None])
        else:
            assert found and found[-1][2] is None, "%s:%d: prints of what?" % (page.name, number + 1)
            found[-1][2] = text
    return found


ALL = [(page, *example) for page in PAGES for example in examples(page)]


def test_the_pages_are_there():
    assert {"replserve.1", "repltools.7", "replwire.7"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_examples_that_run(name):
    assert examples(ROOT / "man" / name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_mandoc_is_silent(page):
    done = subprocess.run([tool("mandoc"), "-T", "lint", "-W", "style", str(page)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    # Which other manuals this machine has, and how well it indexed them, is not the page's affair.
    said = [line for line in done.stdout.decode().splitlines()
            if "referenced manual not found" not in line and "mandoc.db" not in line]
    assert said == []


def test_a_frame_in_a_worked_session_has_the_length_it_says():
    shown = re.findall(r"^\w[<>]  <FF>v01l(\d+);(.*)$", (ROOT / "man" / "replwire.7").read_text(), re.M)
    whole = [(int(length), body) for length, body in shown if not body.endswith("...")]
    assert len(whole) >= 10
    for length, body in whole:
        sent = re.sub("<(?:LF|FF)>", "\n", body.replace("\\e", "\\").replace("\\ ", " "))
        assert len(sent.encode()) == length, body


@pytest.mark.parametrize("number", range(max(1, len(ALL))), ids=lambda number: (
    "%s-%s" % (ALL[number][0].name, ALL[number][1].replace(" ", "_")) if ALL else "none"))
def test_an_example(number, environment, newest, tmp_path, replserve_path):
    assert ALL, "no page has an example to run"
    page, name, source, prints = ALL[number]
    path = os.pathsep.join([str(STAGE / "bin"), os.path.dirname(newest.plain), environment["PATH"]])
    shell = subprocess.Popen(["sh", "-eu", "-c", source], cwd=str(tmp_path), env=dict(environment, PATH=path),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             start_new_session=True)
    try:
        output, errors = (text.decode() for text in shell.communicate(timeout=60))
    except subprocess.TimeoutExpired:
        # With the servers that it has started.
        os.killpg(shell.pid, signal.SIGKILL)
        output, errors = (text.decode() for text in shell.communicate())
        raise AssertionError("%s, %s: not within a minute:\n%s%s" % (page.name, name, output, errors)) from None
    assert shell.returncode == 0, "%s, %s:\n%s%s" % (page.name, name, output, errors)
    if prints is not None:
        assert output == prints, "%s, %s" % (page.name, name)
