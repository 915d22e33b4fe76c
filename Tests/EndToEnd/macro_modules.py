"""Small macro modules that the tests of the macro console write and import."""

import os
from pathlib import Path

_NUMBER = '''
import ast

def {name}(tree, *, syntax, **kw):
    """{doc}"""
    if syntax != "expr":
        raise SyntaxError("{name} is an expr macro only")
    return ast.copy_location(ast.Constant(value={value!r}), tree)
'''


def write_number_macro(folder, module, name, value, doc="A macro that is a number."):
    """A module with one expression macro that expands to `value`, whatever it is given.

    Written again, it is newer by far more than the resolution of any clock that Python compares.
    """
    path = Path(folder) / (module + ".py")
    written = path.stat().st_mtime + 100 if path.exists() else None
    path.write_text(_NUMBER.format(name=name, value=value, doc=doc))
    if written:
        os.utime(path, (written, written))
