"""The tools and every peer that is none, or no good one: no tool prints half, hangs or traps."""

import json
import os
import random
import re
import subprocess

import pytest

import tools
from control_client import frame
from fake_server import FakeServer, answers, cut, greeting, retort, silent, whole
from peers import ancestor_environments

# What a terminal could obey: C0 without newline and tab, DEL, C1, the ends of lines of Unicode, the bidi controls.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
NASTY = "\x1b]0;owned\x07\x1b[2J\r\n\t\x00\x7f\x9b31m\u2028\u202egnp.exe\U0001f600\ud800"
SHORT = ("--timeout", "0.4")


def check(words, finished, *statuses):
    """What holds of every tool that has ended, whatever it was told and whoever answered."""
    status, output, errors = finished
    assert status in statuses, (words, finished)
    said = errors.decode("utf-8")
    assert not OBEYED.search(said), (words, said)
    assert output == b"" or output.endswith(b"\n"), (words, finished)
    if "--json" in words:
        for line in output.splitlines():
            assert isinstance(json.loads(line), dict), (words, line)
    if status not in (tools.DONE, tools.FAILED):
        assert output == b"", (words, finished)
        assert re.fullmatch(r"%s: [^\n]+\n" % words[0], said), (words, said)


def expected(words, status):
    """`wait` goes on until its time is up."""
    return tools.TIMED_OUT if words[1] == "wait" and status in (tools.NO_SERVER, tools.TIMED_OUT) else status


@pytest.fixture
def fake(closing, environment):
    """A fake server in the runtime directory."""
    return lambda part, **options: closing(FakeServer(part, environment["XDG_RUNTIME_DIR"], **options))


def everywhere(environment, status, *options, commands=tools.ALL):
    for words, finished in tools.run_all(commands, environment, *SHORT, *options):
        check(words, finished, expected(words, status))


def test_a_server_that_answers_everything(fake, environment):
    fake(whole())
    for words, finished in tools.run_all(tools.ALL, environment):
        check(words, finished, tools.DONE)
        assert finished.output, words


def test_no_server(environment):
    everywhere(environment, tools.NO_SERVER)
    everywhere(environment, tools.NO_SERVER, "-t", "pid:1")
    everywhere(environment, tools.NO_SERVER, "-t", "unix:/nowhere/socket", commands=tools.COMMANDS)


def test_nobody_listens_at_the_port(environment, closing):
    server = FakeServer(silent)
    server.close()
    everywhere(environment, tools.NO_SERVER, "-t", server.endpoint, commands=tools.COMMANDS)


def test_a_silent_server(fake, environment):
    fake(silent)
    everywhere(environment, tools.TIMED_OUT)


def test_a_server_that_is_silent_after_its_greeting(fake, environment):
    def part(conversation):
        for request in conversation.requests():
            if request["command"] == "DescribeServer":
                conversation.send(frame(answers(request)[0]))
    fake(part)
    commands = [words for words in tools.ALL if words[1] not in ("ping", "describe", "wait")]
    everywhere(environment, tools.TIMED_OUT, commands=commands)


OTHERS = {
    "junk": greeting(bytes(range(256)) * 20),
    "zeros": greeting(bytes(5000)),
    "one byte": greeting(b"x"),
    "http": retort(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    "ssh": greeting(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "smtp": greeting(b"220 mail.example ESMTP\r\n"),
    "tls alert": retort(b"\x15\x03\x01\x00\x02\x02\x16"),
    "text port": greeting(b"REPL session 1 connected.\r\n>>>> "),
    "no json": retort(frame(b"{")),
    "json of another kind": retort(frame(b"[1, 2]")),
    "no status": retort(frame(b"{}")),
    "no server": retort(frame(b'{"status": "ok"}')),
    "a server of a strange type": retort(frame(b'{"status": "ok", "id": 0, "server": {"name": 7, "protocol": "one"}}')),
    "an older protocol": retort(frame(b'{"status": "ok", "id": 0, "server": {"name": "repltools", "protocol": 0}}')),
    "a refusal": retort(frame(b'{"status": "failed", "reason": "no"}')),
    "bad utf-8": retort(frame(b'{"status": "ok", "id": 0, "x": "\xff\xfe"}')),
    "a deep document": retort(frame(b"[" * 100_000)),
    "a frame too long": retort(b"\xffv01l1048577;" + b"x" * 1048577),
    "a length without end": retort(b"\xffv01l" + b"9" * 5000),
    "a negative length": retort(b"\xffv01l-1;"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_something_else_answers(name, fake, environment):
    fake(OTHERS[name])
    commands = tools.COMMANDS if name in ("junk", "text port", "no server") else tools.COMMANDS[:3] + tools.COMMANDS[-2:]
    everywhere(environment, tools.PROTOCOL, commands=commands)
    listed = tools.run(("replctl", "servers"), environment, *SHORT)
    check(("replctl", "servers"), listed, tools.DONE)
    assert b"\tsilent\t" in listed.output


ANCESTOR = """
import sys
from unpythonic.net import server
server.start({}, bind="127.0.0.1", repl_port=int(sys.argv[1]), control_port=int(sys.argv[2]))
print("started", flush=True)
sys.stdin.read()
"""


def test_the_ancestor(environment, tmp_path, closing):
    from host_process import HostProcess
    from process_facts import unused_port
    ports = [unused_port(), unused_port()]
    script = tmp_path / "ancestor.py"
    script.write_text(ANCESTOR)
    python = ancestor_environments()[-1].macros
    host = closing(HostProcess([python, script, *map(str, ports)], environment))
    host.trouble_expected = True
    host.stdout.wait_for("started\n")
    for port, what in zip(ports, ("text port", "another kind")):
        for words in (("replctl", "ping"), ("replctl", "eval", "1"), ("replctl", "jobs"), ("replcomplete", "pri")):
            finished = tools.run(words, environment, "-t", "127.0.0.1:1:%d" % port)
            # The ancestor may reset the connection of who does not speak its language, and with it what it had sent.
            check(words, finished, tools.PROTOCOL, tools.NO_SERVER)
            assert finished.status == tools.NO_SERVER or what in finished.errors.decode()


# MARK: a server that goes away


def total(words):
    """How many bytes the whole answer to a command has, as a server sends it."""
    names = {"ping": [], "describe": [], "eval": ["Evaluate"], "jobs": ["Jobs"], "fg": ["AwaitJob"],
             "output": ["JobOutput"], "doc": ["Document"], "threads": ["Threads"], "kill": ["KillJob"] * 2,
             "pri": ["Complete"], "disconnect": ["Disconnect"], "halt": ["Halt"], "bg": ["StartJob"]}[words[1]]
    requests = [{"command": name, "id": number} for number, name in enumerate(["DescribeServer", *names])]
    return sum(len(frame(message)) for request in requests for message in answers(request))


# Every byte where output streams; a sample of the others.
CUT = [(("replctl", "eval", "work()"), 1), (("replctl", "eval", "work()", "--json"), 29), (("replctl", "ping"), 5),
       (("replctl", "jobs"), 37), (("replctl", "fg", "%1"), 23), (("replctl", "output", "%1"), 23),
       (("replctl", "doc", "work"), 37), (("replctl", "threads", "--json"), 37), (("replctl", "kill", "%1", "%2"), 37),
       (("replcomplete", "pri"), 37), (("replctl", "halt"), 29), (("replctl", "bg", "1"), 29)]


@pytest.mark.parametrize("words, step", CUT, ids=lambda value: value if isinstance(value, int) else "_".join(value))
def test_a_server_that_closes_in_the_middle(words, step, environment, closing):
    count = total(words)
    for length in [*range(0, count, step), count - 1]:
        server = FakeServer(cut(length))
        try:
            status, output, errors = tools.run(words, environment, "-t", server.endpoint)
        finally:
            server.close()
        assert status == tools.NO_SERVER, (length, status, output, errors)
        # What was streamed before may have come out; a table or a document has not.
        streamed = words[1] in ("eval", "fg", "output") and "--json" not in words
        assert output in ((b"", b"out\n", b"out\n42", b"42") if streamed else
                          (b"", b"%1: interrupted\n") if words[1] == "kill" else (b"",)), (length, output)
        said = errors.decode().replace("err\n", "", 1) if streamed else errors.decode()
        assert re.fullmatch(words[0] + ": the server at [0-9.:]+ closed the connection\n", said), (length, said)


# MARK: a server whose answers are strange


def spoilt(value):
    """The same members, with every text full of what a terminal could obey."""
    if isinstance(value, dict):
        return {key: each if key in ("outcome", "state", "name") else spoilt(each) for key, each in value.items()}
    if isinstance(value, list):
        return [spoilt(each) for each in value]
    return value + NASTY if isinstance(value, str) else value


def test_control_characters_in_every_text(fake, environment):
    fake(whole())
    plain = dict(tools.run_all(tools.ALL, environment))
    other = FakeServer(whole(spoilt))
    try:
        found = tools.run_all(tools.ALL, environment, "-t", other.endpoint)
    finally:
        other.close()
    for words, finished in found:
        check(words, finished, tools.DONE)
        # The text of a documentation and of a source is data, and comes as it is.
        if words[1] in ("doc", "source") and "--json" not in words:
            continue
        obeyed = re.compile("[\x00-\x09\x0b-\x1f]") if "--json" in words else OBEYED
        assert not obeyed.search(finished.output.decode("utf-8")), (words, finished.output)
        assert finished.output.count(b"\n") == plain[words].output.count(b"\n"), (words, finished.output)


def test_a_refusal_is_one_line(fake, environment):
    codes = {None: 1, "no-session": 66, "no-job": 66, "busy": 1, "not-permitted": 77, "timeout": 75, "made up": 1, 7: 1}
    commands = [words for words in tools.ALL if words[1] not in ("ping", "describe", "wait")]
    for code, status in codes.items():
        def part(conversation):
            for request in conversation.requests():
                message = {"status": "failed", "id": request["id"], "reason": "no" + NASTY, "code": code}
                if request["command"] == "DescribeServer":
                    conversation.send(frame(answers(request)[0]))
                elif request["command"] not in ("Grant", "Input"):
                    conversation.send(frame(message))
        server = FakeServer(part)
        try:
            found = tools.run_all(commands, environment, "-t", server.endpoint)
        finally:
            server.close()
        for words, finished in found:
            assert finished.status == status and finished.output == b"", (words, code, finished)
            said = finished.errors.decode()
            lines = 2 if words[1] == "kill" and status in (1, 66, 77) else 1
            assert said.count("\n") == lines and not OBEYED.search(said), (words, said)


def test_events_members_and_replies_that_nobody_knows(fake, environment):
    more = [{"event": "weather", "id": 1, "sun": True}, {"event": "started", "id": 99, "session": 1, "evaluation": 1},
            {"event": "input", "id": 77}, {"status": "ok", "id": 1234}, {"status": "failed", "id": 4321, "reason": "other"},
            {"status": "ok", "id": 2 ** 62}, {"event": 7, "id": "x", "status": "ok"}]
    noise = [json.dumps(each).encode() for each in more] + [b"o99;not yours", b"v%d;" % (2 ** 62)]

    def alter(message):
        document = json.loads(message) if message.startswith(b"{") else {}
        if "status" in document and "server" not in document:
            document["news"] = {"more": [None, 1e300, {"deep": True}]}
            return [*noise, json.dumps(document).encode()]
        return [message]
    fake(whole())
    plain = dict(tools.run_all(tools.COMMANDS, environment))
    server = FakeServer(whole(alter=alter))
    try:
        found = tools.run_all(tools.COMMANDS, environment, "-t", server.endpoint)
    finally:
        server.close()
    for words, finished in found:
        check(words, finished, tools.DONE)
        if words[1] not in ("ping", "describe", "wait"):
            assert finished == plain[words], words


def test_replies_as_long_as_they_may_be_and_longer(fake, environment):
    def padded(length):
        def alter(message):
            if not message.startswith(b'{"') or b'"server": {' in message or b'"event"' in message:
                return [message]
            room = length - len(message) - len(b', "pad": ""')
            return [message[:-1] + b', "pad": "' + b"x" * room + b'"}']
        return alter
    commands = [words for words in tools.COMMANDS if words[1] not in ("ping", "describe", "wait", "interrupt")]
    for length, status in ((1 << 20, tools.DONE), ((1 << 20) + 1, tools.PROTOCOL)):
        server = FakeServer(whole(alter=padded(length)))
        try:
            found = tools.run_all(commands, environment, "-t", server.endpoint)
        finally:
            server.close()
        for words, finished in found:
            if words[1] in ("eval", "fg", "output") and status == tools.PROTOCOL:
                assert finished.status == status, (words, finished)
            else:
                check(words, finished, status)


@pytest.mark.parametrize("element", [b"0", b"null", b'""', b"{}", b"[[]]"])
def test_a_list_without_end(element, environment):
    """As many elements as a frame holds: what is too much for a reader is refused in one line."""
    for key, words in (("jobs", "jobs"), ("sessions", "sessions"), ("threads", "threads"), ("candidates", "pri")):
        def part(conversation):
            for request in conversation.requests():
                if request["command"] == "DescribeServer":
                    conversation.send(frame(answers(request)[0]))
                    continue
                head = b'{"status": "ok", "id": %d, "%s": [' % (request["id"], key.encode())
                count = ((1 << 20) - len(head) - 10) // (len(element) + 1)
                conversation.send(frame(head + b",".join([element] * count) + b"]}"))
        server = FakeServer(part)
        command = ("replcomplete" if words == "pri" else "replctl", words)
        try:
            finished = tools.run(command, environment, "-t", server.endpoint)
        finally:
            server.close()
        check(command, finished, tools.DONE, tools.PROTOCOL, *([tools.FAILED] if words == "pri" else []))


NUMBERS = [-1, 0, 1 << 62, -(1 << 63), 1 << 64, 1e308, -1e308, 0.5, "7", None, True, [], {}]


def test_numbers_of_every_size(environment):
    """Every number of a reply in turn is replaced by what no server sends."""
    for number in NUMBERS:
        def change(value):
            if isinstance(value, dict):
                return {key: each if key == "protocol" else change(each) for key, each in value.items()}
            if isinstance(value, list):
                return [change(each) for each in value]
            return number if isinstance(value, (int, float)) and not isinstance(value, bool) else value
        server = FakeServer(whole(change))
        try:
            found = tools.run_all(tools.ALL, environment, "-t", server.endpoint)
        finally:
            server.close()
        for words, finished in found:
            if not (finished.status == tools.PROTOCOL and words[1] in ("eval", "fg", "output")):
                check(words, finished, *tools.STATUSES - {tools.NO_SERVER, tools.TIMED_OUT})


def test_types_that_no_server_sends(environment):
    """Every member of a reply in turn is of another type."""
    for strange in (7, "x", None, [], {}, [[]], True):
        def change(value):
            return {key: value[key] if key in ("name", "protocol") else strange for key in value}
        server = FakeServer(whole(change))
        try:
            found = tools.run_all(tools.ALL, environment, "-t", server.endpoint)
        finally:
            server.close()
        for words, finished in found:
            if not (finished.status == tools.PROTOCOL and words[1] in ("eval", "fg", "output")):
                check(words, finished, *tools.STATUSES - {tools.NO_SERVER, tools.TIMED_OUT})


def test_a_server_that_sends_more_than_it_was_granted(environment, closing):
    """Credit is a limit for both sides: who breaks it is no server, and fills no memory."""
    def part(conversation):
        for request in conversation.requests():
            if request["command"] == "DescribeServer":
                conversation.send(frame(answers(request)[0]))
            elif request["command"] in ("Evaluate", "JobOutput"):
                piece = frame(b"o%d;" % request["id"] + b"x" * 60_000)
                for _ in range(2000):
                    conversation.send(piece)
                return
    server = closing(FakeServer(part))
    for words in (("eval", "1"), ("output", "%1")):
        # Nobody reads what it writes.
        reading, writing = os.pipe()
        try:
            done = subprocess.run([*tools.WITHIN_100_MB, str(tools.REPLCTL), *words, "-t", server.endpoint], env=environment,
                                  stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60)
        finally:
            os.close(writing)
            os.close(reading)
        assert done.returncode == tools.PROTOCOL, done.stderr
        assert re.fullmatch(b"replctl: [^\n]* sent more output than it was granted\n", done.stderr)


@pytest.mark.parametrize("seed", range(8))
def test_streams_with_a_few_wrong_bytes(seed, environment):
    """Whatever a byte is turned into, a tool says one thing or does its work; it never traps and never hangs."""
    def part(conversation):
        for request in conversation.requests():
            chance = random.Random("%d %s" % (seed, sorted(request.items())))
            data = bytearray(b"".join(map(frame, answers(request))))
            for _ in range(chance.choice([0, 1, 1, 2, 8])):
                if data:
                    at = chance.randrange(len(data))
                    change = chance.randrange(4)
                    if change == 0:
                        data[at] = chance.randrange(256)
                    elif change == 1:
                        del data[at:at + chance.randrange(1, 6)]
                    elif change == 2:
                        data[at:at] = bytes(chance.choice([b"\xff", b"\xffv01l", b"9" * 20, b'"', b"{", b"\\u0000", b"-1e999"]))
                    else:
                        data[at] ^= 1 << chance.randrange(8)
            conversation.send(bytes(data))
    server = FakeServer(part)
    try:
        found = tools.run_all(tools.ALL * 2, environment, "-t", server.endpoint, "--timeout", "0.3")
    finally:
        server.close()
    for words, finished in found:
        assert finished.status in tools.STATUSES, (words, finished)
        assert finished.output == b"" or finished.output.endswith(b"\n") or words[1] in ("eval", "fg", "output"), (words, finished)
        if words[1] not in ("eval", "fg", "output"):
            assert not OBEYED.search(finished.errors.decode()), (words, finished)
