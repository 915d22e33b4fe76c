"""replconnect in a pseudo-terminal: what a person types, and what the screen shows."""

import json
import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from peers import REPLCONNECT, built
from prompts import CONTINUATION, PROMPT, at_prompt, enter, shown


@pytest.fixture
def client(server, terminal, environment):
    """Starts replconnect in a terminal of its own, and waits for its prompt."""
    def start(*options, env=None, target=server, **size):
        screen = terminal([built(REPLCONNECT), *options, "-t", "pid:%d" % target.pid],
                          dict(environment, **(env or {})), **size)
        at_prompt(screen)
        return screen
    return start


@pytest.fixture
def prompt(client):
    return client()


class TestConversation:
    def test_values_output_and_errors(self, prompt):
        enter(prompt, "6 * 7")
        prompt.wait_lines(">>>> 6 * 7", "42", ">>>>")
        enter(prompt, "print('out'); import sys; print('err', file=sys.stderr)")
        prompt.wait_lines("out", "err", ">>>>")
        enter(prompt, "1/0")
        prompt.wait_lines("ZeroDivisionError: division by zero", ">>>>")

    def test_output_that_looks_like_a_prompt(self, prompt):
        enter(prompt, "print('>>>> ', end='')")
        prompt.wait_lines(">>>> print('>>>> ', end='')", ">>>>", ">>>>")
        enter(prompt, "'still ' + 'here'")
        prompt.wait_lines("'still here'", ">>>>")

    def test_text_in_all_alphabets(self, prompt):
        prompt.type("'žluťoučký ' + 'λ日本語'\r")
        prompt.wait(lambda screen: "'žluťoučký λ" in screen.text and screen.cursor_line == PROMPT, "the value")

    def test_bytes_that_are_not_utf8_come_through(self, prompt):
        enter(prompt, r"import sys; _ = sys.stdout.buffer.write(b'<\xff\xfe>\n')")
        prompt.wait_raw(b"<\xff\xfe>")
        at_prompt(prompt)

    def test_output_without_a_newline_is_not_written_over(self, prompt):
        enter(prompt, "print('abc', end='')")
        prompt.wait_lines("abc", ">>>>")

    def test_what_is_typed_ahead_waits(self, prompt):
        prompt.type("a = 20\rb = 22\ra + b\r")
        prompt.wait_lines(">>>> a = 20", ">>>> b = 22", ">>>> a + b", "42", ">>>>")

    def test_ctrl_d_ends_it(self, prompt):
        prompt.type("\x04")
        assert prompt.wait_end() == 0

    def test_quit_ends_it(self, prompt):
        enter(prompt, "quit()")
        assert prompt.wait_end() == 0

    def test_a_server_that_goes(self, server, prompt):
        enter(prompt, "import os; os._exit(3)")
        assert prompt.wait_end() == 69
        assert "closed the connection" in prompt.text
        server.expected_statuses = {3}


class TestBlocks:
    def test_a_block_is_edited_as_one(self, prompt):
        enter(prompt, "for i in range(2):")
        prompt.wait(lambda screen: screen.cursor_line.startswith(CONTINUATION), "the second line")
        prompt.type(" " * (4 - screen_indent(prompt)) + "print('row', i)\r\r")
        prompt.wait_lines("row 0", "row 1", ">>>>")

    def test_going_up_in_a_block(self, prompt):
        enter(prompt, "x = [1,")
        prompt.wait(lambda screen: screen.cursor_line.startswith(CONTINUATION), "the second line")
        prompt.type("\x152]")
        prompt.type("\x1b[A\x05 3,")
        prompt.wait(lambda screen: screen.cursor_line == ">>>> x = [1, 3,", "the first line, changed")
        prompt.type("\x1b[B\x05\r")
        at_prompt(prompt)
        enter(prompt, "x")
        prompt.wait_lines("[1, 3, 2]", ">>>>")

    def test_alt_enter_runs_what_is_not_complete(self, prompt):
        prompt.type("(1,\x1b\r")
        prompt.wait(lambda screen: "SyntaxError: '(' was never closed" in screen.text and screen.cursor_line == PROMPT, "the error")

    def test_a_long_line_wraps(self, prompt):
        line = "x = '" + "abcdefghij" * 20 + "'"
        prompt.type(line)
        prompt.wait(lambda screen: "".join(screen.lines).endswith(line[-20:]), "the line")
        prompt.type("\x01y\x05\r")
        at_prompt(prompt)
        enter(prompt, "len(yx)")
        prompt.wait_lines("200", ">>>>")


def screen_indent(screen):
    """How many blanks there are between the prompt of a line and the cursor."""
    return len(screen.screen.display[screen.screen.cursor.y][:screen.screen.cursor.x]) - len(CONTINUATION)


class TestCtrlC:
    def test_at_the_prompt_it_clears_the_line(self, prompt):
        prompt.type("1 + ")
        prompt.wait(lambda screen: screen.cursor_line == ">>>> 1 + ", "the line")
        prompt.type("\x03")
        at_prompt(prompt)
        enter(prompt, "'all ' + 'right'")
        prompt.wait_lines(">>>> 1 + ^C", ">>>> 'all ' + 'right'", "'all right'", ">>>>")

    def test_it_interrupts(self, prompt):
        enter(prompt, "exec('print(\"on\")\\nwhile True: pass')")
        prompt.wait(lambda screen: "on" in shown(screen), "the loop runs")
        prompt.type("\x03")
        prompt.wait_lines("KeyboardInterrupt", ">>>>")
        enter(prompt, "'here'")
        prompt.wait_lines("'here'", ">>>>")

    def test_as_often_as_one_likes(self, prompt):
        for _ in range(5):
            enter(prompt, "exec('print(\"on\")\\nwhile True: pass')")
            prompt.wait(lambda screen: shown(screen)[-1] == "on", "the loop runs")
            for _ in range(10):
                prompt.type("\x03")
            prompt.wait(lambda screen: screen.cursor_line == PROMPT, "a prompt")
            enter(prompt, "print('\\033[2J\\033[Hagain')")
            prompt.wait(lambda screen: "again" in screen.text and screen.cursor_line == PROMPT, "a clean screen")

    def test_a_flood_is_dropped(self, prompt):
        prompt.type("while True: print('flood ' * 10)\r\r")
        prompt.wait(lambda screen: sum("flood flood" in line for line in shown(screen)) > 5, "the flood")
        prompt.type("\x03")
        prompt.wait_lines("KeyboardInterrupt", ">>>>")

    def test_what_is_stuck_can_be_left(self, client):
        prompt = client(columns=160)
        enter(prompt, "import threading; held = threading.Event()")
        at_prompt(prompt)
        enter(prompt, "exec('print(\"on\")\\nwhile not held.is_set():\\n try: held.wait()\\n except KeyboardInterrupt: pass')")
        prompt.wait(lambda screen: shown(screen)[-1] == "on", "it is stuck")
        prompt.type("\x03")
        prompt.wait(lambda screen: "Ctrl-C again leaves it" in screen.text, "the offer")
        prompt.type("\x03")
        at_prompt(prompt)
        enter(prompt, "held.set()")
        at_prompt(prompt)


class TestInput:
    def test_a_password_is_not_shown(self, prompt):
        enter(prompt, "import getpass; word = getpass.getpass('word? ')")
        prompt.wait(lambda screen: screen.cursor_line == "word? ", "the question")
        prompt.type("geheim\r")
        at_prompt(prompt)
        enter(prompt, "len(word)")
        prompt.wait_lines("6", ">>>>")
        assert b"geheim" not in prompt.raw

    def test_a_question(self, prompt):
        enter(prompt, "name = input('who? ')")
        prompt.wait(lambda screen: screen.cursor_line == "who? ", "the question")
        prompt.type("Karla\x7fel\r")
        at_prompt(prompt)
        enter(prompt, "name")
        prompt.wait_lines("'Karlel'", ">>>>")

    def test_the_end_of_it(self, prompt):
        enter(prompt, "input('more? ')")
        prompt.wait(lambda screen: screen.cursor_line == "more? ", "the question")
        prompt.type("\x04")
        prompt.wait_lines("EOFError: EOF when reading a line", ">>>>")

    def test_ctrl_c_at_a_question(self, prompt):
        enter(prompt, "input('more? ')")
        prompt.wait(lambda screen: screen.cursor_line == "more? ", "the question")
        prompt.type("some\x03")
        prompt.wait_lines("KeyboardInterrupt", ">>>>")


class TestHistory:
    @staticmethod
    def file(environment):
        return Path(environment["HOME"]) / ".local" / "state" / "repltools" / "history"

    def test_it_is_kept_for_the_next_time(self, client, environment):
        first = client()
        enter(first, "x = [1,")
        first.wait(lambda screen: screen.cursor_line.startswith(CONTINUATION), "the second line")
        first.type("\x15")
        enter(first, "2]")
        at_prompt(first)
        enter(first, " secret = 1")
        at_prompt(first)
        first.type("\x04")
        first.wait_end()
        file = self.file(environment)
        assert [json.loads(line) for line in file.read_text().splitlines()] == ["x = [1,\n2]"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        second = client()
        second.type("\x1b[A")
        second.wait(lambda screen: screen.cursor_line == ".... 2]", "the block from the history")
        assert shown(second)[-2] == ">>>> x = [1,"

    def test_searching_it(self, client):
        first = client()
        for line in ["alpha = 1", "beta = 2", "gamma = 3"]:
            enter(first, line)
            at_prompt(first)
        first.type("\x12bet")
        first.wait(lambda screen: "(reverse-i-search)`bet': " in shown(screen)[-1], "the search")
        first.type("\r")
        first.wait_lines(">>>> gamma = 3", ">>>> beta = 2", ">>>>")

    def test_none_of_it(self, client, environment):
        screen = client("--no-history")
        enter(screen, "x = 1")
        at_prompt(screen)
        assert not self.file(environment).exists()

    def test_two_clients_share_it(self, client, environment):
        clients = [client(), client()]
        for number in range(20):
            enter(clients[number % 2], "x = %d" % number)
            at_prompt(clients[number % 2])
        kept = [json.loads(line) for line in self.file(environment).read_text().splitlines()]
        assert kept == ["x = %d" % number for number in range(20)]


class TestCompletion:
    def test_one_candidate(self, prompt):
        enter(prompt, "something_long = 12")
        at_prompt(prompt)
        prompt.type("something_l\t")
        prompt.wait(lambda screen: screen.cursor_line == ">>>> something_long", "the name")

    def test_a_list_with_kinds(self, prompt):
        enter(prompt, "class Box: apple = 1; apricot = 2")
        prompt.type("\r")
        at_prompt(prompt)
        prompt.type("Box.\t")
        prompt.type("ap\t\t")
        prompt.wait(lambda screen: "apple" in screen.text and "apricot" in screen.text.split("class Box")[1].split(";")[-1]
                    and screen.cursor_line.startswith(">>>> Box.ap"), "the list, above the line")

    def test_an_indent(self, prompt):
        prompt.type("\tx")
        prompt.wait(lambda screen: screen.cursor_line == ">>>>     x", "the indent")

    def test_the_signature_of_a_call(self, prompt):
        enter(prompt, "import textwrap")
        at_prompt(prompt)
        prompt.type("textwrap.dedent(\x18d")
        prompt.wait(lambda screen: "Remove any common leading whitespace" in screen.text
                    and screen.cursor_line == ">>>> textwrap.dedent(", "the documentation")


class TestPages:
    def test_help_opens_in_the_pager(self, client, tmp_path):
        pager = tmp_path / "pager"
        pager.write_text("#!/bin/sh\necho 'the pager has'; head -n 1; echo 'press Enter'; read -r _ </dev/tty\n")
        pager.chmod(0o755)
        screen = client(env={"PAGER": str(pager)})
        enter(screen, "help(len)")
        screen.wait_lines("the pager has", "Help on built-in function len in module builtins:", "press Enter")
        screen.type("\r")
        at_prompt(screen)
        enter(screen, "'back'")
        screen.wait_lines("'back'", ">>>>")


class TestLeaving:
    def test_by_key_and_back_with_what_was_missed(self, server, client, terminal, environment):
        first = client()
        enter(first, "import threading; go = threading.Event(); seen = threading.Event()")
        at_prompt(first)
        enter(first, "print('on') or go.wait() and print('missed') or seen.set() or 'the value'")
        first.wait(lambda screen: "on" in shown(screen), "it runs")
        first.type("\x18\x04")
        assert first.wait_end() == 0
        assert "replconnect --attach 1" in first.text
        other = client()
        enter(other, "go.set(); seen.wait()")
        at_prompt(other)
        back = terminal([built(REPLCONNECT), "-t", "pid:%d" % server.pid, "--attach", "1"], environment)
        back.wait_lines("missed", "'the value'", ">>>>")

    def test_a_session_that_is_not_there(self, server, terminal, environment):
        screen = terminal([built(REPLCONNECT), "-t", "pid:%d" % server.pid, "--attach", "77"], environment)
        assert screen.wait_end() == 66


class TestBackground:
    def test_a_job_is_waited_for_by_its_number(self, prompt):
        enter(prompt, "import threading; go = threading.Event()")
        at_prompt(prompt)
        enter(prompt, "print('on') or go.wait() and 'its value'")
        prompt.wait(lambda screen: "on" in shown(screen), "it runs")
        prompt.type("\x1a")
        prompt.wait(lambda screen: "it goes on as %1" in screen.text and screen.cursor_line == PROMPT, "the prompt")
        enter(prompt, "threading.Timer(0.1, go.set).start()")
        at_prompt(prompt)
        enter(prompt, "%1")
        prompt.wait(lambda screen: "'its value'" in shown(screen) and screen.cursor_line == PROMPT, "the value")
        prompt.wait_for("%1 done: print('on') or go.wait()")

    def test_output_of_what_bg_started_comes_above_the_line(self, prompt):
        enter(prompt, "import threading; go = threading.Event()")
        at_prompt(prompt)
        enter(prompt, "job = bg(lambda: go.wait() and print('from', 'the job'))")
        at_prompt(prompt)
        prompt.type("half")
        prompt.wait(lambda screen: screen.cursor_line == PROMPT + "half", "the line")
        prompt.type("\x15")
        enter(prompt, "go.set()")
        prompt.wait(lambda screen: "from the job" in shown(screen) and screen.cursor_line == PROMPT, "the output")
        prompt.wait_for("%1 done")

    def test_ctrl_z_gives_a_prompt_and_output_comes_above_the_line(self, prompt):
        enter(prompt, "import threading; go = threading.Event()")
        at_prompt(prompt)
        enter(prompt, "print('on') or print(go.wait(), 'released')")
        prompt.wait(lambda screen: shown(screen)[-1] == "on", "it waits")
        prompt.type("\x1a")
        at_prompt(prompt)
        enter(prompt, "go.set(); y = 5")
        prompt.wait(lambda screen: "True released" in shown(screen) and screen.cursor_line == PROMPT, "the output")


class TestColours:
    def test_prompts_are_coloured(self, prompt):
        assert b"\x1b[1;32m>>>> " in prompt.raw

    @pytest.mark.parametrize("way", ["option", "variable"])
    def test_no_colours(self, client, way):
        screen = client("--no-color") if way == "option" else client(env={"NO_COLOR": "1"})
        enter(screen, "1/0")
        screen.wait_lines("ZeroDivisionError: division by zero", ">>>>")
        assert b"\x1b[1;3" not in screen.raw

    def test_an_inputrc_applies(self, client, environment):
        (Path(environment["HOME"]) / ".inputrc").write_text('$if replconnect\n"\\C-xt": "typed by a macro"\n$endif\n')
        screen = client()
        screen.type("\x18t")
        screen.wait(lambda screen: screen.cursor_line == ">>>> typed by a macro", "the macro")


class TestPaste:
    def test_a_block_is_inserted_whole(self, prompt):
        prompt.type("\x1b[200~def f(n):\r    if n:\r        return 1\r\r    return 2\x1b[201~")
        prompt.wait(lambda screen: screen.cursor_line == "....     return 2", "the block")
        prompt.type("\r\r")
        prompt.wait(lambda screen: screen.cursor_line == PROMPT, "a prompt")
        enter(prompt, "f(0), f(1)")
        prompt.wait_lines("(2, 1)", ">>>>")

    def test_a_paste_that_ends_its_line_runs(self, prompt):
        prompt.type("\x1b[200~'one' + 'line'\r\x1b[201~")
        prompt.wait_lines("'oneline'", ">>>>")


    def test_400_kilobytes(self, prompt):
        lines = ["total = 0"] + ["total += %10d" % number for number in range(28_000)]
        text = "\r".join(lines) + "\r"
        assert len(text) > 400_000
        prompt.type("\x1b[200~" + text + "\x1b[201~")
        prompt.wait(lambda screen: screen.cursor_line == PROMPT, "a prompt")
        enter(prompt, "total == sum(range(28_000))")
        prompt.wait_lines("True", ">>>>")


class TestWindow:
    def test_the_line_being_typed_survives_a_resize(self, prompt):
        prompt.type("1 + 1")
        prompt.wait(lambda screen: screen.cursor_line == ">>>> 1 + 1", "the line")
        prompt.resize(24, 60)
        prompt.type(" + 1\r")
        prompt.wait_lines("3", ">>>>")


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_it_ends_and_puts_the_terminal_back(self, prompt, number):
        os.kill(prompt.pid, number)
        assert prompt.wait_end() == 128 + number
        assert b"\x1b[?2004l" in prompt.raw


class TestScripts:
    """Without a terminal: nothing but what the code prints and is, and an exit status."""

    @pytest.fixture
    def run(self, server, environment):
        def start(*options, stdin=""):
            done = subprocess.run([built(REPLCONNECT), *options, "-t", "pid:%d" % server.pid], input=stdin, text=True,
                                  env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
            return done.returncode, done.stdout, done.stderr
        return start

    def test_a_value_and_nothing_else(self, run):
        assert run(stdin="1+1\n") == (0, "2\n", "")
        assert run(stdin="1+1") == (0, "2\n", "")
        assert run("-c", "1+1") == (0, "2\n", "")
        assert run(stdin="") == (0, "", "")

    def test_blocks_without_blank_lines(self, run):
        script = "def f(n):\n    if n:\n        return 1\n\n    return 2\nf(0)\ntry:\n    1/0\nexcept ZeroDivisionError:\n    print('no')\n'end'\n"
        assert run(stdin=script) == (0, "2\nno\n'end'\n", "")

    @pytest.mark.parametrize("options, output", [([], "1\n"), (["--keep-going"], "1\n2\n")])
    def test_the_first_exception(self, run, options, output):
        status, out, err = run(*options, stdin="1\n1/0\n2\n")
        assert (status, out) == (1, output)
        assert err.startswith("Traceback (most recent call last):\n")
        assert err.endswith("ZeroDivisionError: division by zero\n")

    def test_what_is_incomplete(self, run):
        status, out, err = run(stdin="def f(:\n")
        assert (status, out) == (1, "")
        assert "SyntaxError" in err

    def test_input_of_the_code(self, run):
        assert run("-c", "input()", stdin="Karel\n") == (0, "'Karel'\n", "")

    def test_a_script_of_its_own_speed(self, server, environment):
        """Each block runs as soon as it is there, not when the script has ended."""
        process = subprocess.Popen([built(REPLCONNECT), "-t", "pid:%d" % server.pid], env=environment, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for number in range(3):
            process.stdin.write("%d * 2\n" % number)
            process.stdin.flush()
            assert process.stdout.readline() == "%d\n" % (number * 2)
        process.stdin.close()
        assert process.wait(60) == 0
        process.stdout.close()

    def test_bad_command_lines(self, run):
        assert run("--no-such")[0] == 64
        assert run("--attach", "1")[0] == 64


class TestTheProgramItself:
    def test_what_it_prints_is_marked(self, client):
        prompt = client("--tee")
        prompt.type("half a line")
        prompt.wait(lambda screen: screen.cursor_line == PROMPT + "half a line", "the line")
        prompt.type("\x15")
        # The playground's main thread is one of the host's.
        enter(prompt, "import threading; threading.Thread(target=print, args=('from the host',)).start()")
        prompt.wait(lambda screen: "| from the host" in shown(screen) and screen.cursor_line == PROMPT, "the output")
        enter(prompt, "print('from here')")
        prompt.wait_lines(">>>> print('from here')", "from here", ">>>>")

    def test_the_window_is_known(self, client):
        prompt = client(rows=30, columns=90)
        size = "import shutil; tuple(shutil.get_terminal_size())"
        enter(prompt, size)
        prompt.wait_lines("(90, 30)", ">>>>")
        prompt.resize(rows=33, columns=77)
        enter(prompt, "tuple(shutil.get_terminal_size())")
        prompt.wait_lines("(77, 33)", ">>>>")


class TestSuspending:
    def test_at_the_prompt_it_is_suspended_as_any_program(self, server, terminal, environment):
        shell = terminal(["bash", "--norc", "--noprofile", "-i"], dict(environment, PS1="shell> "))
        shell.wait(lambda screen: screen.cursor_line == "shell> ", "the shell")
        shell.type("%s -t pid:%d\r" % (built(REPLCONNECT), server.pid))
        at_prompt(shell)
        # The terminal throws away what has not been read when a key sends a signal.
        shell.type("1 + ")
        shell.wait(lambda screen: screen.cursor_line == PROMPT + "1 + ", "the line")
        shell.type("\x1a")
        shell.wait(lambda screen: "Stopped" in screen.text and screen.cursor_line == "shell> ", "the shell again")
        shell.type("fg\r")
        shell.wait(lambda screen: screen.cursor_line == PROMPT + "1 + ", "the line that was typed")
        shell.type("41\r")
        shell.wait(lambda screen: "42" in shown(screen) and screen.cursor_line == PROMPT, "the value")
        shell.type("\x04")
        shell.wait(lambda screen: screen.cursor_line == "shell> ", "the shell at last")
        shell.type("exit\r")
        shell.wait_end()
