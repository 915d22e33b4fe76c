"""The lists of a page that say what a tool prints: the columns of its table and the members of its JSON, with types.

Such a list follows a comment line `.\\" fields: NAME`. An item names the column in capitals, then the member, one of
which may be missing; the first words of its text are the type, up to a colon.
"""

import re

KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "null": type(None)}


class Field:
    """One item of such a list."""

    def __init__(self, item, text):
        names = item.split(" , ")
        columns = [name for name in names if name.isupper()]
        keys = [name for name in names if not name.isupper()]
        assert len(columns) <= 1 and len(keys) <= 1, item
        self.column = columns[0] if columns else None
        self.key = keys[0] if keys else None
        words, colon, _ = text.partition(":")
        assert colon or self.key is None, "%s has no type" % item
        self.may_be_absent = words.endswith(", may be absent")
        self.types = [word.strip() for word in re.split(r",? or ", words.replace(", may be absent", ""))]

    def admits(self, value):
        """Whether a value is of one of the types."""
        return any(self._is(value, kind) for kind in self.types)

    @staticmethod
    def _is(value, kind):
        if kind.startswith("array of "):
            member = kind[len("array of "):].rstrip("s")
            return isinstance(value, list) and all(isinstance(one, KINDS[member]) for one in value)
        # To Python a boolean is an integer.
        return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def described_fields(page):
    """The lists of a page by name."""
    lists = {}
    for name, body in re.findall(r'^\.\\" fields: (\S+)\n\.Bl [^\n]*\n(.*?)^\.El$', page.read_text(), re.M | re.S):
        assert name not in lists, "there are two lists of " + name
        items = re.split(r"^\.It Li (.*)\n", body, flags=re.M)[1:]
        lists[name] = [Field(item, text) for item, text in zip(items[::2], items[1::2])]
    return lists
