"""The command lines of the tools, completed in the real shells with the Tab key."""

import json
import os
import subprocess

import pytest

from interpreters import ROOT
from peers import STAGE
from shell_terminal import ShellTerminal, ask

SHELLS = ["bash", "zsh", "fish"]
TOOLS = ["replserve", "replctl", "replcomplete"]

SOURCE = """
def healthy(): return True
def heart(): return 1
"""


@pytest.fixture(params=SHELLS)
def name(request):
    return request.param


@pytest.fixture
def shell(name, environment, closing, tmp_path):
    return lambda more="", **how: closing(ShellTerminal(name, environment, tmp_path, more, **how))


@pytest.fixture
def control(environment):
    """Runs replctl; returns its output."""
    def run(*words):
        done = subprocess.run([str(STAGE / "bin" / "replctl"), *words], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()
    return run


def declared(name):
    """The commands and options of a tool, as it tells them to programs."""
    done = subprocess.run([str(STAGE / "bin" / name), "--experimental-dump-help"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, check=True, timeout=60)
    return json.loads(done.stdout)["command"]


def options(command):
    """The options of a command with all their names."""
    return {("--" if one["kind"] == "long" else "-") + one["name"]
            for argument in command["arguments"] if argument["shouldDisplay"] for one in argument.get("names", [])}


# What a tool takes before its parser sees it, and what it refuses behind a command although the parser declares it.
BEYOND = {"replserve": {"-m", "-c"}}


@pytest.mark.parametrize("name", TOOLS)
def test_every_declared_word(name, environment):
    tree = declared(name)
    kind, lines = ask("fish", [name, "-"], environment)
    assert kind == "words"
    assert {line.split("\t")[0] for line in lines} == options(tree) | BEYOND.get(name, set())
    assert all(len(line.split("\t")) == 2 for line in lines)
    # The parser lists 'help' under tools, too, that have no commands.
    commands = tree["subcommands"] if name == "replctl" else []
    if commands:
        kind, lines = ask("fish", [name, ""], environment)
        assert [line.split("\t")[0] for line in lines] == [command["commandName"] for command in commands]
    for command in commands:
        kind, lines = ask("fish", [name, command["commandName"], "-"], environment)
        assert {line.split("\t")[0] for line in lines} == options(command) - {"--version"}, command["commandName"]


def test_commands(shell):
    terminal = shell()
    terminal.becomes("replctl thr", "replctl threads ")
    terminal.becomes("replctl --json -t x serv", "replctl --json -t x servers ")
    terminal.offers("replctl s", "servers", "source", "sessions")


def test_options(shell):
    terminal = shell()
    terminal.becomes("replctl eval --ma", "replctl eval --main-thread ")
    terminal.becomes("replserve --no", "replserve --no-socket ")
    shown = terminal.offers("replctl halt --", "--cancel", "--now", "--to", "--timeout")
    assert "--main-thread" not in shown


def test_values(shell):
    terminal = shell()
    terminal.offers("replcomplete --shell ", "bash", "zsh", "fish")
    terminal.becomes("replcomplete --shell=f", "replcomplete --shell=fish ")
    terminal.becomes("replserve --bind 1", "replserve --bind 127.0.0.1 ")


def test_file_names(shell, tmp_path):
    (tmp_path / "a script.py").write_text("")
    terminal = shell("cd '%s'" % tmp_path)
    escaped = r"a\ script.py "
    terminal.becomes("replctl eval -f a", "replctl eval -f " + escaped)
    terminal.becomes("replserve --stay a", "replserve --stay " + escaped)
    terminal.becomes("replctl eval --file=a", "replctl eval --file=" + escaped)


def test_endpoints(shell, serve):
    servers = [serve("--name", "app"), serve("--name", "batch")]
    terminal = shell()
    terminal.offers("replctl -t name:", *(["app", "batch"] if terminal.shell == "bash" else ["name:app", "name:batch"]))
    terminal.becomes("replctl -t name:a", "replctl -t name:app ")
    terminal.becomes("replctl ping --to=name:b", "replctl ping --to=name:batch ")
    terminal.becomes("replctl -t 'name:b", "replctl -t 'name:batch' ")
    terminal.becomes("replconnect name:b", "replconnect name:batch ")
    pids = ["pid:%d" % server.announced["pid"] for server in servers]
    terminal.offers("replctl -t ", "name:app", "name:batch", *pids)


def test_endpoints_say_what_they_serve(serve, environment, control):
    pid = serve("-i", "--name", "app", source=SOURCE).announced["pid"]
    program = json.loads(control("describe", "--json"))["program"]
    assert program
    kind, lines = ask("fish", ["replctl", "-t", ""], environment)
    assert kind == "words"
    texts = dict(line.split("\t") for line in lines)
    assert set(texts) == {"name:app", "pid:%d" % pid}
    # A long one is cut.
    for text, what in (("name:app", "pid %d" % pid), ("pid:%d" % pid, "app")):
        assert texts[text] == ("%s: %s" % (what, program))[:80]


def test_sessions_and_jobs(shell, server, connect, control):
    client = connect(server)
    assert client.run("1") == "1\n"
    control("bg", "import time\nwhile True: time.sleep(0.01)")
    assert control("bg", "7") == "%2\n"
    control("fg", "%2")
    terminal = shell()
    # fish protects a sign that it once gave a meaning.
    percent = r"\%" if terminal.shell == "fish" else "%"
    terminal.becomes("replctl kill ", "replctl kill " + percent + "1 ")
    terminal.becomes("replctl disconnect ", "replctl disconnect 1 ")
    terminal.offers("replctl fg ", "%1", "%2")
    terminal.becomes("replctl fg " + percent + "2", "replctl fg " + percent + "2 ")
    terminal.becomes("replctl eval -s ", "replctl eval -s 1 ")
    shown = terminal.offers("replctl interrupt ", "%1", "1")
    assert "%2" not in shown
    if terminal.shell != "bash":
        assert "running:" in " ".join(shown)
    terminal.stays("replctl disconnect 1 1 7")
    control("kill", "%1")


def test_the_server_of_the_line_is_asked(shell, serve, control):
    serve("--name", "app")
    serve("--name", "batch")
    control("-t", "name:app", "bg", "1")
    control("-t", "name:batch", "bg", "1")
    control("-t", "name:batch", "bg", "1")
    terminal = shell()
    job = r"\%1 " if terminal.shell == "fish" else "%1 "
    terminal.becomes("replctl -t name:app fg ", "replctl -t name:app fg " + job)
    terminal.offers("replctl fg --to=name:batch ", "%1", "%2")
    # Which of them is meant is not known.
    terminal.stays("replctl fg ")


def test_names(shell, serve):
    serve("-i", source=SOURCE)
    terminal = shell()
    gap = " " if terminal.shell == "fish" else ""
    terminal.becomes("replctl doc healt", "replctl doc healthy" + gap)
    terminal.offers("replctl source hea", "healthy", "heart")
    terminal.becomes("replcomplete heal", "replcomplete healthy" + gap)
    terminal.becomes("replctl doc str.capit", "replctl doc str.capitalize" + gap)


def test_without_a_server(shell):
    terminal = shell()
    for line in ("replctl kill ", "replctl -t ", "replctl doc x", "replctl -t name:nobody fg ",
                 "replctl -t 127.0.0.1:1:1 fg ", "replctl eval x", "replctl nonsense x", "replctl -t ssh://nobody fg ", "replctl -t : fg "):
        terminal.stays(line)


@pytest.mark.parametrize("command, whole", [
    ("replctl thr", "replctl threads "), ("replserve --no", "replserve --no-socket "),
    ("replcomplete --shell=f", "replcomplete --shell=fish ")])
def test_the_installed_script(shell, command, whole):
    """It is found under the name of each tool."""
    shell(installed=True).becomes(command, whole)


def test_install_and_uninstall(tmp_path):
    def found():
        return sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")
                      if path.is_file() and "share/man" not in str(path) and "share/" in str(path))

    def run(*arguments):
        subprocess.run([str(ROOT / "scripts" / "install"), *arguments], check=True, timeout=60,
                       env={"PATH": os.environ["PATH"], "PREFIX": "/usr", "DESTDIR": str(tmp_path)})
    run(str(STAGE))
    names = ["replcomplete", "replconnect", "replctl", "replserve"]
    assert found() == (["usr/share/bash-completion/completions/" + name for name in names]
                       + ["usr/share/fish/vendor_completions.d/%s.fish" % name for name in names]
                       + ["usr/share/zsh/site-functions/_replctl"])
    run("--uninstall")
    assert found() == []


@pytest.mark.parametrize("argument", ["csh", "", "Bash"])
def test_a_shell_that_is_not_known(argument, environment):
    done = subprocess.run([str(STAGE / "bin" / "replcomplete"), "--shell", argument], env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (64, b"")
    assert done.stderr.decode().count("\n") == 1 and "fish" in done.stderr.decode()


NO_UNSET = {"bash": "set -u", "zsh": "setopt no_unset", "fish": ""}


def test_strict_shells(shell, name, server):
    terminal = shell(NO_UNSET[name])
    terminal.becomes("replctl thr", "replctl threads ")
    terminal.stays("replctl kill ")
    terminal.becomes("replctl -t pid:", "replctl -t pid:%d " % server.announced["pid"])


def test_a_redirection_in_bash(environment, closing, tmp_path):
    (tmp_path / "target").write_text("")
    terminal = closing(ShellTerminal("bash", environment, tmp_path, "cd '%s'" % tmp_path))
    terminal.becomes("replctl jobs >tar", "replctl jobs >target ")
    terminal.becomes("true | replctl jobs 2> tar", "true | replctl jobs 2> target ")
    terminal.becomes("true; replctl thr", "true; replctl threads ")
