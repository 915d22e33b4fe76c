"""A prompt of replconnect in a pseudo-terminal: what is typed at it, and what it shows."""

PROMPT = ">>>> "
CONTINUATION = ".... "


def at_prompt(screen, text=PROMPT):
    screen.wait(lambda screen: screen.cursor_line == text, "the prompt %r" % text)


def shown(screen):
    return [line for line in screen.lines if line]


def enter(screen, line):
    """Types a line, sees it, and presses Enter: the prompt that is seen next is another one."""
    screen.type(line)
    screen.wait(lambda screen: screen.cursor_line.endswith(line[-20:]), "the line %r" % line)
    screen.type("\r")
