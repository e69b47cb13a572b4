"""Where a self-managed backend keeps things, as keys below its root: the same in a folder and in a bucket.

Source: pkg/backend/diy/{store,state,lock,stack_tags,meta}.go of pulumi/pulumi.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

META = ".pulumi/meta.yaml"
META_VERSION = 1
META_TEXT = f"version: {META_VERSION}\n".encode()
STACKS = ".pulumi/stacks/"
COMPRESSIONS = ("", ".gz", ".zst")

_STAMP = re.compile(r"[.-](\d{15,20})\.(?:history\.|checkpoint\.)?json")


@dataclass(frozen=True)
class Stack:
    """One environment of one project. A key that ends in `/` is a prefix."""

    project: str
    name: str

    @property
    def state(self) -> str:
        """The state without its compression's ending."""
        return f"{STACKS}{self.project}/{self.name}.json"

    @property
    def states(self) -> tuple[str, ...]:
        """Every key that the state can have; the one that was written last counts."""
        return tuple(self.state + ending for ending in COMPRESSIONS)

    @property
    def tags(self) -> str:
        return f"{STACKS}{self.project}/{self.name}.pulumi-tags"

    @property
    def backups(self) -> str:
        return f".pulumi/backups/{self.project}/{self.name}/"

    @property
    def history(self) -> str:
        return f".pulumi/history/{self.project}/{self.name}/"

    @property
    def locks(self) -> str:
        return f".pulumi/locks/{self.reference}/"

    @property
    def reference(self) -> str:
        """The stack's full name in a checkpoint."""
        return f"organization/{self.project}/{self.name}"

    def backup(self, nanoseconds: int, compression: str = "") -> str:
        """The key of a backup that is taken then."""
        return f"{self.backups}{self.name}.{nanoseconds}.json{compression}"


def compression(key: str) -> str:
    """`.gz`, `.zst` or nothing."""
    ending = PurePosixPath(key).suffix
    return ending if ending in COMPRESSIONS else ""


def taken(key: str) -> int:
    """When a backup or a history entry was made, by its name, in nanoseconds since 1970; 0 for another file."""
    found = _STAMP.search(PurePosixPath(key).name)
    return int(found[1]) if found else 0
