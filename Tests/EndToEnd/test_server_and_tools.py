"""What the tools need of a server: replies that are longer than what a socket takes at once."""

import pytest

import tools


def ask(environment, *words):
    found = tools.run(("replctl", *words), environment)
    assert (found.status, found.errors) == (0, b""), found
    return found.output


def test_a_long_documentation(server, environment):
    """A reply that is longer than what the socket takes at once ends nothing."""
    ask(environment, "eval", "class Long: __doc__ = 'x' * 250_000")
    assert ask(environment, "doc", "Long").count(b"x") >= 250_000
    assert ask(environment, "eval", "1") == b"1\n"


def test_many_candidates(server, environment):
    ask(environment, "eval", "globals().update({'many_%05d' % n: n for n in range(20000)})")
    found = tools.run(("replcomplete", "many_"), environment)
    lines = found.output.decode().splitlines()
    assert (found.status, found.errors) == (0, b"")
    assert 0 < len(lines) <= 4096 and all(line.startswith("many_") for line in lines)


@pytest.mark.parametrize("words", [("jobs",), ("sessions",), ("threads", "--json")], ids=" ".join)
def test_long_rows(words, server, environment):
    for _ in range(4):
        ask(environment, "bg", "'%s'" % ("x" * 100_000))
    assert ask(environment, *words)


@pytest.mark.parametrize("again", range(12))
def test_the_number_of_a_job_that_holds_the_interpreter(again, server, environment):
    """The reply to StartJob does not wait for what the job does."""
    assert ask(environment, "bg", "import re; re.match('(a+)+b', 'a' * 40)") == b"%1\n"


def test_the_traceback_of_a_job(server, environment):
    """It shows the user's code, as that of `eval` does, and nothing of the server."""
    ask(environment, "bg", "1/0")
    assert tools.run(("replctl", "fg", "%1"), environment).status == 1
    found = tools.run(("replctl", "output", "%1"), environment)
    assert b'File "<job 1>", line 1' in found.errors
    assert b"replserve" not in found.output + found.errors
