"""A server that asks why one connects: in a text session, with the ancestor's client, and on the wire."""

import pytest

import tools
from audit_log import AuditLog, own
from control_tool import Replctl
from peers import ancestor_environments, environment_python, netcat

QUESTION = "Why do you connect? The first line is the reason, which goes into a log.\n"


@pytest.fixture
def server(serve, tmp_path):
    server = serve("--require-reason", "--audit-log", "audit.log")
    server.log = AuditLog(tmp_path / "audit.log", server.pid)
    return server


@pytest.fixture
def replctl(environment, closing):
    return Replctl(environment, closing)


def test_netcat(server, connect):
    """The first line is the reason, and is not run."""
    answer = netcat(server.port, b"print('this is', 'no code')\nprint('this', 'is')\n").decode()
    assert QUESTION in answer and "this is no code" not in answer and "this is\n" in answer
    assert own(server.log.wait_for("introduce")) == {"reason": "print('this is', 'no code')"}
    assert [record["source"] for record in server.log.of("evaluation")] == ["print('this', 'is')"]
    assert server.log.of("introduce")[0]["peer"]["program"] == "nc"


def test_white_space_is_asked_again(server, connect):
    client = connect(server)
    assert client.greeting.endswith(QUESTION)
    for line in ("", "  \t", "\u00a0"):
        assert client.run(line) == QUESTION
    assert client.run("to look\x07 around") == ""
    assert client.run("6 * 7") == "42\n"
    assert [own(record) for record in server.log.of("introduce")] == [{"reason": "to look  around"}]


def test_who_sends_a_request_of_the_web_gives_no_reason(server):
    assert QUESTION in netcat(server.port, b"GET / HTTP/1.1\r\n\r\nprint('ran')\n").decode()
    assert server.log.wait_for("refuse")["why"] == "foreign"
    assert server.log.of("introduce") == server.log.of("evaluation") == []


def test_the_ancestors_client(server, terminal, environment):
    """It is not modified, and waits for a prompt before anything can be typed."""
    python = environment_python(ancestor_environments()[-1].macros)
    screen = terminal([python, "-m", "unpythonic.net.client", "127.0.0.1", server.port, server.control_port],
                      environment)
    screen.wait_for("Why do you connect?")
    screen.wait(lambda screen: screen.cursor_line.rstrip().endswith(">>>>"), "a prompt")
    screen.type("6 * 9\r")
    screen.wait_lines(">>>> 6 * 9", ">>>>")
    screen.type("6 * 7\r")
    screen.wait_lines(">>>> 6 * 7", "42", ">>>>")
    screen.type("server_pr\t")
    screen.wait(lambda screen: screen.cursor_line.startswith(">>>> server_print("), "the completed name")
    assert [own(record) for record in server.log.of("introduce")] == [{"reason": "6 * 9"}]
    assert [record["source"] for record in server.log.of("evaluation")] == ["6 * 7"]


@pytest.mark.parametrize("door", ["unix", "control"])
def test_the_wire(server, tool, door):
    client = tool(server, door)
    described = client.ask("DescribeServer", protocol=1)["server"]
    assert described["requires_reason"] is True
    for command, fields in [("Evaluate", {"source": "1"}), ("Sessions", {}), ("StartJob", {"source": "1"}),
                            ("Halt", {"when": "now"})]:
        reply = client.reply(client.send(command, **fields))
        assert (reply["status"], reply["code"]) == ("failed", "reason-required"), reply
    client.ask("Introduce", reason="a test")
    assert client.ask("Sessions")["sessions"] == []
    assert own(server.log.of("introduce")[0]) == {"reason": "a test"}


def test_a_limit_on_the_wire(server, tool):
    """Who relays a connection limits it; the reason comes from the client behind, who can take nothing back."""
    client = tool(server)
    ssh = {"user": "ada", "address": "192.0.2.1:5", "key": "SHA256:x"}
    client.ask("Introduce", ssh=ssh, permit=["sessions"])
    assert client.reply(client.send("Sessions"))["code"] == "reason-required"
    assert client.reply(client.send("Introduce", reason="x", permit=["eval"]))["status"] == "failed"
    client.ask("Introduce", reason="a ticket")
    client.ask("Sessions")
    assert client.reply(client.send("Evaluate", source="1"))["code"] == "not-permitted"
    first, second = server.log.of("introduce")
    assert (own(first), own(second)) == ({"permit": ["sessions"]}, {"reason": "a ticket"})
    assert first["peer"]["ssh"] == second["peer"]["ssh"] == ssh


def test_the_tools(server, replctl):
    status, output, errors = replctl("eval", "6 * 7")
    assert (status, output) == (tools.NOT_PERMITTED, "")
    assert errors == "replctl: this server asks for a reason: give --reason TEXT, or set REPL_REASON\n"
    assert replctl("eval", "--reason", "a ticket", "6 * 7") == (tools.DONE, "42\n", "")
    assert [own(record) for record in server.log.of("introduce")] == [{"reason": "a ticket"}]
    # To see whether it is there needs no reason.
    assert replctl("ping")[0] == tools.DONE


def test_without_the_option_nobody_is_asked(serve, connect):
    client = connect(serve("--audit-log", "audit.log"))
    assert "Why do you connect?" not in client.greeting
    assert client.run("6 * 7") == "42\n"
