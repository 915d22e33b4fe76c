"""replconnect at servers that lie, are mute, or send what a terminal would obey."""

import json
import threading

import pytest

from control_client import frame
from deadline import PATIENCE
from fake_server import FakeServer, answers
from peers import REPLCONNECT, built
from prompts import PROMPT, at_prompt

#: What a terminal would take for a title, a colour, a clear screen, a report of its own.
EVIL = "\x1b]0;owned\x07\x1b[31m\x1b[2J\x1b[6n\x9b5n\r\x08\x00"


def reply(request, **fields):
    return json.dumps(dict(fields, status="ok", id=request["id"])).encode()


def talks(*special):
    """A part: a server of ours, but for `special`, functions from a request to the bodies to send or None."""
    def part(conversation):
        for request in conversation.requests():
            bodies = next((found for found in (each(request) for each in special) if found is not None), None)
            if bodies is None:
                bodies = answers(request) or [reply(request)]
            for body in bodies:
                conversation.send(body if isinstance(body, bytes) and body[:1] == b"\xff" else frame(body))
    return part


@pytest.fixture
def connect(closing, terminal, environment):
    """Starts replconnect at a fake server that plays a part."""
    def start(part, *options):
        fake = closing(FakeServer(part))
        return terminal([built(REPLCONNECT), *options, "-t", fake.endpoint], environment)
    return start


def is_harmless(raw):
    """Whether nothing in what reached the terminal was the server's to say to it."""
    return not any(part in raw for part in (b"\x1b]0;", b"\x1b[2J", b"\x1b[6n", b"\x9b5n", b"owned\x07"))


def test_what_it_says_of_itself_is_harmless(connect):
    def describes(request):
        if request["command"] == "DescribeServer":
            server = {"name": "repltools", "version": EVIL, "protocol": 1, "pid": 1, "instance": EVIL, "features": [EVIL]}
            return [reply(request, server=server, prompts={"ps1": EVIL, "ps2": EVIL})]
    screen = connect(talks(describes))
    at_prompt(screen)
    screen.type("\x04")
    assert screen.wait_end() == 0
    assert is_harmless(screen.raw)


def test_refusals_and_names_are_harmless(connect):
    def refuses(request):
        if request["command"] == "Evaluate":
            return [json.dumps({"status": "failed", "reason": "no " + EVIL, "id": request["id"]}).encode()]
        if request["command"] == "Complete":
            candidates = [{"text": "pri" + EVIL + str(n), "kind": EVIL, "doc": EVIL} for n in range(3)]
            return [reply(request, candidates=candidates, start=0, truncated=False)]
    screen = connect(talks(refuses))
    at_prompt(screen)
    screen.type("pri\t")
    screen.wait(lambda screen: "owned" in screen.text or "pri" in screen.text, "what becomes of it")
    screen.type("\x15x\r")
    screen.wait(lambda screen: "no " in screen.text and screen.cursor_line == PROMPT, "the refusal")
    screen.type("\x04")
    assert screen.wait_end() == 0
    assert is_harmless(screen.raw)


def test_what_code_prints_is_passed_through(connect):
    def colours(request):
        if request["command"] == "Evaluate":
            started = {"event": "started", "id": request["id"], "session": 3, "evaluation": 1}
            return [json.dumps(started).encode(), b"o%d;\x1b[31mred\x1b[0m\n" % request["id"],
                    reply(request, outcome="value", duration=0, session=3, evaluation=1)]
    screen = connect(talks(colours))
    at_prompt(screen)
    screen.type("x\r")
    screen.wait_raw(b"\x1b[31mred\x1b[0m")


def test_more_candidates_than_anybody_reads(connect):
    def floods(request):
        if request["command"] == "Complete":
            names = ["name%06d" % n for n in range(40_000)]
            return [reply(request, candidates=[{"text": name, "kind": "x"} for name in names[:20_000]], start=0,
                          truncated=True)]
    screen = connect(talks(floods))
    at_prompt(screen)
    screen.type("na\t")
    screen.wait(lambda screen: "name0" in screen.text, "the common beginning or a list")
    screen.type("\x15")
    at_prompt(screen)
    screen.type("\x04")
    assert screen.wait_end() == 0


LIES = {"too long": b"\xffv01l2000000000;{", "never ends": b"\xffv01l100;{\"status\"", "no number": b"\xffv01lx;{}",
        "junk": b"\x00\x01SSH-2.0-OpenSSH_9.2\r\n", "no object": frame(b"[1]"), "no JSON": frame(b"{{{{"),
        "no status": frame(b'{"id":0}')}


@pytest.mark.parametrize("lie", LIES)
def test_lies(lie, connect):
    """A lie ends it with one line and a status of the table; it neither hangs nor believes."""
    def lies(conversation):
        for request in conversation.requests():
            if request["command"] == "OpenSession":
                conversation.send(LIES[lie])
                if lie == "never ends":
                    return
            else:
                for body in answers(request):
                    conversation.send(frame(body))
    screen = connect(lies)
    assert screen.wait_end() in (69, 76)
    assert screen.text.startswith("replconnect: ") and screen.text.count("replconnect: ") == 1


@pytest.mark.parametrize("options", [[], ["-c", "1"]], ids=["prompt", "code"])
def test_a_mute_server(options, connect):
    screen = connect(lambda conversation: conversation.wait(), "--timeout", "0.5", *options)
    assert screen.wait_end() == 75
    # Which of its deadlines passes first is chance: that of connecting, or that of the request behind it.
    assert any(words in screen.text for words in ("no answer from", "does not answer"))


def test_output_nobody_asked_for_is_ignored(connect):
    def adds(request):
        if request["command"] == "OpenSession":
            strays = [b"o77;stray\n", b"E78;stray\n", json.dumps({"event": "job", "id": 99, "job": 1}).encode(),
                      json.dumps({"event": "input", "id": 98}).encode(), json.dumps({"event": EVIL, "id": 1}).encode()]
            return strays + [reply(request, session=3)]
    screen = connect(talks(adds))
    at_prompt(screen)
    assert "stray" not in screen.text


def test_ctrl_d_and_then_ctrl_c_at_a_server_that_does_not_let_go(connect):
    asked = threading.Event()

    def clings(request):
        if request["command"] == "CloseSession":
            asked.set()
            return []
    screen = connect(talks(clings))
    at_prompt(screen)
    screen.type("\x04")
    assert asked.wait(PATIENCE)
    screen.type("\x03")
    assert screen.wait_end() in (0, 130)
