"""Hot-patching: a running program's function is replaced through netcat, and the program goes on with the new one."""

import subprocess

from peers import netcat

LOOP = """
import sys, threading
from threading import Event

def greet(n):
    return "hello %d" % n

def main():
    pause = Event()
    n = 0
    while True:
        print(greet(n), flush=True)
        n += 1
        pause.wait(0.005)

if __name__ == "__main__":
    main()
"""


def test_a_function_of_a_running_loop(interpreter, console, serve):
    server = serve(python=getattr(interpreter, console), source=LOOP)
    server.stdout.wait_for("hello 5\n")
    answer = netcat(server.port, b'def greet(n):\n    return "PATCHED %d" % n\n\n').decode()
    assert "Error" not in answer and ">>>> .... .... >>>> " in answer, answer
    server.stdout.wait_for("PATCHED ")
    server.stdout.line()
    for _ in range(20):
        assert server.stdout.line().startswith("PATCHED ")


def test_looking_inside_while_it_runs(interpreter, serve, connect):
    server = serve(python=interpreter.plain, source=LOOP)
    server.stdout.wait_for("hello 5\n")
    client = connect(server)
    assert client.run("greet(-1)") == "'hello -1'\n"
    assert client.run("import sys; sys.argv[0].endswith('script.py')") == "True\n"
    client.run("frame = sys._current_frames()[__import__('threading').main_thread().ident]")
    client.block("while frame.f_code.co_name != 'main':\n    frame = frame.f_back")
    assert int(client.run("frame.f_locals['n']")) > 5
    client.run("del frame")


def test_a_method_of_a_live_object(interpreter, serve, connect):
    server = serve(python=interpreter.plain, stdin=subprocess.PIPE, source="""
import sys
class Shop:
    def __init__(self): self.prices = {"tea": 3}
    def price(self, name): return self.prices[name]
shop = Shop()
for line in sys.stdin: print(shop.price("tea"), flush=True)
""")
    assert server.ask("") == "3"
    client = connect(server)
    client.run("shop.prices['tea'] = 4")
    assert server.ask("") == "4"
    client.block("def price(self, name):\n    return 'free'")
    client.run("Shop.price = price")
    assert server.ask("") == "free"


def test_reloading_a_module(interpreter, serve, connect, tmp_path):
    (tmp_path / "part.py").write_text("def what():\n    return 'first'\n")
    server = serve(python=interpreter.plain, stdin=subprocess.PIPE, source="""
import sys, part
for line in sys.stdin: print(part.what(), flush=True)
""")
    assert server.ask("") == "first"
    (tmp_path / "part.py").write_text("def what():\n    return 'the second, longer'\n")
    connect(server).run("import importlib; m = importlib.reload(part)")
    assert server.ask("") == "the second, longer"


def test_a_mistake_does_not_hurt_the_program(interpreter, serve, connect):
    server = serve(python=interpreter.plain, source=LOOP)
    server.stdout.wait_for("hello 5\n")
    for data in (b"def greet(n)\n", b"1/0\n", b"raise SystemExit\n", b"quit()\n", b"exit(4)\n", b"\xff\n", b"import nosuch\n"):
        netcat(server.port, data)
    for _ in range(5):
        assert server.stdout.line().startswith("hello ")
    client = connect(server)
    client.send("while True: pass\n\n")
    client.expect(".... ")
    client.reset()
    for _ in range(5):
        assert server.stdout.line().startswith("hello ")
