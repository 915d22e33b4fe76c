"""The control door as unpythonic 2.5 speaks it: describe, pair, complete, interrupt, and how each fails."""

import json
import socket

import pytest

from control_client import ControlClient, frame

ANCESTOR_COMMANDS = ["DescribeServer", "PairWithSession", "TabComplete", "KeyboardInterrupt"]


@pytest.fixture
def control(server, closing):
    return closing(ControlClient(server.control_port))


def failed(reply):
    return reply["status"] == "failed" and bool(reply["reason"])


def test_describe(control):
    reply = control.request("DescribeServer")
    assert reply["status"] == "ok"
    assert reply["prompts"] == {"ps1": ">>>> ", "ps2": ".... "}
    assert reply["control_protocol_version"] == "1.0"
    assert set(ANCESTOR_COMMANDS) <= set(reply["supported_commands"])
    assert all(isinstance(name, str) for name in reply["supported_commands"])


def test_every_supported_command_is_supported(control):
    for name in control.request("DescribeServer")["supported_commands"]:
        reply = control.request(name)
        assert "not understood" not in reply.get("reason", ""), (name, reply)


def test_describe_fits_the_ancestors_decoder(server):
    """Its decoder breaks on a header and 4,096 bytes or more in one read."""
    with socket.create_connection(("127.0.0.1", server.control_port)) as sock:
        sock.sendall(frame({"command": "DescribeServer"}))
        sock.shutdown(socket.SHUT_WR)
        received = 0
        while piece := sock.recv(65536):
            received += len(piece)
    assert 0 < received < 4096


def test_replies_are_ascii_json_without_surprises(server):
    """A frame's length counts bytes; any JSON decoder reads the body."""
    with socket.create_connection(("127.0.0.1", server.control_port)) as sock:
        sock.sendall(frame({"command": "žluť"}))
        sock.shutdown(socket.SHUT_WR)
        data = b""
        while piece := sock.recv(65536):
            data += piece
    header, _, body = data.partition(b";")
    assert header == b"\xffv01l%d" % len(body)
    assert json.loads(body.decode("utf-8"))["status"] == "failed"


def test_pair(server, control, connect):
    client = connect(server)
    assert control.request("PairWithSession", id=client.session) == {"status": "ok"} or \
        control.request("PairWithSession", id=client.session)["status"] == "ok"


@pytest.mark.parametrize("fields", [{}, {"id": 999}, {"id": 0}, {"id": -1}, {"id": "1"}, {"id": None},
                                    {"id": [1]}, {"id": {}}, {"id": 10 ** 30}, {"id": 1e300}], ids=str)
def test_pair_fails(server, control, connect, fields):
    client = connect(server)
    assert failed(control.request("PairWithSession", **fields))
    assert control.request("DescribeServer")["status"] == "ok"
    assert client.run("1 + 1") == "2\n"


def test_pair_with_a_session_that_ended(server, control, connect):
    client = connect(server)
    client.send("quit()\n")
    client.rest()
    assert failed(control.request("PairWithSession", id=client.session))


def test_a_failed_pairing_keeps_the_old_one(server, paired):
    client, control = paired(server)
    assert failed(control.request("PairWithSession", id=999))
    client.send("exec('print(\"on\")\\nwhile True: pass')\n")
    client.expect("on\n")
    control.interrupt()
    client.expect("KeyboardInterrupt")


def test_interrupt_needs_a_pairing(control):
    assert failed(control.request("KeyboardInterrupt"))
    assert control.request("DescribeServer")["status"] == "ok"


def test_interrupt_of_a_session_that_ended(server, paired):
    client, control = paired(server)
    client.send("quit()\n")
    client.rest()
    assert failed(control.request("KeyboardInterrupt"))
    assert control.request("DescribeServer")["status"] == "ok"


def test_completion_is_that_of_rlcompleter(interpreter, serve, connect, closing):
    server = serve(python=interpreter.plain)
    control = closing(ControlClient(server.control_port))
    client = connect(server)
    client.run("import sys, os, rlcompleter; local_name = 1; local_other = {}")
    client.block("def candidates(text):\n    c = rlcompleter.Completer(globals()); found = []\n"
                 "    while c.complete(text, len(found)) is not None:\n"
                 "        found.append(c.complete(text, len(found)))\n"
                 "    print(json.dumps(found))")
    client.run("import json")
    for text in ("local_n", "local_", "pri", "impor", "sys.st", "os.path.is", "sys.version_info.m", "local_other.up",
                 "nosuch", "nosuch.x", "sys.nosuch", "1 +", "sys.version.upper().lo", "server_", "whi"):
        expected = json.loads(client.run("candidates(%r)" % text))
        assert sorted(control.completions(text)) == sorted(expected), text


def test_completion_sees_the_present(server, control, connect):
    client = connect(server)
    assert control.completions("brand_new") == []
    client.run("brand_new_name = 1")
    assert control.completions("brand_new") == ["brand_new_name"]
    client.run("del brand_new_name")
    assert control.completions("brand_new") == []


def test_completion_states_in_any_order(server, control, connect):
    connect(server).run("abc_one = abc_two = abc_three = 1")
    replies = {state: control.request("TabComplete", text="abc_", state=state)["result"] for state in (2, 0, 1, 3, 0, 99)}
    assert {replies[0], replies[1], replies[2]} == {"abc_one", "abc_two", "abc_three"}
    assert replies[3] is None and replies[99] is None


def test_completion_while_the_session_evaluates(server, paired):
    client, control = paired(server)
    client.run("busy_name = 1")
    client.send("exec('print(\"on\")\\nwhile True: pass')\n")
    client.expect("on\n")
    assert control.completions("busy_n") == ["busy_name"]
    control.interrupt()
    client.expect("KeyboardInterrupt")


def test_completion_survives_what_it_touches(server, control, connect):
    client = connect(server)
    client.block("class Trap:\n    def __getattr__(self, name):\n        raise RuntimeError('trap')\n"
                 "    def __dir__(self):\n        raise SystemExit('trap')")
    client.run("trap = Trap()")
    for text in ("trap.", "trap.x", "trap.x.y"):
        reply = control.request("TabComplete", text=text, state=0)
        assert reply["status"] in ("ok", "failed")
    client.run("none_of = {}")
    assert control.completions("none_o") == ["none_of"]
    assert server.running


def test_completion_of_names_beyond_ascii(server, control, connect):
    connect(server).run("žluť_jedna = 1")
    assert control.completions("žluť_") == ["žluť_jedna"]


@pytest.mark.parametrize("fields", [{}, {"text": "a"}, {"state": 0}, {"text": 5, "state": 0}, {"text": None, "state": 0},
                                    {"text": "a", "state": "0"}, {"text": "a", "state": None},
                                    {"text": ["a"], "state": 0}], ids=str)
def test_completion_fails(control, fields):
    assert failed(control.request("TabComplete", **fields))
    assert control.request("DescribeServer")["status"] == "ok"


@pytest.mark.parametrize("state", [-1, 1.5, 1e30, 10 ** 40, 2 ** 63, True])
def test_completion_states_that_are_none(control, state):
    """An answer, whichever it is; and the connection lives."""
    assert control.request("TabComplete", text="pri", state=state)["status"] in ("ok", "failed")
    assert control.request("DescribeServer")["status"] == "ok"


def test_unknown_fields_are_never_fatal(control):
    assert control.request("DescribeServer", extra=[1, {"a": None}], more="x" * 5000)["status"] == "ok"


def test_many_requests_in_one_piece(control):
    control.send(b"".join(frame({"command": "TabComplete", "text": "pri", "state": n}) for n in range(3)) * 200)
    replies = [control.receive() for _ in range(600)]
    assert replies == replies[:3] * 200
    assert "print" in replies[0]["result"]


def test_a_request_in_single_bytes(control):
    for byte in frame({"command": "DescribeServer"}):
        control.send(bytes([byte]))
    assert control.receive()["status"] == "ok"


def test_end_of_input_after_requests_still_answers_them(control):
    control.send(frame({"command": "DescribeServer"}) * 5)
    control.end_input()
    assert [reply["status"] for reply in control.all_replies()] == ["ok"] * 5


def test_two_controls_for_one_session(server, paired, closing):
    client, first = paired(server)
    second = closing(ControlClient(server.control_port))
    assert second.request("PairWithSession", id=client.session)["status"] == "ok"
    for control in (first, second):
        client.send("exec('print(\"on\")\\nwhile True: pass')\n")
        client.expect("on\n")
        control.interrupt()
        client.expect("KeyboardInterrupt")
        client.expect(">>>> ")


def test_a_control_moves_to_another_session(server, connect, paired):
    first, control = paired(server)
    second = connect(server)
    assert control.request("PairWithSession", id=second.session)["status"] == "ok"
    second.send("exec('print(\"on\")\\nwhile True: pass')\n")
    second.expect("on\n")
    control.interrupt()
    second.expect("KeyboardInterrupt")
    assert first.run("1 + 1") == "2\n"


def test_closing_the_control_leaves_the_session(server, paired):
    client, control = paired(server)
    control.close()
    assert client.run("1 + 1") == "2\n"
