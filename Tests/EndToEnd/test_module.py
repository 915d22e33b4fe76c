"""The built files: what they export, what they need, what they betray of the machine they were built on."""

import json
import os
import re
import subprocess

import pytest

from interpreters import ROOT
from peers import PYTHON_PACKAGE, RUNNER_PYTHON, built, environment_python, tool

RUNTIME = re.compile(r"lib(c|m|stdc\+\+|gcc_s)\.so\.\d+|ld-linux[-\w]*\.so\.\d+|ld64\.so\.\d+")


def dynamic_section(path):
    done = subprocess.run([tool("readelf"), "-dW", str(path)], env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def needed(path):
    return re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic_section(path))


def test_exports_one_symbol(native_module):
    done = subprocess.run([tool("nm"), "-D", "--defined-only", str(native_module)], stdout=subprocess.PIPE, check=True)
    assert [line.split()[1:] for line in done.stdout.decode().splitlines()] == [["T", "PyInit__native"]]


def test_needs_only_the_runtime(native_module):
    assert needed(native_module)
    assert [name for name in needed(native_module) if not RUNTIME.fullmatch(name)] == []


def test_looks_for_libraries_nowhere_else(native_module):
    section = dynamic_section(native_module)
    assert not re.search(r"\((RPATH|RUNPATH)\).*\[(?!\$ORIGIN\])", section), section


@pytest.mark.parametrize("name", ["replserve", "replctl", "replcomplete"])
def test_the_tools_need_no_library(stage, name):
    done = subprocess.run([tool("readelf"), "-lW", str(built(stage / "bin" / name))], stdout=subprocess.PIPE, check=True,
                          env=dict(os.environ, LC_ALL="C"))
    headers = done.stdout.decode()
    assert "LOAD" in headers
    assert "INTERP" not in headers and "DYNAMIC" not in headers


def test_uses_only_the_stable_abi(native_module):
    """Every Python symbol it wants is in the limited API of 3.9; no interpreter's private ones."""
    done = subprocess.run([tool("nm"), "-D", "--undefined-only", str(native_module)], stdout=subprocess.PIPE, check=True)
    wanted = re.findall(r" U (_?Py\w+)", done.stdout.decode())
    assert wanted and all(name.startswith("Py") or name in ("_Py_NoneStruct", "_Py_TrueStruct", "_Py_FalseStruct",
                                                            "_Py_Dealloc", "_Py_IncRef", "_Py_DecRef",
                                                            "_Py_EllipsisObject")
                          for name in wanted), sorted(wanted)


def test_betrays_no_path(native_module, replserve_path):
    home = os.path.expanduser("~")
    for path in (native_module, replserve_path):
        content = path.read_bytes()
        for place in {str(ROOT), home, os.path.realpath(home)}:
            assert (place + "/").encode() not in content, (path, place)


def test_loads_in_every_interpreter(interpreter, environment, native_module):
    code = ("import replserve, replserve._native as native, json, sys;"
            "print(json.dumps([native.__file__, sys.version_info[:2], len(sys.modules)]))")
    done = subprocess.run([interpreter.program, "-X", "dev", "-W", "error", "-c", code],
                          env=dict(environment, PYTHONPATH=str(PYTHON_PACKAGE)),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)[0] == str(native_module)


def test_works_in_development_mode(interpreter, embed, connect):
    """-X dev: debug hooks of the allocators, every warning, faulthandler. Nothing is reported."""
    host = embed("import sys\nfrom replserve import server\nprint(server.start({}, repl_port=0, control_port=0)[1], "
                 "flush=True)\nfor line in sys.stdin: pass\nserver.stop()\n",
                 python=interpreter.plain, options=["-X", "dev", "-W", "error"])
    client = connect(int(host.stdout.line()))
    assert client.run("1 + 1") == "2\n"
    assert "ZeroDivisionError" in client.run("1/0")
    client.run("help(len)")
    client.send("quit()\n")
    client.rest()
    host.ask_to_end()
    assert host.wait() == 0
    assert host.stderr.wait_end() == ""


def test_importing_twice_and_reloading(interpreter, environment, native_module):
    code = ("import importlib, sys, replserve\nfrom replserve import server\nimportlib.reload(server)\n"
            "server.start({}, repl_port=0, control_port=0); server.stop()\n"
            "for name in [n for n in sys.modules if n.startswith('replserve')]: del sys.modules[name]\n"
            "from replserve import server\nserver.start({}, repl_port=0, control_port=0); server.stop()\nprint('fine')")
    done = subprocess.run([interpreter.plain, "-c", code], env=dict(environment, PYTHONPATH=str(PYTHON_PACKAGE)),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"fine\n", b"")


def test_every_public_name_is_documented(environment, newest, native_module):
    code = ("import inspect, replserve\nfrom replserve import server\n"
            "for module in (replserve, server):\n"
            "    assert module.__doc__\n"
            "    for name in module.__all__:\n"
            "        assert inspect.getdoc(getattr(module, name)), name\n"
            "start = inspect.signature(server.start).parameters\n"
            "print([(name, start[name].default) for name in list(start)[1:5]], list(start)[0])")
    done = subprocess.run([newest.plain, "-c", code], env=dict(environment, PYTHONPATH=str(PYTHON_PACKAGE)),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == "[('bind', '127.0.0.1'), ('repl_port', 1337), ('control_port', 8128), " \
                                   "('banner', None)] locals\n"


def test_the_package_is_typed(stage, native_module):
    assert (PYTHON_PACKAGE / "replserve" / "py.typed").exists()
    assert (PYTHON_PACKAGE / "replserve" / "_native.pyi").exists()


@pytest.mark.parametrize("module", ["replserve._native", "replserve.server", "replserve.jobs"])
def test_stubs_agree_with_the_built_module(environment, module, tmp_path, native_module):
    python = environment_python(RUNNER_PYTHON)
    (tmp_path / "mypy.ini").write_text("[mypy]\nignore_missing_imports = True\n")
    done = subprocess.run([python, "-m", "mypy.stubtest", "--concise", "--mypy-config-file", "mypy.ini", module], cwd=str(tmp_path),
                          env=dict(environment, PYTHONPATH=str(PYTHON_PACKAGE), MYPYPATH=str(PYTHON_PACKAGE)),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout.decode()


def test_a_users_code_type_checks(environment, tmp_path, native_module):
    python = environment_python(RUNNER_PYTHON)
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("from replserve import server\n"
                    "bind, repl_port, control_port = server.start(locals=globals(), repl_port=0, control_port=0)\n"
                    "text: str = bind\nnumber: int = repl_port + control_port\nserver.stop()\n")
    bad.write_text("import replserve\nreplserve.start(locals=5)\n")
    statuses = [subprocess.run([python, "-m", "mypy", "--strict", "--follow-imports", "silent", "--cache-dir", os.devnull, str(path)],
                               cwd=str(tmp_path), env=dict(environment, MYPYPATH=str(PYTHON_PACKAGE)),
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False) for path in (good, bad)]
    assert [done.returncode for done in statuses] == [0, 1], [done.stdout.decode() for done in statuses]
