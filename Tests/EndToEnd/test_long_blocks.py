"""Long blocks: a paste of thousands of lines is one block, taken in at once, whatever its brackets and quotes."""

import pytest

FILLER = ["value%d = %d" % (number, number) for number in range(300)]


def function(*body):
    """A function whose body is some lines and a long filler; it ends with an empty line."""
    return "def f():\n" + "".join("    %s\n" % line for line in (*body, *FILLER)) + "    return 'end'\n\n"


TRICKY = {
    "plain": function(),
    "open bracket in a string": function("a = '('", 'b = "[{"', "c = 'it\\'s ('"),
    "open bracket in a comment": function("a = 1  # ( [ {"),
    "quotes in a comment": function("a = 1  # don't ''' \"\"\""),
    "long string with brackets": function("a = '''( [", "{", "'''"),
    "long string with the other quotes": function('a = """it\'s \'\'\' " ""', '"""'),
    "raw strings": function("a = r'\\('", "b = r'\\\\'", 'c = rb"\\["'),
    "f-strings": function("d = {'x': 1}", "a = f'{d[\"x\"]} ('", "b = f\"{d['x']:>{10}} {{\""),
    "continued lines": function("a = 1 + \\", "    2", "b = 'x\\", "    ('"),
    "decorators and classes": "class C:\n" + "".join("    def m%d(self): pass\n" % n for n in range(300)) + "\nf = lambda: 'end'\n",
    "a bracket closed without indentation": "f = (lambda:\n" + "\n".join(FILLER).replace("value", "# ") + "\n'end')\n",
    "else and except": "for f in [lambda: 'end']:\n" + "    pass\n" * 300 + "else:\n    pass\n\n",
}


@pytest.mark.parametrize("source", TRICKY.values(), ids=TRICKY.keys())
def test_is_complete_where_python_says(console, newest, serve, connect, source):
    client = connect(serve(python=getattr(newest, console)))
    client.send(source)
    client.send("print('answer', f())\n")
    client.expect("answer end\n>>>> ")
    assert client.run("1 + 1") == "2\n"


def test_ten_thousand_lines(server, connect):
    client = connect(server)
    client.send("def f():\n" + "    x = 1\n" * 5000 + "    return 'end'\n\n")
    client.send("table = [\n" + "  (1, 'x'),\n" * 5000 + "]\n")
    client.send("text = '''\n" + "it is a line\n" * 5000 + "'''\n")
    client.send("print('answer', f(), len(table), len(text))\n")
    client.expect("answer end 5000 65001\n")


def test_an_error_in_a_long_block_is_told(server, connect):
    client = connect(server)
    client.send("def f():\n" + "    x = 1\n" * 300 + "    y = = 2\n" + "    x = 1\n" * 300 + "\n")
    client.expect("SyntaxError")
    client.send("print('on', 6 * 7)\n")
    client.expect("on 42\n")


def test_an_interrupt_forgets_a_long_block(paired, server):
    client, control = paired(server)
    client.send("x = [\n" + "  1,\n" * 500)
    client.expect(".... " * 501)
    assert control.request("KeyboardInterrupt")["status"] == "ok"
    client.expect("KeyboardInterrupt\n>>>> ")
    assert client.run("1 + 1") == "2\n"
