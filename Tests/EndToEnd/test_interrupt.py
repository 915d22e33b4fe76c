"""Interrupts through the control door: of a loop, at the prompt, and at the very end of an evaluation."""

import fcntl
import struct
import termios
import threading

import pytest

from deadline import eventually

LOOP = "exec('print(\"on\")\\nwhile True: pass')\n"


def start_loop(client):
    client.send(LOOP)
    client.expect("on\n")


def test_a_loop(interpreter, console, serve, paired):
    client, control = paired(serve(python=getattr(interpreter, console)))
    for _ in range(5):
        start_loop(client)
        control.interrupt()
        assert client.prompt().rstrip().endswith("KeyboardInterrupt")
        assert client.run("1 + 1") == "2\n"


def test_a_loop_typed_as_a_block(interpreter, serve, paired):
    client, control = paired(serve(python=interpreter.plain))
    client.send("import sys\nwhile True:\n    sys.stderr.write('tick ')\n\n")
    client.expect("tick ")
    control.interrupt()
    client.expect("KeyboardInterrupt\n>>>> ")
    assert client.run("1 + 1") == "2\n"


@pytest.mark.parametrize("body", ["while True: print('flood')", "while True: print('x' * 100000)",
                                  "import sys\nwhile True: sys.stdout.write('.')"])
def test_a_flood(edge, serve, paired, body):
    client, control = paired(serve(python=edge.plain))
    client.send("exec(%r)\n" % body)
    client.receive_exactly(100_000)
    control.interrupt()
    client.expect("KeyboardInterrupt\n>>>> ")
    assert client.run("1 + 1") == "2\n"


def test_a_flood_that_nobody_reads(edge, serve, paired):
    """The evaluation is blocked in its own output, and still can be interrupted."""
    client, control = paired(serve(python=edge.plain))
    client.send("while True: print('x' * 100000)\n\n")
    client.expect("xxx")
    connection_fills_up(client)
    control.interrupt()
    client.expect("KeyboardInterrupt\n>>>> ")
    assert client.run("1 + 1") == "2\n"


def connection_fills_up(client):
    """Waits until no more arrives in the client's receive buffer: the server cannot send."""
    last = [0]

    def stopped():
        waiting = struct.unpack("i", fcntl.ioctl(client.socket, termios.FIONREAD, b"\0" * 4))[0]
        same = waiting and waiting == last[0]
        last[0] = waiting
        return same
    eventually(stopped, "the client's receive buffer is full")


def test_waiting_for_input(interpreter, serve, paired):
    client, control = paired(serve(python=interpreter.plain))
    client.send("input('asks ')\n")
    client.expect("asks ")
    control.interrupt()
    client.expect("KeyboardInterrupt\n>>>> ")
    assert client.run("1 + 1") == "2\n"


def test_an_evaluation_that_catches_it(interpreter, serve, paired):
    client, control = paired(serve(python=interpreter.plain))
    client.send("exec('try:\\n print(\"on\")\\n while True: pass\\n"
                "except KeyboardInterrupt:\\n print(\"caught\")')\n")
    client.expect("on\n")
    control.interrupt()
    assert client.prompt() == "caught\n"
    assert client.run("1 + 1") == "2\n"


def test_finally_blocks_run(interpreter, serve, paired):
    client, control = paired(serve(python=interpreter.plain))
    client.send("exec('try:\\n print(\"on\")\\n while True: pass\\nfinally:\\n print(\"cleaned\")')\n")
    client.expect("on\n")
    control.interrupt()
    answer = client.prompt()
    assert answer.startswith("cleaned\n") and "KeyboardInterrupt" in answer


def test_only_the_session_that_is_meant(interpreter, serve, paired):
    server = serve(python=interpreter.plain)
    (one, one_control), (other, other_control) = paired(server), paired(server)
    start_loop(one)
    start_loop(other)
    one_control.interrupt()
    one.expect("KeyboardInterrupt\n>>>> ")
    assert one.run("1 + 1") == "2\n"
    other_control.interrupt()
    assert other.prompt().rstrip().endswith("KeyboardInterrupt")


def test_jobs_are_not_meant(interpreter, serve, paired):
    client, control = paired(serve(python=interpreter.plain))
    client.run("import threading; go = threading.Event()")
    client.send("job = bg(lambda: [None for _ in iter(go.is_set, True)] and 'whole')\n")
    client.prompt()
    start_loop(client)
    control.interrupt()
    client.expect("KeyboardInterrupt\n>>>> ")
    client.run("go.set(); job.join()")
    assert client.run("fg(job)") == "'whole'\n"


def test_at_the_prompt(interpreter, console, serve, paired):
    client, control = paired(serve(python=getattr(interpreter, console)))
    for _ in range(3):
        control.interrupt()
        assert client.expect(">>>> ").lstrip(b"\n") == b"KeyboardInterrupt\n>>>> "
        assert client.run("1 + 1") == "2\n"


def test_inside_a_block(interpreter, console, serve, paired):
    """What was typed of it is forgotten."""
    client, control = paired(serve(python=getattr(interpreter, console)))
    client.send("if True:\n")
    assert client.expect(".... ") == b".... "
    client.send("    print('never')\n")
    assert client.expect(".... ") == b".... "
    control.interrupt()
    assert client.expect(">>>> ").lstrip(b"\n") == b"KeyboardInterrupt\n>>>> "
    assert client.run("1 + 1") == "2\n"
    assert client.run("") == ""


def test_half_a_line_is_forgotten(server, paired):
    """Ctrl-C clears the line: bytes that came without their end are not the start of the next one."""
    client, control = paired(server)
    client.send("1 + 1\n100")
    client.expect("2\n>>>> ")
    client.send("")
    control.interrupt()
    client.expect("KeyboardInterrupt\n>>>> ")
    answer = client.run("7")
    assert answer in ("7\n", "1007\n"), answer  # the bytes may still be on their way: both are lines of the client's


def test_typed_ahead_lines_still_run(interpreter, serve, paired):
    """An interrupt ends the evaluation that runs; the lines after it are evaluations of their own."""
    client, control = paired(serve(python=interpreter.plain))
    client.send(LOOP + "print('next one')\n")
    client.expect("on\n")
    control.interrupt()
    client.expect("KeyboardInterrupt\n>>>> ")
    client.expect("next one\n>>>> ")


def test_never_hits_the_next_command(edge, serve, paired):
    """200 times: interrupt, and as soon as it is answered, a command."""
    client, control = paired(serve(python=edge.plain))
    for n in range(200):
        control.interrupt()
        client.send("print('round', %d); print('complete', %d)\n" % (n, n))
        text = client.expect("round %d\n" % n)
        assert client.expect(">>>> ") == b"complete %d\n>>>> " % n
        assert b"Traceback" not in text and b"Error" not in text


def test_many_interrupts_then_a_command(edge, serve, paired):
    """A burst is not remembered either."""
    client, control = paired(serve(python=edge.plain))
    for n in range(20):
        for _ in range(10):
            control.interrupt()
        client.send("for i in range(20000): last = i\n\nprint('after', %d, last)\n" % n)
        client.expect("after %d 19999\n>>>> " % n)


def test_raced_against_the_end_of_an_evaluation(edge, serve, paired):
    """Interrupts that arrive while short evaluations end: both survive, and the next command is never hit."""
    client, control = paired(serve(python=edge.plain))
    client.run("short = lambda n: sum(1 for _ in range(n))")
    hits = 0
    for n in range(300):
        interrupter = threading.Thread(target=control.interrupt)
        client.send("r = short(%d)\n" % (n * 20))
        interrupter.start()
        interrupter.join()
        client.send("print('begin', %d); r = short(2000); print('end', %d)\n" % (n, n))
        text = client.expect("begin %d\n" % n)
        hits += b"KeyboardInterrupt" in text
        assert client.expect(">>>> ") == b"end %d\n>>>> " % n
    assert hits, "not one interrupt met anything"
    assert client.run("1 + 1") == "2\n"


def test_many_controls_at_once(edge, serve, paired, connect):
    """Eight sessions, each interrupted again and again by its own control, all at once."""
    server = serve(python=edge.plain)
    pairs = [paired(server) for _ in range(8)]
    failures = []

    def work(client, control):
        try:
            for _ in range(15):
                start_loop(client)
                control.interrupt()
                client.expect("KeyboardInterrupt\n>>>> ")
            assert client.run("1 + 1") == "2\n"
        except BaseException as failure:
            failures.append(failure)
            raise

    workers = [threading.Thread(target=work, args=pair) for pair in pairs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures, failures


def test_interrupt_and_quit_together(edge, serve, paired):
    """The session may end before or after the interrupt; nobody is hurt."""
    server = serve(python=edge.plain)
    for _ in range(30):
        client, control = paired(server)
        client.send("quit()\n")
        control.request("KeyboardInterrupt")
        client.end_input()  # the interrupt may have met quit() itself
        client.rest_or_reset()
    client, control = paired(server)
    assert client.run("1 + 1") == "2\n"


def test_the_main_thread_is_never_meant(interpreter, serve, paired):
    server = serve(python=interpreter.plain, source="""
import threading
try:
    threading.Event().wait()
except KeyboardInterrupt:
    print("the main thread was hit", flush=True)
""")
    client, control = paired(server)
    for _ in range(5):
        start_loop(client)
        control.interrupt()
        client.expect("KeyboardInterrupt\n>>>> ")
    assert "main thread" not in server.stdout.text
