"""The launch: a program under `replserve` runs as under plain python, side by side on every interpreter."""

import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
import zipfile
from collections import namedtuple

import pytest

from deadline import PATIENCE

Outcome = namedtuple("Outcome", "status stdout stderr")

# What a program can see of its start. One line, so that it can be given to -c; JSON, so that it can be compared.
PROBE = """
import json, signal, sys, threading; main = sys.modules['__main__']; print(json.dumps({
 'names': [(name, repr(value)) for name, value in vars(main).items()], 'own': vars(main) is globals(),
 'argv': sys.argv, 'path': sys.path, 'orig_argv': getattr(sys, 'orig_argv', None), 'flags': repr(sys.flags),
 'hooks': [hook.__name__ for hook in (sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook)],
 'streams': [repr(s) for s in (sys.stdin, sys.stdout, sys.stderr)], 'trace': [sys.gettrace(), sys.getprofile()],
 'signals': [repr(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
 'main thread': threading.current_thread() is threading.main_thread(), 'limit': sys.getrecursionlimit()}))
""".strip().replace("\n", "")

DEEP = """
def outer():
    inner()
def inner():
    try:
        {}['key']
    except KeyError as error:
        raise ValueError("deep \\u00e9") from error
outer()
"""

ENDINGS = {
    "falls off the end": "print('done')",
    "exits with nothing": "import sys; sys.exit()",
    "exits with 0": "import sys; sys.exit(0)",
    "exits with 1": "import sys; sys.exit(1)",
    "exits with 3": "import sys; sys.exit(3)",
    "exits with a text": "import sys; sys.exit('the text')",
    "exits with an object": "raise SystemExit(['a', 1])",
    "exits at once": "import os; os._exit(7)",
    "is interrupted": "raise KeyboardInterrupt",
    "interrupts itself": "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)",
    "kills itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "raises": "raise ValueError('text')",
    "raises deep": DEEP,
    "raises out of a library": "import json\njson.loads('{')",
    "has a syntax error": "x = 1\nif x\n",
    "has an indentation error": "if True:\nx = 1\n",
    "has a syntax warning": "assert (1, 'x')",
    "warns": "import warnings\nwarnings.warn('w', DeprecationWarning)",
    "has its own hook": "import sys, traceback\ndef hook(*error):\n    print(error[0], traceback.extract_tb(error[2]),"
                        " sys.excepthook is hook, sys.last_traceback is error[2])\nsys.excepthook = hook\n1/0",
    "has a hook that fails": "import sys\ndef hook(*error):\n    {}[1]\nsys.excepthook = hook\n1/0",
    "has a hook that exits": "import sys\nsys.excepthook = lambda *error: sys.exit(4)\n1/0",
    "hooks an interrupt": "import sys\nsys.excepthook = lambda *error: print(error[0])\nraise KeyboardInterrupt",
    "has exit handlers": "import atexit\natexit.register(print, 'first')\natexit.register(print, 'second')\n1/0",
    "exits in a thread": "import sys, threading\nthreading.Thread(target=sys.exit, args=(3,)).start()",
    "raises in a thread": "import threading\ndef f(): 1/0\nt = threading.Thread(target=f, name='T')\nt.start()\n"
                          "t.join()",
    "is outlived by a thread": "import threading\ngo = threading.Event()\ndef late():\n"
                               "    threading.main_thread().join()\n    print('late')\n"
                               "threading.Thread(target=late).start()\nprint('early')",
    "has finalizers": "class C:\n    def __del__(self):\n        print('gone')\nkept = C()",
}

PARALLEL = """
import multiprocessing, pickle, sys

class Point:
    def __init__(self, x):
        self.x = x

def work(point):
    return point.x ** 2

if __name__ == '__main__':
    assert pickle.loads(pickle.dumps(work)) is work
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2) as pool:
        print(pool.map(work, [Point(n) for n in range(4)]))
    process = context.Process(target=sys.exit, args=(5,))
    process.start()
    process.join()
    print(process.exitcode)
"""


class SideBySide:
    """Runs the same words under plain python and under replserve."""

    def __init__(self, python, replserve, environment, folder):
        self.python, self.replserve = str(python), str(replserve)
        self.environment, self.folder = environment, folder

    def command(self, *words, python_options=()):
        """The command line that serves what plain python would run."""
        options = [word for option in python_options for word in ("--python-arg", option)]
        return [self.replserve, "--port", "0", "--control-port", "0", "--python", self.python, *options, *words]

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run(self, command, stdin="", **options):
        done = subprocess.run(command, input=stdin.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self.environment, timeout=2 * PATIENCE, **{"cwd": str(self.folder), **options})
        return Outcome(done.returncode, neutral(done.stdout), neutral(done.stderr))

    def served(self, *words, python_options=(), **options):
        """The outcome under replserve, less the line by which it introduces itself."""
        outcome = self.run(self.command(*words, python_options=python_options), **options)
        said, rest = re.subn(r"\Areplserve: serving .*\n", "", outcome.stderr), outcome.stderr
        return outcome._replace(stderr=said[0] if said[1] else rest)

    def same(self, *words, python_options=(), **options):
        """Asserts that both do the same, and returns what they did."""
        plain = self.run([self.python, *python_options, *words], **options)
        assert self.served(*words, python_options=python_options, **options) == plain
        return plain

    def start(self, *words, options=(), **popen):
        """Starts a served program, whose output the caller reads; it ends with the test."""
        command = self.command(*words)
        command[1:1] = options
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=self.environment, cwd=str(self.folder), text=True, **popen)


def neutral(data):
    """What was written, with the addresses of objects and threads made equal."""
    text = data.decode("utf-8", "backslashreplace")
    return re.sub(r"0x[0-9a-f]{6,}|Thread-\d+|\b\d{15}\b", "ADDRESS", text)


@pytest.fixture
def sides(interpreter, replserve_path, environment, tmp_path):
    return SideBySide(interpreter.program, replserve_path, environment, tmp_path)


@pytest.fixture
def begin(sides):
    """Starts served programs, announced, and ends what is left of them."""
    started = []

    def start(*words, options=()):
        process = sides.start(*words, options=["--announce", *options])
        started.append(process)
        return process, json.loads(process.stdout.readline())
    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def evaluate(port, source):
    """What the text port answers to a line, up to the end of the session."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(source.encode() + b"\n")
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


# MARK: What a program sees of its start

@pytest.mark.parametrize("path", ["script.py", "./script.py", "sub/../script.py", "sub/link.py", "{}/script.py",
                                  "sub/inner.py", "other name\u00e9"])
def test_a_script_sees_the_same(sides, path):
    sides.write("script.py", PROBE)
    sides.write("sub/inner.py", PROBE)
    sides.write("other name\u00e9", PROBE)
    (sides.folder / "sub" / "link.py").symlink_to("../script.py")
    path = path.format(sides.folder)
    assert json.loads(sides.same(path).stdout)["argv"] == [path]
    arguments = ["-i", "--port", "1", "--", "-c", "", "\u00e9", "a b"]
    assert json.loads(sides.same(path, *arguments).stdout)["argv"] == [path, *arguments]


def test_a_name_and_arguments_need_not_be_utf8(sides):
    os.symlink(sides.write("script.py", PROBE), os.fsencode(sides.folder) + b"/n\xff.py")
    sides.same(b"n\xff.py", b"a\xfe")


def test_two_dashes_end_the_options(sides):
    sides.write("-x", PROBE)
    assert json.loads(sides.same("--", "-x", "--", "-c").stdout)["argv"] == ["-x", "--", "-c"]


@pytest.mark.parametrize("options", [["-I"], ["-E", "-s"], ["-O"], ["-B", "-u"], ["-X", "dev"], ["-W", "error"]],
                         ids=" ".join)
def test_the_options_of_python_reach_it(sides, options):
    sides.write("script.py", PROBE)
    sides.write("module.py", PROBE)
    sides.same("script.py", "x", python_options=options)
    sides.same("-c", PROBE, "x", python_options=options)
    sides.same("-m", "module", "x", python_options=options)
    sides.same(".", python_options=options)


def test_a_safe_path_stays_safe(sides, interpreter):
    sides.write("script.py", PROBE)
    sides.environment["PYTHONSAFEPATH"] = "1"
    seen = json.loads(sides.same("script.py").stdout)
    assert (str(sides.folder) in seen["path"]) == (interpreter.version < (3, 11))
    sides.same("-c", PROBE)


def test_pythonpath_and_its_order_are_kept(sides):
    sides.write("script.py", PROBE)
    sides.environment["PYTHONPATH"] = "one:/two"
    assert json.loads(sides.same("script.py").stdout)["path"][2] == "/two"


@pytest.mark.parametrize("kind", ["folder", "folder/", "./folder", "archive.zip", "{}/folder", ".", ""])
def test_a_folder_or_an_archive_sees_the_same(sides, kind):
    source = "import helper\n" + PROBE
    sides.write("folder/__main__.py", source)
    sides.write("folder/helper.py", "")
    sides.write("__main__.py", source)
    sides.write("helper.py", "")
    with zipfile.ZipFile(sides.folder / "archive.zip", "w") as archive:
        archive.writestr("__main__.py", source)
        archive.writestr("helper.py", "")
    sides.same(kind.format(sides.folder), "x")


@pytest.mark.parametrize("name", ["module", "package", "package.inner"])
def test_a_module_sees_the_same(sides, name):
    sides.write("module.py", PROBE)
    sides.write("package/__init__.py", "import sys; print(sys.argv)")
    sides.write("package/__main__.py", PROBE)
    sides.write("package/inner.py", "from . import __name__ as parent; " + PROBE)
    sides.same("-m", name, "x", "--port", "-i")
    assert sides.served("-m" + name, "x") == sides.run([sides.python, "-m", name, "x"])


def test_code_sees_the_same(sides):
    sides.same("-c", PROBE, "x", "-i", "--", "-m")
    assert sides.served("-c" + PROBE, "x") == sides.run([sides.python, "-c", PROBE, "x"])
    sides.same("-c", "")


def test_standard_input_as_a_script_sees_the_same(sides):
    sides.same("-", "x", stdin=PROBE)
    sides.same("-", stdin="1/0")
    sides.same("/dev/stdin", stdin="import sys; print(sys.argv, sys.stdin.read())")


def test_bytecode_sees_the_same(sides):
    script = sides.write("script.py", "'doc'\n" + PROBE)
    subprocess.run([sides.python, "-c", "import py_compile, sys; py_compile.compile(*sys.argv[1:])", str(script),
                    str(sides.folder / "code.pyc")], check=True, timeout=PATIENCE)
    os.symlink("code.pyc", str(sides.folder / "code"))
    sides.same("code.pyc", "x")
    sides.same("code")


def test_a_script_may_be_encoded_and_have_a_docstring(sides):
    (sides.folder / "latin.py").write_bytes(b"# coding: latin-1\r\n'doc \xe9'\r\nprint(ascii(__doc__))\r\n")
    assert sides.same("latin.py").stdout == "'doc \\xe9'\n"
    sides.write("annotated.py", "from __future__ import annotations\nx: int = 1\nprint(__annotations__, annotations)")
    sides.same("annotated.py")


def test_a_script_without_the_future_does_not_get_it(sides):
    sides.write("script.py", "def f(x: int): pass\nprint(f.__annotations__)")
    assert "int" in sides.same("script.py").stdout


def test_a_script_beside_modules_named_like_ours(sides):
    sides.write("script.py", "import server, _program, _native; print(server.x, _program.x, _native.x)")
    for name in ("server", "_program", "_native"):
        sides.write(name + ".py", "x = 'theirs'")
    sides.same("script.py")


# MARK: How a program ends

@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_a_script_ends_the_same(sides, ending):
    sides.write("script.py", ENDINGS[ending])
    sides.same("script.py")


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_code_ends_the_same(sides, ending):
    sides.same("-c", ENDINGS[ending])


@pytest.mark.parametrize("ending", ["exits with 3", "exits with a text", "raises deep", "is interrupted",
                                    "has a syntax error", "has its own hook", "has exit handlers"])
def test_a_module_and_a_folder_end_the_same(sides, ending):
    sides.write("module.py", ENDINGS[ending])
    sides.write("folder/__main__.py", ENDINGS[ending])
    sides.same("-m", "module")
    sides.same("folder")


@pytest.mark.parametrize("words", [["nowhere.py"], ["no/where.py", "x"], ["script.py/x"], ["-m", "nowhere"],
                                   ["-m", "script.x"], ["empty"], ["secret.py"], ["it's.py"]], ids=" ".join)
def test_a_program_that_is_not_there(sides, words):
    sides.write("script.py", "")
    (sides.folder / "empty").mkdir()
    os.symlink("secret.py", str(sides.folder / "secret.py"))
    plain = sides.same(*words)
    assert plain.status in (1, 2) and plain.stderr.count("\n") == 1


def test_ctrl_c_is_the_programs_own(sides, begin):
    script = sides.write("script.py", "import sys, time\nprint('ready', flush=True)\nwhile True: time.sleep(60)\n")
    process, _ = begin(str(script))
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGINT
    assert errors.endswith("KeyboardInterrupt\n") and errors.count("File ") == 1, errors


def test_a_program_may_handle_its_signals(sides, begin):
    script = sides.write("script.py", "import signal, sys\n"
                         "signal.signal(signal.SIGINT, lambda *_: sys.exit(9))\nprint('ready', flush=True)\n"
                         "while True: signal.pause()")
    process, _ = begin(str(script))
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 9


def test_sigterm_ends_it_as_it_ends_plain_python(sides, begin):
    script = sides.write("script.py", "import signal\nprint('ready', flush=True)\nwhile True: signal.pause()")
    process, _ = begin(str(script))
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == -signal.SIGTERM


# MARK: More than one process

@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_works(sides, method):
    sides.write("script.py", PARALLEL)
    for words in (["script.py"], ["-m", "script"]):
        plain = sides.run([sides.python, *words, method])
        served = sides.served(*words, method)
        assert (served.status, served.stdout) == (plain.status, plain.stdout) and plain.stdout.endswith("5\n")


def test_a_forked_child_ends_by_itself_even_when_the_parent_stays(sides, begin):
    script = sides.write("script.py", "import os, sys\nchild = os.fork()\nif not child: sys.exit(6)\n"
                         "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)")
    process, _ = begin(str(script), options=["--stay"])
    assert process.stdout.readline() == "6\n"


# MARK: The server beside the program

def test_the_announcement_tells_where_it_is(sides, begin, interpreter):
    process, announced = begin("-c", "value = 41; input", options=["--stay", "--name", "it.s-me_1"])
    assert sorted(announced) == ["bind", "control_port", "name", "pid", "python", "repl_port", "socket", "ssh"]
    assert (announced["pid"], announced["bind"], announced["name"]) == (process.pid, "127.0.0.1", "it.s-me_1")
    assert os.path.realpath(announced["python"]) == os.path.realpath(interpreter.program)
    assert announced["repl_port"] > 0 and announced["control_port"] > 0 and announced["socket"]
    line = process.stderr.readline()
    assert line == ("replserve: serving -c (pid %d) at 127.0.0.1:%d, control %d; connect with: "
                    "replconnect 127.0.0.1 %d %d\n"
                    % (process.pid, *[announced["repl_port"], announced["control_port"]] * 2))
    assert "ended with status 0" in process.stderr.readline()
    assert "42" in evaluate(announced["repl_port"], "value + 1")


def test_a_server_without_a_socket(begin):
    assert begin("-c", "", options=["--no-socket", "--stay"])[1]["socket"] is None


@pytest.mark.parametrize("source, status", [("", 0), ("1/0", 1), ("import sys; sys.exit(3)", 3),
                                            ("import sys; sys.exit('text')", 1)])
def test_staying_keeps_the_data_and_then_the_status(sides, begin, source, status):
    process, announced = begin(str(sides.write("script.py", "saved = 'data'\n" + source)), options=["-i"])
    said = ""
    while "ended with status" not in said:
        said += process.stderr.readline()
    assert "ended with status %d" % status in said
    assert ("Traceback" in said) == (source == "1/0") and ("\ntext\n" in said) == ("text" in source)
    assert "_runner" not in said
    assert "data" in evaluate(announced["repl_port"], "saved")
    evaluate(announced["repl_port"], "halt()")
    assert process.wait(PATIENCE) == status


def test_ctrl_c_ends_the_staying(begin):
    process, _ = begin("-c", "raise SystemExit(3)", options=["--stay"])
    while "ended with status 3" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 3
    assert process.stderr.read() == "replserve: interrupted\n"


def test_an_interrupted_program_stays_and_dies_of_it_later(begin):
    process, announced = begin("-c", "raise KeyboardInterrupt", options=["--stay"])
    while "ended with status 130" not in process.stderr.readline():
        pass
    evaluate(announced["repl_port"], "halt()")
    assert process.wait(PATIENCE) == -signal.SIGINT
    assert process.stderr.read() == ""


def test_a_playground_ends_well_when_it_is_halted(begin):
    process, announced = begin()
    assert "'__main__'" in evaluate(announced["repl_port"], "__name__")
    evaluate(announced["repl_port"], "halt()")
    assert process.wait(PATIENCE) == 0
    assert process.stderr.read().startswith("replserve: serving a playground (pid ")


@pytest.mark.parametrize("number, status, said", [(signal.SIGINT, 130, "replserve: interrupted\n"),
                                                  (signal.SIGTERM, -signal.SIGTERM, "")])
def test_a_signal_ends_a_playground_quietly(begin, number, status, said):
    process, _ = begin()
    process.stderr.readline()
    process.send_signal(number)
    assert process.wait(PATIENCE) == status
    assert process.stderr.read() == said


@pytest.mark.parametrize("option", ["--port", "--control-port"])
def test_a_port_that_is_taken(sides, option):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = sides.run([*sides.command(), option, str(port), "-c", "print('ran')"])
    assert (outcome.status, outcome.stdout) == (69, "")
    assert outcome.stderr == ("replserve: cannot listen on 127.0.0.1:%d: Address already in use; "
                              "choose another with --port or --control-port, or 0 for any free one\n" % port)


def test_the_module_is_the_launcher(sides):
    package = sides.run([sides.replserve, "--print-python-path"]).stdout.strip()
    sides.environment["PYTHONPATH"] = package
    outcome = sides.run([sides.python, "-X", "dev", "-O", "-m", "replserve", "--port", "0", "--control-port", "0",
                         "-c", "import sys; f = sys.flags; print(sys.argv, f.optimize, f.dev_mode); sys.exit(3)", "-x"])
    assert (outcome.status, outcome.stdout) == (3, "['-c', '-x'] 1 True\n")
    assert outcome.stderr.startswith("replserve: serving -c ")
    assert sides.run([sides.python, "-m", "replserve", "--python", "/nowhere/python"]).status == 69
    assert sides.run([sides.python, "-c", "import replserve; print(replserve.__name__)"]).stdout == "replserve\n"


# MARK: What does not depend on the interpreter

@pytest.mark.parametrize("words, status, said", [
    (["--prot", "1"], 64, "--prot"), (["--port", "65536"], 64, "65536"), (["--port"], 64, "--port"),
    (["-m"], 64, "-m"), (["-c"], 64, "-c"), (["-x"], 64, "-x"), (["--name", "a b"], 64, "letters"),
    (["--bind", "somewhere"], 64, "127.0.0.1"),
    (["--bind", "0.0.0.0"], 77, "ssh"), (["--bind", "192.0.2.1"], 77, "ssh"), (["--bind", "::"], 77, "ssh"),
    (["--python", "/nowhere/python"], 69, "/nowhere/python"), (["--python", "python0.1"], 69, "PATH"),
    (["--python", "/"], 69, "--python")], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_what_can_not_be_done_is_said_in_one_line(replserve_path, words, status, said):
    done = subprocess.run([str(replserve_path), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith("replserve: ") and done.stderr.count("\n") == 1 and said in done.stderr, done.stderr


def test_an_interpreter_that_is_too_old_is_told_so(replserve_path):
    package = subprocess.run([str(replserve_path), "--print-python-path"], capture_output=True, text=True,
                             timeout=PATIENCE).stdout.strip()
    launch = os.path.join(package, "replserve", "_launch.py")
    with open(launch, encoding="utf-8") as file:
        source = file.read()
    ast.parse(source, feature_version=(3, 7))
    done = subprocess.run([sys.executable, "-c", "import runpy, sys; sys.version_info = (3, 8, 1); "
                           "runpy.run_path(%r)" % launch], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 69 and done.stderr.count("\n") == 1 and "Python 3.8" in done.stderr, done.stderr
