"""A trap, and the server versions that some depend on."""

from __future__ import annotations

import re
from dataclasses import dataclass

Version = tuple[int, int]
"""Of a Kubernetes API server: (1, 34)."""


@dataclass(frozen=True)
class Trap:
    """One trap. `name` is the same for the same trap everywhere; `where` is a settings key or an object."""

    name: str
    where: str
    why: str
    fix: str


def version(text: str) -> Version | None:
    """`v1.33.4-gke.1` is (1, 33); None for what is no version."""
    found = re.match(r"v?(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None
