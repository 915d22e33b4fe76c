"""File names: what a path in a string may go on with."""

from __future__ import annotations

import itertools
import os
from typing import Optional

__all__ = ["names", "split"]

#: How many entries of one folder are looked at.
MAXIMUM_ENTRIES = 1 << 14


def split(text: str) -> Optional[tuple[str, str]]:
    """A path so far as its folder, with the slash, and the name that follows; None for what looks like no path."""
    if not ("/" in text or text.startswith((".", "~"))) or "\0" in text or "\n" in text:
        return None
    # An address of something else, and the beginning of a closing tag or a comment.
    if "://" in text or text.startswith(("<", "//")):
        return None
    folder, slash, name = text.rpartition("/")
    return folder + slash, name


def names(folder: str, prefix: str) -> list[str]:
    """The names in a folder that begin with a prefix; those of folders end with a slash.

    Hidden ones only for a prefix that begins with a dot. No file is opened.
    """
    if not folder and prefix.startswith("~"):
        return ["~/"] if prefix == "~" else []
    if folder.startswith("~/"):
        home = os.environ.get("HOME")
        if not home:
            return []
        folder = home + folder[1:]
    elif folder.startswith("~"):
        # Whose home that is may have to be asked from a server far away.
        return []
    found = [each for each in ("./", "../") if prefix in (".", "..") and each.startswith(prefix)]
    try:
        with os.scandir(folder or ".") as scan:
            for entry in itertools.islice(scan, MAXIMUM_ENTRIES):
                name = entry.name
                if name.startswith(prefix) and (prefix or not name.startswith(".")) and name.isprintable():
                    found.append(name + "/" if _is_folder(entry) else name)
    except (OSError, ValueError):
        pass
    return found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
