"""Resolution: what a chain of names stands for, as far as that can be known without running anything."""

from __future__ import annotations

from typing import Any, Optional

from .attributes import UNKNOWN, Found, attribute, item, plain, top_level
from .cursor import Chain

__all__ = ["resolve"]


def resolve(chain: Chain, namespace: Any) -> Optional[Found]:
    """What a chain stands for: None if it stands for nothing that is there.

    The value is ``UNKNOWN`` from where on only running something could tell, such as a property or a call.
    """
    found = top_level(chain.name, namespace) if chain.name else plain(chain.literal)
    for mark, key in chain.steps:
        if found is None:
            return None
        if found.value is UNKNOWN or mark == "(":
            return Found(UNKNOWN, "instance", UNKNOWN)
        if mark == ".":
            found = attribute(found.value, key)
        else:
            found = item(found.value, key) if key is not None else Found(UNKNOWN, "instance", UNKNOWN)
    return found
