"""A host on uvloop: its event loop goes on while sessions evaluate, and sessions can reach into it."""

import json

import pytest

from frameworks import python_with

HOST = """
import asyncio, json, sys, threading
import uvloop
from replserve import server
beats = 0
async def beat():
    global beats
    while True:
        await asyncio.sleep(0.001)
        beats += 1
async def answer(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()
async def main():
    global loop
    loop = asyncio.get_running_loop()
    heart = loop.create_task(beat())
    echo = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(json.dumps([type(loop).__module__, echo.sockets[0].getsockname()[1],
                      *server.start(globals(), repl_port=0, control_port=0)[1:]]), flush=True)
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line: break
        exec(line, globals())
    heart.cancel()
    echo.close()
uvloop.install()
asyncio.run(main())
"""


@pytest.fixture
def host(edge, embed):
    process = embed(HOST, python=python_with(edge, "uvloop"), options=["-W", "ignore::DeprecationWarning"])
    kind, process.echo_port, process.port, process.control_port = json.loads(process.stdout.line())
    assert kind.startswith("uvloop")
    return process


def goes_on(host):
    """Its loop turns: tasks that wait for time and for the network both come to their end."""
    import socket
    with socket.create_connection(("127.0.0.1", host.echo_port), timeout=30) as sock:
        sock.sendall(b"echo\n")
        assert sock.recv(100) == b"echo\n"


def test_sessions_and_tasks(host, connect):
    client = connect(host)
    assert client.run("print('works'); 6 * 7") == "works\n42\n"
    assert client.run("asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01, 'slept'), loop).result(10)") == "'slept'\n"
    assert client.run("asyncio.run(asyncio.sleep(0, 'a loop of its own'))") == "'a loop of its own'\n"
    first = int(client.run("beats"))
    assert int(client.run("import time; time.sleep(0.1); beats")) > first
    goes_on(host)


def test_busy_sessions_do_not_stop_it(host, paired, connect):
    client, control = paired(host)
    client.send("exec('print(\"on\")\\nwhile True: pass')\n")
    client.expect("on\n")
    for _ in range(5):
        goes_on(host)
    control.interrupt()
    assert "KeyboardInterrupt" in client.prompt()
    for _ in range(5):
        gone = connect(host)
        gone.send("while True: print('x' * 1000)\n\n")
        gone.expect("xxx")
        gone.reset()
    goes_on(host)
    assert connect(host).run("1 + 1") == "2\n"


def test_the_end(host, connect):
    client = connect(host)
    client.run("1 + 1")
    assert host.ask("server.stop(); print('stopped', flush=True)") == "stopped"
    client.rest_or_reset()
    goes_on(host)
