"""What the pages of the tools say of their output, against the output: the columns of each table, the members of each
JSON document and their types."""

import json
import subprocess

import pytest

from deadline import PATIENCE
from described_fields import described_fields
from interpreters import ROOT
from peers import STAGE, built

CONTROL = described_fields(ROOT / "man" / "replctl.1")
COMPLETION = described_fields(ROOT / "man" / "replcomplete.1")
FUNCTION = "def f(a):\n    'Text.'\n    return a\nx = 1"
# A job that no interrupt ends: it waits again.
STUCK = ("import threading\nheld = threading.Event()\nwhile True:\n    try: held.wait()\n"
         "    except KeyboardInterrupt: pass")


@pytest.fixture
def run(environment):
    """Runs a tool to its end and returns the lines of its output; any exit status is fine here."""
    def start(name, *words):
        done = subprocess.run([str(built(STAGE / "bin" / name)), *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=PATIENCE * 2)
        return done.stdout.decode().splitlines()
    return start


@pytest.fixture
def replctl(run):
    return lambda *words: run("replctl", *words)


@pytest.fixture
def control_documents(replctl, server, connect):
    """At least one JSON document of each command, and of each kind of object in them, by name."""
    text = connect(server)

    def documents(*words):
        found = [json.loads(line) for line in replctl(*words, "--json")]
        assert found, words
        return found
    gathered = {
        "ping": documents("ping"), "wait": documents("wait"), "servers": documents("servers"),
        "describe": documents("describe"),
        "eval": documents("eval", FUNCTION, "1", "print(2)", "1 / 0") + documents("eval", "(")
        + documents("eval", "quit()"),
        "doc": documents("doc", "f") + documents("doc", "x"),
        "source": documents("source", "f"),
        "bg": documents("bg", "print(1); 2", STUCK),
        "fg": documents("fg", "%1"), "output": documents("output", "%1"),
        "jobs": documents("jobs"), "threads": documents("threads"), "sessions": documents("sessions"),
        "interrupt": documents("interrupt", "%2") + documents("interrupt", str(text.session)),
        "kill": documents("kill", "%1") + documents("kill", "%2"),
        "disconnect": documents("disconnect", "--all"),
        "halt": documents("halt", "--cancel"),
    }
    gathered["threads[]"] = [thread for document in gathered["threads"] for thread in document["threads"]]
    gathered["exception"] = [document["exception"] for document in gathered["eval"] if document["exception"]]
    gathered["place"] = [place for exception in gathered["exception"] for place in exception["frames"]]
    gathered["place"] += [document["where"] for document in gathered["interrupt"] if document["where"]]
    return gathered


def compare(fields, documents, name):
    """What differs between a list of a page and the documents that it describes."""
    described = {field.key: field for field in fields if field.key}
    for key in sorted(described.keys() - {key for document in documents for key in document}):
        yield "%s: no document has the member %s" % (name, key)
    for document in documents:
        for key in sorted(document.keys() - described.keys()):
            yield "%s: the page lacks the member %s" % (name, key)
        for key, field in described.items():
            if key not in document:
                if not field.may_be_absent:
                    yield "%s: %s is absent" % (name, key)
            elif not field.admits(document[key]):
                yield "%s: %s is not %s: %r" % (name, key, " or ".join(field.types), document[key])


def test_the_members_of_every_document_are_in_the_page(control_documents):
    assert control_documents.keys() == CONTROL.keys()
    assert [difference for name, fields in CONTROL.items()
            for difference in compare(fields, control_documents[name], name)] == []


def test_the_columns_of_every_table_are_in_the_page(replctl, server):
    columns = {name.replace("[]", ""): [field.column for field in fields if field.column]
               for name, fields in CONTROL.items()}
    tables = {name: wanted for name, wanted in columns.items() if wanted}
    assert tables.keys() == {"servers", "sessions", "threads", "jobs"}
    for name, wanted in tables.items():
        assert replctl(name)[0].split("\t") == wanted
        assert all(line.split("\t") != wanted for line in replctl(name, "--no-header"))


def test_the_lines_of_describe_are_in_the_page(replctl, server):
    assert [line.partition(":")[0] for line in replctl("describe")] == [field.key for field in CONTROL["describe"]]


def test_at_every_server_the_first_member_says_which(replctl, server):
    pid = server.announced["pid"]
    for command in ("ping", "describe", "threads"):
        for line in replctl("--each", "--json", command):
            assert list(json.loads(line).items())[0] == ("server", "%s[%d]" % (server.announced["name"], pid))


def test_the_members_of_a_candidate_are_in_the_page(run, server):
    documents = [json.loads(line) for line in run("replcomplete", "--json", "--doc", "pri")
                 + run("replcomplete", "--json", "pri")]
    assert COMPLETION.keys() == {"replcomplete"}
    assert list(compare(COMPLETION["replcomplete"], documents, "replcomplete")) == []
