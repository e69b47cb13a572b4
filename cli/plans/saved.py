"""A saved plan as data: what an apply would do, and the world that this was true in.

It holds no secret: changes have placeholders, and every digest is over what is encrypted already or anybody may read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA: Final = 1
KIND: Final = "turnout/plan"

ABSENT: Final = "not there"
"""What stands for a live object that does not exist."""

Digest = str


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class State(_Part):
    """The deployment in the state store. `written`: the engine's own stamp of the last write; empty before any."""

    digest: Digest
    written: str = ""
    resources: int = 0

    def __str__(self) -> str:
        return f"{self.resources} resources, written {self.written or 'never'} ({self.digest[:12]})"


class World(_Part):
    """All that a plan is bound to, as it was when the plan was made.

    `files`: digests of the project's files that make an environment; `cluster`: its server and the UID of namespace
    kube-system; `tracks`: by service, where they stand; `pins`: by key. Empty `commit`: outside git.
    """

    commit: str
    clean: bool
    files: Mapping[str, Digest]
    state: State
    server: str
    cluster: str
    tracks: Mapping[str, str]
    pins: Mapping[str, str]
    engine: str
    provider: str
    turnout: str


class Saved(_Part):
    """The content of a plan's file. Times are the API server's, in UTC (RFC 3339).

    `by`: the name that the API server knows the maker under; `on`: `user@host`. `objects`: by URN, what stands for the
    live object that a change is of.
    """

    kind: Literal["turnout/plan"] = KIND
    schema_: Literal[1] = Field(default=SCHEMA, alias="schema")
    environment: str
    by: str
    on: str
    made: str
    expires: str
    targets: tuple[str, ...] = Field(default=(), strict=False)
    world: World
    counts: Mapping[str, int] = Field(default_factory=dict)
    changes: tuple[Mapping[str, Any], ...] = Field(default=(), strict=False)
    objects: Mapping[str, str] = Field(default_factory=dict)
    review: Mapping[str, Any] = Field(default_factory=dict)
    """How the plan was judged, for whoever reads the file; nothing of it is compared."""

    def document(self) -> dict[str, Any]:
        """As it stands in the file, with its digest."""
        content = self.model_dump(mode="json", by_alias=True)
        return {"digest": digest(content), **content}

    @property
    def digest(self) -> Digest:
        """Names this plan and no other: what an approval can be bound to."""
        return digest(self.model_dump(mode="json", by_alias=True))

    def over(self, now: datetime) -> bool:
        return now >= datetime.fromisoformat(self.expires)


def digest(content: Any) -> Digest:
    """SHA-256 over the one canonical JSON of some data."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
