"""Inference: what is worked out from sources, where looking at what is there gives nothing."""

from __future__ import annotations

from typing import Any

__all__: list[str] = []


def candidates(source: str, cursor: int, start: int, namespace: dict[str, Any]) -> list[Any]:
    """None yet."""
    return []
