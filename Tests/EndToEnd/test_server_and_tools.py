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
