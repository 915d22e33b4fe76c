"""Pipes: what `nc` is given is evaluated and answered whole, however it is written and closed."""

import socket
import subprocess
import threading

from deadline import PATIENCE
from peers import netcat, tool
from text_client import said_farewell

LINES = 2000


def printing_lines(count=LINES, size=1000, padding=""):
    """Lines that each print `size` bytes, all different, and what they print."""
    source = "".join("print('%06d' + 'x' * %d)%s\n" % (n, size - 7, padding) for n in range(count))
    printed = ["%06d%s" % (n, "x" * (size - 7)) for n in range(count)]
    return source.encode(), printed


def assert_whole(answer, printed):
    lines = answer.replace(">>>> ", "").split("\n")
    start = lines.index(printed[0])
    assert lines[start:start + len(printed)] == printed
    assert said_farewell("\n".join(lines[start + len(printed):]).encode())


def test_netcat_always_gets_its_answer(server):
    for n in range(40):
        answer = netcat(server.port, b"%d + 1\n" % n).decode()
        assert "\n>>>> %d\n>>>> " % (n + 1) in answer, (n, answer)


def test_netcat_at_once_many_times(server):
    """The same with several at a time."""
    answers = {}

    def ask(n):
        answers[n] = netcat(server.port, b"print('answer', %d)\n" % n).decode()

    for start in range(0, 40, 8):
        workers = [threading.Thread(target=ask, args=(n,)) for n in range(start, start + 8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert all("\n>>>> answer %d\n>>>> " % n in answers[n] for n in range(40)), answers


def test_netcat_is_answered_although_it_began_with_quit_last(server):
    answer = netcat(server.port, b"6 * 7\nquit()\n").decode()
    assert "\n>>>> 42\n>>>> " in answer


def test_netcat_pipes_a_script_with_blocks(server):
    answer = netcat(server.port, b"def f(x):\n    return x * 2\n\nf(21)\n1/0\nf('ab')\n").decode()
    assert ">>>> .... .... >>>> 42\n" in answer
    assert "ZeroDivisionError: division by zero\n>>>> 'abab'\n" in answer


def test_a_silent_netcat_is_greeted_and_let_go(server):
    answer = netcat(server.port, b"").decode()
    assert answer.startswith("REPL session 1 connected.\n") and ">>>> " in answer


def test_a_shell_pipeline(server, environment):
    """As the README has it."""
    tool("nc")
    line = "printf '1+1\\n' | nc -N 127.0.0.1 %d" % server.port
    done = subprocess.run(["sh", "-euc", line], env=environment, stdout=subprocess.PIPE, timeout=PATIENCE)
    assert done.returncode == 0
    assert b">>>> 2\n" in done.stdout


def test_pasted_lines_through_netcat(interpreter, serve):
    server = serve(python=interpreter.plain)
    source, printed = printing_lines()
    assert_whole(netcat(server.port, source).decode(), printed)


def test_pasted_lines_written_before_anything_is_read(interpreter, serve, connect):
    client = connect(serve(python=interpreter.plain), greet=False)
    source, printed = printing_lines()
    client.send(source)
    client.end_input()
    assert_whole(client.rest().decode(), printed)


def test_more_input_than_any_buffer_holds(server, connect):
    """Input and output both exceed what sockets hold: the server reads on as it is read from."""
    client = connect(server, greet=False)
    source, printed = printing_lines(padding="  # " + "p" * 4000)
    writer = threading.Thread(target=lambda: (client.socket.sendall(source), client.end_input()))
    writer.start()
    answer = client.rest().decode()
    writer.join()
    assert_whole(answer, printed)


def test_one_line_that_prints_a_lot(server, connect):
    client = connect(server)
    client.send("for i in range(200): print('%06d' % i + 'z' * 100000)\n\n")
    client.expect(".... ")
    body = client.receive_exactly(200 * 100007)
    assert [line[:6] for line in body.decode().splitlines()] == ["%06d" % n for n in range(200)]
    assert client.prompt() == ""


def test_a_reader_with_a_tiny_window(server):
    """A client that takes little at a time gets everything, in order."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(PATIENCE)
    with sock:
        sock.connect(("127.0.0.1", server.port))
        source, printed = printing_lines(300)
        sock.sendall(source)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while True:
            piece = sock.recv(512)
            if not piece:
                break
            answer += piece
    assert_whole(answer.decode(), printed)
