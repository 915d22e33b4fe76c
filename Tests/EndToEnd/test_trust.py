"""Servers of another user of this machine: no tool sends them anything, unless it is told to trust that user."""

import fcntl
import json
import os
import shutil
import socket
import struct
import tempfile
from pathlib import Path

import pytest

import tools
from control_client import HEADER, frame
from fake_server import FakeServer, answers, retort, whole
from peers import REPLCONNECT, built
from second_user import NAME, needs_root, number
from stranger import Stranger

WORDS = [("replctl", "ping"), ("replctl", "eval", "1"), ("replctl", "wait", "--timeout", "5"),
         ("replcomplete", "pri"), ("replconnect", "-c", "1")]


def speak(connection, data):
    """Answers the requests in one piece of what came, as a server of ours does."""
    while data:
        header = HEADER.match(data)
        end = header.end() + int(header.group(1))
        for message in answers(json.loads(data[header.end():end].decode())):
            connection.sendall(frame(message))
        data = data[end:]


@pytest.fixture(params=["IPv4", "IPv6", "mapped", "all addresses", "own address", "unix"])
def place(request):
    """Where a stranger listens, and how a tool is told of it: (family, address, endpoint with %d for the port)."""
    needs_root()
    if request.param == "unix":
        folder = tempfile.mkdtemp(prefix="rt-", dir="/tmp")
        shutil.chown(folder, NAME)
        yield socket.AF_UNIX, folder + "/s", "unix:%s/s" % folder
        shutil.rmtree(folder)
    elif request.param == "IPv6":
        yield socket.AF_INET6, ("::1", 0), "[::1]:1:%d"
    elif request.param == "mapped":
        yield socket.AF_INET, ("127.0.0.1", 0), "[::ffff:127.0.0.1]:1:%d"
    elif request.param == "all addresses":
        yield socket.AF_INET6, ("::", 0), "127.0.0.1:1:%d"
    elif request.param == "own address":
        _, own = own_place()
        yield socket.AF_INET, (own, 0), own + ":1:%d"
    else:
        yield socket.AF_INET, ("127.0.0.1", 0), "127.0.0.1:1:%d"


def own_place():
    """An interface and its address that is not loopback: netdevice(7), SIOCGIFADDR."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                found = fcntl.ioctl(probe, 0x8915, struct.pack("256s", name.encode()))
            except OSError:
                continue
            address = socket.inet_ntoa(found[20:24])
            if not address.startswith("127."):
                return name, address
    pytest.skip("this machine has no address beside loopback")


def endpoint(place, stranger):
    return place[2] % stranger.port if "%d" in place[2] else place[2]


@pytest.mark.parametrize("accepts", [True, False], ids=["accepted", "backlog"])
def test_a_stranger_is_sent_nothing(place, accepts, environment, closing):
    stranger = closing(Stranger(*place[:2], accepts=accepts))
    for words in WORDS:
        status, output, errors = tools.run(words, environment, "-t", endpoint(place, stranger))
        assert (status, output) == (tools.NOT_PERMITTED, b""), (words, errors)
        assert b"user %d" % number() in errors and b"--trust-user %d" % number() in errors
        assert errors.count(b"\n") == 1
    assert stranger.received() == b""


@pytest.mark.parametrize("user", [NAME, "number"])
def test_who_is_trusted_is_talked_to(place, user, environment, closing):
    stranger = closing(Stranger(*place[:2], speaks=speak))
    user = str(number()) if user == "number" else user
    for words in WORDS:
        status, output, errors = tools.run(words, environment, "-t", endpoint(place, stranger), "--trust-user", user)
        assert status == tools.DONE, (words, errors)
        assert output
    assert b"DescribeServer" in stranger.received()


def test_trusting_somebody_else_does_not_help(environment, closing):
    needs_root()
    stranger = closing(Stranger(socket.AF_INET, ("127.0.0.1", 0)))
    status, _, errors = tools.run(("replctl", "ping"), environment, "-t", "127.0.0.1:1:%d" % stranger.port,
                                  "--trust-user", "1", "--trust-user", "2")
    assert status == tools.NOT_PERMITTED, errors
    assert stranger.received() == b""


@pytest.mark.parametrize("where", ["loopback", "own address"])
def test_a_listener_that_is_bound_to_an_interface(where, environment, closing):
    """Any user may do that, and the kernel does not find it for who asks without naming the interface."""
    needs_root()
    interface, address = ("lo", "127.0.0.1") if where == "loopback" else own_place()
    stranger = closing(Stranger(socket.AF_INET, (address, 0), interface=interface))
    told = "%s:1:%d" % (address, stranger.port)
    status, output, errors = tools.run(("replctl", "ping"), environment, "-t", told)
    assert (status, output) == (tools.NOT_PERMITTED, b""), errors
    if where == "loopback":
        assert b"--trust-user %d" % number() in errors
    else:
        assert b"does not say whose server" in errors
    assert stranger.received() == b""


def test_the_text_port_of_a_server_of_the_old_protocol(environment, closing):
    """That its control port is ours does not mean that its text port is, too."""
    needs_root()
    stranger = closing(Stranger(socket.AF_INET, ("127.0.0.1", 0)))
    described = frame(b'{"status": "ok", "prompts": {"ps1": ">>>> ", "ps2": ".... "}}')
    control = closing(FakeServer(retort(described)))
    told = "127.0.0.1:%d:%d" % (stranger.port, control.port)
    status, _, errors = tools.run(("replconnect", "-c", "1"), environment, "-t", told)
    assert status == tools.NOT_PERMITTED and b"user %d" % number() in errors, errors
    assert stranger.received() == b""


@pytest.mark.parametrize("words", [("replctl", "ping"), ("replcomplete", "x"), ("replconnect", "-c", "1")],
                         ids=lambda words: words[0])
@pytest.mark.parametrize("user", ["no-such-user", "4294967295", ""])
def test_an_unknown_user_is_an_error_of_usage(words, user, environment):
    status, output, errors = tools.run(words, environment, "--trust-user", user)
    assert (status, output) == (tools.USAGE, b""), errors
    assert errors.startswith(words[0].encode() + b": ") and errors.count(b"\n") == 1


# MARK: files


@pytest.fixture
def ours(environment, closing):
    """A server of this user in the runtime directory."""
    return closing(FakeServer(whole(), environment["XDG_RUNTIME_DIR"]))


def ping(environment, *options):
    return tools.run(("replctl", "ping"), environment, *options)


def test_a_socket_that_others_can_write_to(ours, environment):
    path = ours.endpoint[len("unix:"):]
    assert ping(environment).status == tools.DONE
    for mode in (0o620, 0o602, 0o777):
        os.chmod(path, mode)
        for options in ((), ("-t", ours.endpoint)):
            status, _, errors = ping(environment, *options)
            assert status == tools.NOT_PERMITTED and path.encode() in errors, (oct(mode), errors)


def test_a_socket_file_of_somebody_else(ours, environment):
    needs_root()
    os.chown(ours.endpoint[len("unix:"):], number(), -1)
    assert ping(environment).status == tools.NOT_PERMITTED
    assert ping(environment, "--trust-user", NAME).status == tools.DONE


def test_a_runtime_directory_of_somebody_else(ours, environment):
    needs_root()
    run = Path(environment["XDG_RUNTIME_DIR"])
    os.chown(run / "repltools", number(), -1)
    assert ping(environment).status == tools.NOT_PERMITTED
    os.chown(run / "repltools", 0, -1)
    assert ping(environment).status == tools.DONE
    os.chown(run, number(), -1)
    status, _, errors = ping(environment)
    assert status == tools.NOT_PERMITTED and b"others can replace what is in" in errors
    os.chown(run, 0, -1)


@pytest.mark.parametrize("mode, status", [(0o770, 77), (0o707, 77), (0o1777, 0), (0o755, 0)])
def test_what_the_runtime_directory_is_in(mode, status, ours, environment, replserve_path, newest):
    os.chmod(environment["XDG_RUNTIME_DIR"], mode)
    for words in [("replctl", "ping"), ("replctl", "servers"), ("replctl", "--each", "ping"), ("replcomplete", "pri"),
                  ("replconnect", "-c", "1")]:
        assert tools.run(words, environment).status == status, words


@pytest.mark.parametrize("which", ["socket", "directory"])
def test_a_symbolic_link_is_as_safe_as_what_it_points_to(which, ours, environment, tmp_path):
    path = Path(ours.endpoint[len("unix:"):])
    link = tmp_path / "link"
    link.symlink_to(path if which == "socket" else path.parent)
    told = "unix:%s" % (link if which == "socket" else link / path.name)
    assert ping(environment, "-t", told).status == tools.DONE
    path.parent.chmod(0o777)
    assert ping(environment, "-t", told).status == tools.NOT_PERMITTED
    path.parent.chmod(0o700)
    tmp_path.chmod(0o777)
    expected = tools.NOT_PERMITTED if which == "socket" else tools.DONE
    assert ping(environment, "-t", told).status == expected


# MARK: the reason


def asking(got):
    """A part: a server that does nothing before it has been told why."""
    def part(conversation):
        is_told = False
        for request in conversation.requests():
            got.append(request)
            is_told = is_told or request["command"] == "Introduce" and bool(request.get("reason"))
            if is_told or request["command"] == "DescribeServer":
                messages = answers(request, lambda value: dict(value, requires_reason=True)
                                   if "protocol" in value else value)
                for message in messages or [json.dumps({"status": "ok", "id": request["id"]}).encode()]:
                    conversation.send(frame(message))
            else:
                refusal = {"status": "failed", "reason": "Why?", "code": "reason-required", "id": request["id"]}
                conversation.send(frame(json.dumps(refusal).encode()))
    return part


@pytest.mark.parametrize("words", [("replctl", "eval", "1"), ("replctl", "jobs"), ("replcomplete", "pri"),
                                   ("replconnect", "-c", "1")], ids="-".join)
def test_a_server_that_asks_why(words, environment, closing):
    got = []
    fake = closing(FakeServer(asking(got), environment["XDG_RUNTIME_DIR"]))
    assert fake
    status, output, errors = tools.run(words, environment)
    assert (status, output) == (tools.NOT_PERMITTED, b"")
    assert errors == b"%s: this server asks for a reason: give --reason TEXT, or set REPL_REASON\n" % words[0].encode()
    assert tools.run(words, environment, "--reason", "an outage").status == tools.DONE
    assert [request["reason"] for request in got if request["command"] == "Introduce"] == ["an outage"]
    assert tools.run(words, dict(environment, REPL_REASON="a test")).status == tools.DONE
    assert [request["reason"] for request in got if request["command"] == "Introduce"][1:] == ["a test"]
    status, _, errors = tools.run(words, environment, "--reason", " ")
    assert status == tools.USAGE and errors.count(b"\n") == 1
    status, _, errors = tools.run(words, dict(environment, REPL_INTRODUCTION="[1]"))
    assert status == tools.USAGE and errors.count(b"\n") == 1 and b"REPL_INTRODUCTION" in errors


QUESTION = "Reason for connecting: "


@pytest.fixture
def asked(environment, closing, terminal):
    """replconnect in a terminal, at a server that asks; (the screen, the requests)."""
    def start(*options):
        got = []
        fake = closing(FakeServer(asking(got)))
        screen = terminal([built(REPLCONNECT), "-t", fake.endpoint, *options], environment)
        return screen, got
    return start


def test_a_person_is_asked(asked):
    screen, got = asked()
    screen.wait(lambda screen: screen.cursor_line == QUESTION, "the question")
    assert [request["command"] for request in got] == ["DescribeServer"]
    screen.type("\r")
    screen.wait(lambda screen: screen.text.count(QUESTION.strip()) == 2, "the question again")
    screen.type("  an outage \r")
    screen.wait(lambda screen: screen.cursor_line == ">>>> ", "the prompt")
    assert [request["command"] for request in got][:3] == ["DescribeServer", "Introduce", "OpenSession"]
    assert got[1]["reason"] == "an outage"
    screen.type("\x04")
    assert screen.wait_end() == 0


def test_a_person_who_gave_it_is_not_asked(asked):
    screen, got = asked("--reason", "an outage")
    screen.wait(lambda screen: screen.cursor_line == ">>>> ", "the prompt")
    assert QUESTION.strip() not in screen.text
    assert got[1]["reason"] == "an outage"


@pytest.mark.parametrize("key, status", [("\x04", 0), ("\x03", -2)])
def test_a_person_may_leave_instead(key, status, asked):
    screen, got = asked()
    screen.wait(lambda screen: screen.cursor_line == QUESTION, "the question")
    screen.type(key)
    assert screen.wait_end() == status
    assert [request["command"] for request in got] == ["DescribeServer"]
