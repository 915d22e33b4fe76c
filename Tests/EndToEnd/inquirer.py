"""A Python process that answers inquiries: what completes a source, what is known of a name, in a namespace it makes."""

import json
import os
import subprocess

from peers import NATIVE_MODULE, PYTHON_PACKAGE, built, environment_python

_PROGRAM = r'''
import json, sys
from replserve.completion import complete
from replserve.documentation import describe
from replserve import inference
from replserve.words import words

# On a busy machine jedi takes its time; no test is about that.
inference.MAXIMUM_SECONDS = 120
answer = sys.stdout
for line in sys.stdin:
    request = json.loads(line)
    namespace = {"__name__": "__main__", "calls": []}
    exec(compile(request["setting"], "<setting>", "exec"), namespace)
    # What the setting itself has caused is no fault.
    namespace["calls"].clear()
    results = []
    for name, arguments in request["inquiries"]:
        try:
            if name == "complete":
                source, cursor, docs = arguments
                result = complete(source, len(source) if cursor is None else cursor, namespace, docs)
            elif name == "describe":
                result = describe(arguments[0], namespace, arguments[1])
            elif name == "words":
                result = words(arguments[0], namespace)
            else:
                result = eval(arguments[0], namespace)
        except LookupError as error:
            result = "LookupError: " + str(error)
        results.append(result)
    print(json.dumps({"results": results, "calls": namespace["calls"]}), file=answer, flush=True)
    namespace.clear()
'''


class Inquirer:
    """The process. Warnings are errors in it, and nothing may be written to its standard error."""

    def __init__(self, python, folder, environment=None):
        built(NATIVE_MODULE)
        self._process = subprocess.Popen(
            [environment_python(python), "-X", "dev", "-W", "error", "-c", _PROGRAM], cwd=str(folder),
            env=dict({"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(folder), "PYTHONPATH": str(PYTHON_PACKAGE),
                      "PYTHONDONTWRITEBYTECODE": "1"}, **(environment or {})),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ask(self, setting, *inquiries):
        """Runs the setting in a new namespace, then makes the inquiries; returns their results, and what `calls` holds."""
        self._process.stdin.write(json.dumps({"setting": setting, "inquiries": inquiries}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        answer = json.loads(line)
        return answer["results"], answer["calls"]

    def complete(self, source, setting="", cursor=None, docs=False):
        """The reply to one completion; by the way, none of the setting's code that records its calls may run."""
        (reply,), calls = self.ask(setting, ["complete", [source, cursor, docs]])
        assert calls == [], source
        return reply

    def texts(self, source, setting="", cursor=None):
        return [each["text"] for each in self.complete(source, setting, cursor)["candidates"]]

    def kinds(self, source, setting=""):
        return {each["text"]: each["kind"] for each in self.complete(source, setting)["candidates"]}

    def describe(self, name, setting="", source=False):
        (reply,), calls = self.ask(setting, ["describe", [name, source]])
        assert calls == [], name
        return reply

    def close(self):
        _, errors = self._process.communicate()
        assert (self._process.returncode, errors) == (0, "")
