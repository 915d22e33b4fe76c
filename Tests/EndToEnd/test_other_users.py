"""Another user of the machine gets in at no door, in whatever manner he comes; --allow-uid lets him in."""

import array
import contextlib
import errno
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from control_client import ControlClient, frame
from deadline import PATIENCE, eventually
from host_process import ServerProcess
from manners import (STAYING, VANISHING, comes_by_an_ipv6_socket, comes_by_multipath_tcp, comes_from_another_address,
                     half_closes, reset, sends_and_waits, sends_with_its_first_packet)
from peers import STAGE, built, netcat, tool as program
from process_facts import descriptors
from second_user import NAME, as_second_user, connected, everything, needs_root, number, send_all
from wire_client import WireClient
from witness import FAREWELL, Witness, assert_logged_rarely, counted, port_of, refusal, sessions, settled

DOORS = ["text", "control"]
OVERFLOW_USER = 65534


@pytest.fixture(autouse=True)
def second_user():
    needs_root()


@pytest.fixture
def witness(tmp_path):
    return Witness(tmp_path / "marks")


@pytest.fixture(params=["127.0.0.1", "::1"], ids=["v4", "v6"])
def host(request):
    return request.param


def assert_refused(door, data):
    """What a stranger got: the one line, or the one frame, and nothing of the server."""
    if door == "text":
        assert data == FAREWELL
    else:
        refusal(data)


def named(functions):
    return pytest.mark.parametrize("manner", functions, ids=[function.__name__ for function in functions])


@contextlib.contextmanager
def asleep(server):
    """The server looks at nobody until the end of the block: whoever has come and gone by then is gone for sure."""
    server.signal(signal.SIGSTOP)
    try:
        eventually(lambda: stopped(server.pid), "the server is stopped")
        yield
    finally:
        server.signal(signal.SIGCONT)


def stopped(pid):
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rpartition(")")[2].split()[0] in "Tt"


@pytest.mark.parametrize("door", DOORS)
@named(STAYING)
def test_a_port(serve, witness, host, door, manner):
    server = serve("--bind", host)
    before = counted(server)
    data = as_second_user(manner, (host, port_of(server, door)), witness.bytes_for(door, "stranger"))
    settled(server, host)
    assert witness.seen == []
    assert_refused(door, data)
    assert counted(server)["user"] == before["user"] + 1


@pytest.mark.parametrize("door", DOORS)
@named(VANISHING)
def test_a_port_and_nobody_left_to_ask_about(serve, witness, host, door, manner):
    """When the server looks, the peer is gone, and the kernel knows no user of it."""
    server = serve("--bind", host)

    def many_times():
        for label in labels:
            manner((host, port_of(server, door)), label)
    labels = [witness.bytes_for(door, "stranger") for _ in range(50)]
    as_second_user(many_times)
    with asleep(server):
        as_second_user(many_times)
    settled(server, host)
    assert witness.seen == []


@pytest.mark.parametrize("door", DOORS)
def test_the_port_number_of_a_stranger_who_vanished(server, witness, door):
    """When the server looks, the owner has a connection from the very address and port that the stranger's had."""
    port = port_of(server, door)
    with asleep(server):
        def come_and_go():
            sock = connected(("127.0.0.1", port))
            own = sock.getsockname()
            send_all(sock, witness.bytes_for(door, "stranger"))
            reset(sock)
            return own
        for _ in range(50):
            source = as_second_user(come_and_go)
            try:
                owner = connected(("127.0.0.1", port), source=tuple(source))
                break
            except OSError as error:
                # Another program of this machine has been given the port meanwhile.
                if error.errno != errno.EADDRINUSE:
                    raise
        else:
            pytest.fail("the port of the stranger cannot be had")
    with owner:
        settled_but_for_one(server)
        assert witness.seen == []


def settled_but_for_one(server):
    """As `settled`, while a connection of the owner's stays, which may have a session."""
    settled(server, besides={row["session"] for row in sessions(server)})


def handed_over(connect):
    """A connection that the second user has made, and handed to this process."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def hand_over(channel):
        sock = connect()
        socket.socket(fileno=channel).sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                                       array.array("i", [sock.fileno()]))])
    with here, there:
        as_second_user(hand_over, there.fileno(), keep=[there.fileno()])
        _, ancillary, _, _ = here.recvmsg(1, socket.CMSG_SPACE(4))
    handed = socket.socket(fileno=struct.unpack("i", ancillary[0][2])[0])
    handed.settimeout(PATIENCE)
    return handed


@pytest.mark.parametrize("door", DOORS)
def test_a_socket_that_was_handed_to_another_process(server, witness, door):
    """It stays the stranger's who made it, although the owner's process holds it and writes to it."""
    with asleep(server):
        handed = handed_over(lambda: connected(("127.0.0.1", port_of(server, door))))
        send_all(handed, witness.bytes_for(door, "stranger"))
    with handed:
        data = everything(handed)
    settled(server)
    assert witness.seen == []
    assert_refused(door, data)


@pytest.mark.parametrize("door", DOORS)
def test_many_who_stay(serve, witness, tool, door):
    """They take no place of the owner's, no descriptor for longer than it takes to tell them, and the log has one line."""
    server = serve()
    before = len(descriptors(server.pid))
    began = time.monotonic()
    inside, outside = os.pipe()

    def crowd(gate):
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
        socks = [connected(("127.0.0.1", port_of(server, door))) for _ in range(500)]
        for sock in socks:
            send_all(sock, payload)
        os.read(gate, 1)  # until the owner has been served
        return [everything(sock) for sock in socks]
    payload = witness.bytes_for(door, "stranger")
    answers = []
    thread = threading.Thread(target=lambda: answers.extend(as_second_user(crowd, inside, keep=[inside])))
    thread.start()
    try:
        eventually(lambda: counted(server)["user"] >= 500, "all of them are refused")
        settled(server)
        eventually(lambda: len(descriptors(server.pid)) <= before, "no descriptor is left")
    finally:
        os.write(outside, b"x")
        thread.join()
        os.close(inside)
        os.close(outside)
    assert len(answers) == 500
    for data in answers:
        assert_refused(door, data)
    assert witness.seen == []
    assert counted(server)["user"] == 500
    assert_logged_rarely(server, began)


def test_a_shell_that_writes_and_forgets(server, witness):
    """`printf > /dev/tcp` closes at once, with no answer read."""
    command = "printf '%%s' \"$1\" > /dev/tcp/127.0.0.1/%d" % server.port
    bash = program("bash")
    for _ in range(20):
        subprocess.run([bash, "-c", command, "bash", witness.line("stranger").decode()], user=number(),
                       group=number(), extra_groups=[], check=True, timeout=60, cwd="/", env={})
    settled(server)
    assert witness.seen == []


def test_sessions_of_the_owner_are_out_of_reach(server, connect, witness):
    """Nothing of them is told, and nothing can be done to them."""
    client = connect(server)
    client.send("import threading; go = threading.Event(); secret = 'do not tell'; go.wait(60)\n")
    eventually(lambda: any(row["session"] == client.session and row["state"] != "idle" for row in sessions(server)),
               "the evaluation runs")
    requests = [{"command": "Sessions"}, {"command": "Interrupt", "session": client.session},
                {"command": "Disconnect", "session": client.session}, {"command": "Disconnect"},
                {"command": "PairWithSession", "id": client.session}, {"command": "KeyboardInterrupt"},
                {"command": "Attach", "session": client.session}, {"command": "Jobs"}, {"command": "Halt"}]
    for request in requests:
        data = as_second_user(sends_and_waits, ("127.0.0.1", server.control_port), frame(dict({"id": 1}, **request)))
        refusal(data)
        assert b"secret" not in data
    settled(server, besides={client.session})
    with ControlClient(server.control_port) as control:
        assert control.request("DescribeServer")["status"] == "ok"
    assert connect(server).run("go.set()") == ""
    assert client.prompt() == "True\n"  # it was neither interrupted nor disconnected


# The unix socket.

def knock(path, data):
    """Tries to connect to a unix socket; what came back, or the name of what went wrong."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    try:
        sock.connect(path)
    except OSError as error:
        return type(error).__name__
    send_all(sock, data)
    return everything(sock)


def test_the_unix_socket_is_shut_away(server, environment, witness):
    path = server.announced["socket"]
    folder = os.path.dirname(path)
    assert folder == environment["XDG_RUNTIME_DIR"] + "/repltools"
    assert os.stat(folder).st_mode & 0o7777 == 0o700
    for entry in os.scandir(folder):
        assert entry.stat(follow_symlinks=False).st_mode & 0o7777 == 0o600, entry.path
        assert entry.stat(follow_symlinks=False).st_uid == os.getuid(), entry.path
    assert as_second_user(knock, path, witness.frames("stranger")) == "PermissionError"
    os.chmod(path, 0o666)  # the directory is enough
    assert as_second_user(knock, path, witness.frames("stranger")) == "PermissionError"


def opened_up(path):
    """Everybody may connect, as far as the files are concerned."""
    os.chmod(path, 0o666)
    for folder in (os.path.dirname(path), os.path.dirname(os.path.dirname(path)),
                   os.path.dirname(os.path.dirname(os.path.dirname(path)))):
        os.chmod(folder, 0o755)


def test_the_unix_socket_asks_who_comes(server, witness):
    """Even where somebody has opened the directory."""
    path = server.announced["socket"]
    opened_up(path)
    data = as_second_user(knock, path, witness.frames("stranger"))
    settled(server)
    assert witness.seen == []
    refusal(data)
    assert counted(server)["user"] == 1


def test_a_unix_socket_that_was_handed_to_another_process(server, witness):
    """SO_PEERCRED tells who connected, not who writes."""
    path = server.announced["socket"]
    opened_up(path)

    def connect():
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(path)
        return sock
    with asleep(server):
        handed = handed_over(connect)
        send_all(handed, witness.frames("stranger"))
    with handed:
        data = everything(handed)
    settled(server)
    assert witness.seen == []
    refusal(data)


@pytest.mark.parametrize("trap", ["directory", "symbolic link", "writable"])
def test_a_runtime_directory_of_somebody_else(environment, replserve_path, newest, tmp_path, trap):
    """Whoever was first to make it does not get to hold the socket."""
    path = environment["XDG_RUNTIME_DIR"] + "/repltools"
    if trap == "symbolic link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        os.symlink(tmp_path / "elsewhere", path)
    else:
        os.mkdir(path)
        os.chmod(path, 0o777 if trap == "writable" else 0o700)
        if trap == "directory":
            os.chown(path, number(), -1)
    done = subprocess.run([str(replserve_path), "--python", newest.plain, "--port", "0", "--control-port", "0"],
                          env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert done.returncode == 77, done
    assert re.fullmatch(rb"replserve: [^\n]*%s[^\n]*\n" % re.escape(path.encode()), done.stderr), done.stderr
    assert done.stdout == b""


# --allow-uid.

@pytest.mark.parametrize("named_as", ["name", "number"])
@named([sends_and_waits, half_closes, comes_by_an_ipv6_socket, comes_by_multipath_tcp])
def test_an_allowed_user(serve, witness, manner, named_as):
    """Also the proof that the manners above would run something, if they were let in."""
    server = serve("--allow-uid", NAME if named_as == "name" else str(number()))
    line = witness.line("text") + b"quit()\n"
    assert as_second_user(manner, ("127.0.0.1", server.port), line).startswith(b"REPL session ")
    assert as_second_user(evaluates, server.control_port, witness.source("control")) == "value"
    settled(server)
    assert [name.split("-")[0] for name in witness.seen] == ["control", "text"]
    assert counted(server)["user"] == 0


def evaluates(port, source):
    """At the control port; what came of it."""
    with WireClient(port) as wire:
        return wire.evaluate(source).outcome


@pytest.mark.parametrize("door", DOORS)
def test_who_is_not_allowed_beside_one_who_is(serve, witness, door):
    """The owner is always let in, and a third user never."""
    server = serve("--allow-uid", NAME)
    data = as_second_user(sends_and_waits, ("127.0.0.1", port_of(server, door)), witness.bytes_for(door, "third"),
                          user=54321)
    settled(server)
    assert witness.seen == []
    assert_refused(door, data)


def test_several_are_allowed(serve, witness):
    server = serve("--allow-uid", NAME, "--allow-uid", "54321")
    for user in (None, 54321):
        as_second_user(sends_and_waits, ("127.0.0.1", server.port), witness.line("text") + b"quit()\n", user=user)
    assert len(witness.seen) == 2
    assert as_second_user(sends_and_waits, ("127.0.0.1", server.port), b"", user=54322) == FAREWELL


def test_an_embedded_server(embed, witness):
    """The same, by the function that programs call."""
    host = embed("import replserve, sys, json\n"
                 "bind, port, control = replserve.server.start(locals={}, repl_port=0, control_port=0)\n"
                 "print(json.dumps([port, control]), flush=True)\n"
                 "sys.stdin.read()\n")
    port = int(re.match(r"\[(\d+)", host.stdout.line()).group(1))
    assert as_second_user(sends_and_waits, ("127.0.0.1", port), witness.line("stranger")) == FAREWELL
    allowing = embed("import replserve, sys, json\n"
                     "bind, port, control = replserve.server.start(locals={}, repl_port=0, control_port=0,\n"
                     "                                             allow_uid=[%r, 54321])\n"
                     "print(json.dumps([port, control]), flush=True)\n"
                     "sys.stdin.read()\n" % NAME)
    port = int(re.match(r"\[(\d+)", allowing.stdout.line()).group(1))
    as_second_user(sends_and_waits, ("127.0.0.1", port), witness.line("allowed") + b"quit()\n")
    assert [name.split("-")[0] for name in witness.seen] == ["allowed"]


@pytest.mark.parametrize("word", ["no-such-user-here", "-1", "4294967295", "99999999999999999999", "", "1.5", "0x10"])
def test_a_user_that_does_not_exist(replserve_path, newest, environment, word):
    """Nothing is served on a misunderstanding."""
    done = subprocess.run([str(replserve_path), "--python", newest.plain, "--port", "0", "--control-port", "0",
                           "--allow-uid=" + word], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60)
    assert done.returncode == 64, done
    assert re.search(rb"replserve: |Error: ", done.stderr) and b"Traceback" not in done.stderr, done.stderr
    assert done.stdout == b""


# A user namespace. Whoever has no number in it is told of as the overflow user, whether that is one user or thousands.

@pytest.mark.parametrize("mapping, options", [([], []), (["--map-root-user"], ["--allow-uid", str(OVERFLOW_USER)])],
                         ids=["server without a number", "overflow user allowed"])
def test_a_user_without_a_number(serve_in_namespace, witness, mapping, options):
    server = serve_in_namespace(mapping, options)
    for user in (None, 54321):
        data = as_second_user(sends_and_waits, ("127.0.0.1", server.port), witness.line("stranger"), user=user)
        assert re.fullmatch(rb"replserve: not permitted: [^\n]*unix socket[^\n]*\n", data), data
    with WireClient(server.announced["socket"]) as owner:
        assert owner.value("6 * 7") == "42"
    assert witness.seen == []


@pytest.fixture
def serve_in_namespace(replserve_path, newest, environment, closing, tmp_path):
    """A server in a user namespace of its own."""
    def start(mapping, options):
        made = subprocess.run(["unshare", "--user", *mapping, "true"], capture_output=True)
        if made.returncode != 0:
            pytest.skip("no user namespaces here: %s" % made.stderr.decode())
        wrapper = tmp_path / "replserve"
        wrapper.write_text('#!/bin/sh\nexec unshare --user %s %s "$@"\n' % (" ".join(mapping), replserve_path))
        wrapper.chmod(0o755)
        return closing(ServerProcess(wrapper, ["--python", newest.plain, *options], environment))
    return start


# The owner.

def test_the_owner_goes_on_as_before(server, environment):
    """netcat, rlwrap, the ancestor's way to half-close, the tools, by IPv4, by an IPv6 socket and by multipath TCP."""
    assert b"42\n" in netcat(server.port, b"6 * 7\n")
    done = subprocess.run([program("rlwrap"), program("nc"), "-N", "127.0.0.1", str(server.port)], input=b"6 * 7\n",
                          env=dict(environment, TERM="xterm"), capture_output=True, timeout=60)
    assert b"42\n" in done.stdout.replace(b"\r\n", b"\n"), done
    for address in (environment["XDG_RUNTIME_DIR"], None):
        to = [] if address else ["-t", "127.0.0.1:%d:%d" % (server.port, server.control_port)]
        done = subprocess.run([str(built(STAGE / "bin" / "replctl")), "eval", *to, "6 * 7"], env=environment,
                              capture_output=True, timeout=60)
        assert (done.returncode, done.stdout) == (0, b"42\n"), done
    for manner in (comes_by_an_ipv6_socket, comes_by_multipath_tcp, comes_from_another_address, half_closes,
                   sends_with_its_first_packet):
        assert b"42\n" in manner(("127.0.0.1", server.port), b"6 * 7\nquit()\n"), manner.__name__
    assert not any(counted(server).values())
    assert " warning: " not in server.stderr.text


# The address that is listened on.

def test_only_loopback(replserve_path, newest, environment):
    for address in ("0.0.0.0", "::"):
        done = subprocess.run([str(replserve_path), "--python", newest.plain, "--port", "0", "--control-port", "0",
                               "--bind", address], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60)
        assert done.returncode == 77, done
        assert re.fullmatch(rb"replserve: [^\n]*ssh[^\n]*\n", done.stderr), done.stderr


def test_an_insecure_bind_says_so(serve, witness):
    """On every start, in one line. A peer of this machine is still asked who it is."""
    server = serve("--insecure-bind", "--bind", "0.0.0.0")
    warnings = [line for line in server.stderr.text.splitlines() if " warning: " in line]
    assert len(warnings) == 1 and "0.0.0.0" in warnings[0] and "other machines" in warnings[0], warnings
    data = as_second_user(sends_and_waits, ("127.0.0.1", server.port), witness.line("stranger"))
    settled(server)
    assert data == FAREWELL and witness.seen == []
