"""An interactive shell in a terminal that completes the tools' command lines."""

import os
import subprocess

from peers import STAGE, tool
from terminal import Terminal

PROMPT = "ready> "

# The start of each shell without anybody's configuration.
ARGV = {"bash": ["bash", "--noprofile", "--rcfile"], "zsh": ["zsh", "-d", "-i"],
        "fish": ["fish", "--no-config", "-i", "-C"]}

# One Tab shows what there is; nothing asks, pages or beeps.
SET_UP = {
    "bash": r"""
PS1='ready> '
for setting in 'show-all-if-ambiguous on' 'page-completions off' 'completion-query-items 0' 'bell-style none' \
    'enable-bracketed-paste off'; do bind "set $setting"; done
%s
%s
""",
    "zsh": r"""
PS1='ready> '
unsetopt beep list_ambiguous
LISTMAX=0
%s
%s
""",
    "fish": r"""
function fish_prompt; echo -n 'ready> '; end
function fish_greeting; end
%s
%s
""",
}

# How the script gets into the shell: as the pages say to write it into its configuration, or as an installed file.
WRITTEN = {
    "bash": 'eval "$(replcomplete --shell bash)"',
    "zsh": 'autoload -Uz compinit && compinit -u -D\neval "$(replcomplete --shell zsh)"',
    "fish": "replcomplete --shell fish | source",
}
INSTALLED = {
    # By its name, as bash-completion does.
    "bash": "load() { . '%s/bash-completion/completions/'\"$1\" && return 124; }; complete -D -F load",
    "zsh": "fpath=('%s/zsh/site-functions' $fpath)\nautoload -Uz compinit && compinit -u -D",
    "fish": "set -p fish_complete_path '%s/fish/vendor_completions.d'",
}


def with_tools(environment):
    """The environment in which the built tools are found first."""
    return dict(environment, PATH="%s%s%s" % (STAGE / "bin", os.pathsep, environment["PATH"]))


class ShellTerminal(Terminal):
    """A shell at its prompt."""

    def __init__(self, shell, environment, folder, more="", installed=False):
        self.shell = shell
        text = SET_UP[shell] % (more, INSTALLED[shell] % (STAGE / "share") if installed else WRITTEN[shell])
        variables = with_tools(environment)
        argv = [tool(ARGV[shell][0]), *ARGV[shell][1:]]
        if shell == "bash":
            (folder / "bashrc").write_text(text)
            argv += [folder / "bashrc", "-i"]
        elif shell == "zsh":
            (folder / ".zshrc").write_text(text)
            variables["ZDOTDIR"] = str(folder)
        else:
            argv.append(text)
        super().__init__(argv, variables, rows=60, columns=160)
        self.wait(lambda terminal: terminal.cursor_line == PROMPT, "the first prompt")

    def complete(self, line):
        """Types the start of a command line, and the Tab key."""
        self.type(line)
        self.wait(lambda terminal: terminal.cursor_line == PROMPT + line, "echo of " + line)
        self.type("\t")

    def becomes(self, line, whole):
        """What is typed becomes `whole` by the Tab key, where there is one way to go on."""
        self.complete(line)
        self.wait(lambda terminal: terminal.cursor_line == PROMPT + whole, "%r becomes %r" % (line, whole))
        self.clear()

    def offers(self, line, *words):
        """The Tab key shows these words."""
        self.complete(line)
        self.wait(lambda terminal: set(words) <= set(terminal.shown), "%r offers %r" % (line, words))
        shown = self.shown
        self.clear()
        return shown

    def stays(self, line):
        """The Tab key changes nothing, and nothing is shown but what was typed."""
        self.complete(line)
        self.type("Z")
        self.wait(lambda terminal: terminal.cursor_line == PROMPT + line + "Z", "%r stays as it is" % line)
        assert [text for text in self.lines if text] == [PROMPT + line + "Z"]
        self.clear()

    @property
    def shown(self):
        """The words on the screen."""
        return self.text.split()

    def clear(self):
        """Gives up what is typed, on an empty screen."""
        # Keys of the line editor only. A command would leave a moment in which the terminal itself echoes what is
        # typed next, and Ctrl-C one in which bash can lose it, just when a completion ends.
        self.type("\x15\x0c")
        self.wait(lambda terminal: terminal.cursor_line == PROMPT and terminal.text.strip() == PROMPT.strip(),
                  "an empty screen")


def ask(shell, words, environment):
    """What replcomplete tells the script of a shell; (kind, lines)."""
    done = subprocess.run([str(STAGE / "bin" / "replcomplete"), "--complete-for", shell, *words], env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    kind, *lines = done.stdout.decode().splitlines()
    return kind, lines
