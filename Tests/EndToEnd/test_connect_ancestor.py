"""replconnect at the server of unpythonic itself, in a pseudo-terminal."""

import pytest

from peers import REPLCONNECT, ancestor_environments, built
from prompts import CONTINUATION, PROMPT, at_prompt, enter

ANCESTOR = """
import sys
from unpythonic.net import server
addr, port, control = server.start(locals={}, repl_port=0, control_port=0)
print(port, control, file=sys.__stdout__, flush=True)
sys.__stdin__.read()
"""


class TestAncestor:
    """The server of unpythonic, which PyPI carries: two connections, and prompts that are guessed from text."""

    @pytest.fixture
    def ports(self, embed):
        host = embed(ANCESTOR, python=ancestor_environments()[-1].macros)
        host.trouble_expected = True
        while True:
            words = host.stdout.line().split()
            if len(words) == 2 and all(word.isdigit() for word in words):
                return words

    @pytest.fixture
    def prompt(self, ports, terminal, environment):
        screen = terminal([built(REPLCONNECT), "127.0.0.1", *ports], environment)
        at_prompt(screen)
        return screen

    def test_a_conversation(self, prompt):
        enter(prompt, "6 * 7")
        prompt.wait_lines(">>>> 6 * 7", "42", ">>>>")
        prompt.type("for i in range(2):\r    print('row', i)\r\r")
        prompt.wait_lines("row 0", "row 1", ">>>>")
        enter(prompt, "1/0")
        prompt.wait_lines("ZeroDivisionError: division by zero", ">>>>")

    def test_a_block_that_was_given_up(self, prompt):
        enter(prompt, "for i in range(2):")
        prompt.wait(lambda screen: screen.cursor_line.startswith(CONTINUATION), "the second line")
        prompt.type("\x03")
        at_prompt(prompt)
        enter(prompt, "'all right'")
        prompt.wait_lines("'all right'", ">>>>")

    def test_ctrl_c(self, prompt):
        prompt.type("while True: pass\r\r")
        prompt.wait(lambda screen: screen.cursor_line == "" and ">>>> while True: pass" in screen.text, "it runs")
        prompt.type("\x03")
        prompt.wait(lambda screen: "KeyboardInterrupt" in screen.text and screen.cursor_line == PROMPT, "the prompt")
        enter(prompt, "'all right'")
        prompt.wait_lines("'all right'", ">>>>")

    def test_input(self, prompt):
        enter(prompt, "name = input('who? ')")
        prompt.wait(lambda screen: screen.cursor_line == "who? ", "the question")
        prompt.type("Karel\r")
        at_prompt(prompt)
        enter(prompt, "name")
        prompt.wait_lines("'Karel'", ">>>>")

    def test_completion(self, prompt):
        enter(prompt, "something_long = 12")
        at_prompt(prompt)
        prompt.type("something_l\t")
        prompt.wait(lambda screen: screen.cursor_line == ">>>> something_long", "the name")

    def test_ctrl_d(self, prompt):
        prompt.type("\x04")
        assert prompt.wait_end() == 0
