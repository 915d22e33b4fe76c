"""Many connections at once: silent ones delay nobody, busy ones do not disturb each other, floods are bounded."""

import socket
import threading
from contextlib import ExitStack

from control_client import ControlClient
from deadline import Deadline, eventually
from process_facts import descriptors, resident_mib, threads

SILENT = 200


def test_silent_connections_delay_nobody(edge, serve, connect):
    server = serve(python=edge.plain)
    client = connect(server)
    client.send("quit()\n")
    client.rest()
    known = threads(server.pid), len(descriptors(server.pid))
    with ExitStack() as stack:
        for port in (server.port, server.control_port):
            for _ in range(SILENT):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        deadline = Deadline(10)
        client = connect(server)
        assert client.run("1 + 1") == "2\n"
        with ControlClient(server.control_port) as control:
            assert control.request("PairWithSession", id=client.session)["status"] == "ok"
            assert control.completions("pri")
        assert not deadline.passed
        client.close()
    eventually(lambda: len(descriptors(server.pid)) <= known[1] + 1, "the descriptors close")
    eventually(lambda: threads(server.pid) <= known[0] + 2, "the threads end")  # spare ones may be kept
    assert connect(server).run("1 + 1") == "2\n"


def test_connections_that_say_half_a_thing(server, connect):
    """A line without its end, a frame without its rest: they wait, and nobody else does."""
    with ExitStack() as stack:
        for n in range(SILENT):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            client.sendall(b"print('never ended")
            control = stack.enter_context(socket.create_connection(("127.0.0.1", server.control_port), timeout=10))
            control.sendall(b"\xffv01l50;{")
        assert connect(server).run("1 + 1") == "2\n"


def test_many_sessions_evaluate_at_once(edge, serve, connect):
    server = serve(python=edge.plain)
    clients = [connect(server) for _ in range(30)]
    for number, client in enumerate(clients):
        client.send("total = lambda n=%d: sum(range(n)); total()\n" % (number * 1000))
    for number, client in enumerate(clients):
        assert client.prompt() == "%d\n" % sum(range(number * 1000))
    assert sorted(client.session for client in clients) == list(range(1, 31))


def test_many_threads_of_clients(edge, serve, connect):
    server = serve(python=edge.plain)
    failures = []

    def work(number):
        try:
            for n in range(5):
                client = connect(server)
                for i in range(20):
                    assert client.run("print(%d, %d, %d)" % (number, n, i)) == "%d %d %d\n" % (number, n, i)
                client.send("quit()\n")
                client.rest()
        except BaseException as failure:
            failures.append(failure)
            raise

    workers = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures, failures


def test_a_flood_nobody_reads_is_bounded(edge, serve, connect):
    server = serve(python=edge.plain)
    other = connect(server)
    other.run("count = 0")
    before = resident_mib(server.pid)
    flooder = connect(server)
    flooder.send("while True: print('x' * 10000); count += 1\n\n")
    flooder.expect("xxx")
    seen = [None]

    def stopped():
        last, seen[0] = seen[0], other.run("count")
        return last == seen[0]
    eventually(stopped, "the evaluation waits for its reader")
    assert resident_mib(server.pid) - before < 64
    assert other.run("1 + 1") == "2\n"
    flooder.receive_exactly(5_000_000)  # and goes on when it is read
    count = int(seen[0])
    eventually(lambda: int(other.run("count")) > count, "the evaluation goes on")


def test_a_flooding_session_does_not_stop_the_others(server, connect):
    flooder, other = connect(server), connect(server)
    flooder.send("while True: print('x' * 1000)\n\n")
    flooder.expect("xxx")
    for n in range(50):
        assert other.run("%d" % n) == "%d\n" % n
        flooder.receive_exactly(20_000)
