"""A second real user of the machine: what a stranger tries, run in a child process that has become `nobody`."""

import ast
import contextlib
import ctypes
import os
import pwd
import select
import signal
import socket

import pytest

from deadline import PATIENCE, Deadline

NAME = "nobody"
CLONE_NEWUSER = 0x10000000
PR_SET_DUMPABLE = 4


def needs_root():
    if os.geteuid() != 0:
        pytest.skip("only root can become another user: run the tests as root")


def number():
    return pwd.getpwnam(NAME).pw_uid


def become(user):
    """Gives up everything that is root's, for good. For a child process."""
    group = pwd.getpwnam(NAME).pw_gid
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    assert os.getresuid() == (user, user, user)
    # As after an exec: without it the process's own files in /proc would be root's.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


def _child(function, arguments, user, result, keep):
    """Runs in the forked child; never returns."""
    status = 1
    try:
        for descriptor in [int(name) for name in os.listdir("/proc/self/fd")]:
            if descriptor > 2 and descriptor != result and descriptor not in keep:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        signal.set_wakeup_fd(-1)
        os.chdir("/")
        become(number() if user is None else user)
        try:
            answer = ("returned", function(*arguments))
        except BaseException as error:
            answer = ("raised", "%s: %s" % (type(error).__name__, error))
        text = repr(answer).encode()
        while text:
            text = text[os.write(result, text):]
        status = 0
    finally:
        os._exit(status)


def as_second_user(function, *arguments, user=None, keep=()):
    """Calls `function` as another user, in a process that has none of our descriptors but `keep`.

    What it returns must be literals: numbers, bytes, strings, lists, tuples. What it raises fails the test.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(function, arguments, user, writing, keep)
    os.close(writing)
    text, deadline = b"", Deadline(PATIENCE * 2)
    try:
        while True:
            readable, _, _ = select.select([reading], [], [], deadline.left)
            if not readable:
                os.kill(pid, signal.SIGKILL)
                raise AssertionError("%s did not end as another user" % function.__name__)
            piece = os.read(reading, 1 << 16)
            if not piece:
                break
            text += piece
    finally:
        os.close(reading)
        os.waitpid(pid, 0)
    assert text, "the child of another user ended without an answer"
    kind, answer = ast.literal_eval(text.decode())
    assert kind == "returned", "as another user: %s" % answer
    return answer


def everything(sock):
    """What comes up to the end of a connection, whether that is a FIN or a RST; with a deadline."""
    data, deadline = b"", Deadline()
    while True:
        readable, _, _ = select.select([sock], [], [], deadline.left)
        assert readable, "not closed within %g s; there was %r" % (PATIENCE, data[:1000])
        try:
            piece = sock.recv(1 << 16)
        except (ConnectionResetError, BrokenPipeError):
            piece = b""
        if not piece:
            return data
        data += piece


def send_all(sock, data):
    """Sends what the peer takes: it may have closed already."""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        sock.sendall(data)


def become_root_of_a_namespace():
    """In the calling process: user 0, of a user namespace of its own. False where the system has none for strangers."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        return False
    try:
        for name, text in (("setgroups", "deny"), ("uid_map", "0 %d 1" % user), ("gid_map", "0 %d 1" % group)):
            with open("/proc/self/" + name, "w") as file:
                file.write(text)
    except OSError:
        return False
    return os.getuid() == 0


def connected(address, source=None, family=None, protocol=0):
    """A connected TCP socket: `address` is (host, port), `source` the address that it comes from."""
    family = family or (socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    sock = socket.socket(family, socket.SOCK_STREAM, protocol)
    sock.settimeout(PATIENCE)
    if source is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(source)
    sock.connect(address)
    return sock
