"""The operations that an earlier run was cut off in: read from the state's own file, without starting the engine."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.engine import failures
from cli.engine.locks import age

JSON = dict[str, Any]

_GZIP = b"\x1f\x8b"
_KEY = b'"pending_operations"'
_SHOWN = 10


@dataclass(frozen=True)
class Pending:
    """One operation under way when the run ended. `since`: the last write of the state (RFC 3339), at most moments
    before. `place` names a Kubernetes object as `[namespace/]name`, anything else by its name in the program."""

    operation: str
    urn: str
    type: str
    place: str
    since: str

    @property
    def kind(self) -> str:
        return self.type.rsplit(":", 1)[-1]

    def line(self, now: datetime | None = None) -> str:
        """`creating Deployment dev/api-a, 3 min ago`"""
        return f"{self.operation} {self.kind} {self.place}, {age(self.since, now or datetime.now(UTC))} ago"

    def to_json(self) -> dict[str, str]:
        return {
            "operation": self.operation,
            "kind": self.kind,
            "object": self.place,
            "urn": self.urn,
            "since": self.since,
        }


def of_state(root: Path, environment: str, variables: dict[str, str]) -> list[Pending] | None:
    """The pending operations of an environment; None where only the engine reads its state.

    Raises StateUnreadable for a file that is seen not to be whole; only the engine looks at all of it.
    """
    from cli.engine.store import place as places

    where = places.self_managed(root, environment, variables)
    key = where.current() if where else None
    if where is None or (key and key.endswith(".zst")):
        return None
    return of_text(_unpacked(where.bucket.read(key) or b""), environment) if key else []


def of_text(text: bytes, environment: str) -> list[Pending]:
    """The pending operations in a checkpoint file's bytes. Quick where there are none, however large the file."""
    if not text.rstrip().endswith(b"}"):
        raise _unreadable(environment, "its file ends in the middle")
    if _KEY not in text:
        return []
    try:
        return of_deployment(json.loads(text)["checkpoint"].get("latest") or {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(environment, f"{type(error).__name__}: {error}") from error


def of_deployment(deployment: Mapping[str, Any]) -> list[Pending]:
    """The pending operations in a deployment, as a checkpoint or an export holds it."""
    since = (deployment.get("manifest") or {}).get("time", "")
    return [_pending(entry, since) for entry in deployment.get("pending_operations") or []]


def error(environment: str, found: Sequence[Pending]) -> failures.PendingOperations:
    """What stops a command that would change something."""
    lines = [entry.line() for entry in found[:_SHOWN]]
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return failures.PendingOperations(
        f"an earlier run on {environment} was cut off in the middle of {count(found)}",
        why="\n     ".join([*lines, *more]),
        next=f"turnout repair {environment}   (reads back what really happened)",
    )


def warning(environment: str, found: Sequence[Pending]) -> str:
    """The line for a command that changes nothing."""
    return f"an earlier run was cut off in the middle of {count(found)}: turnout repair {environment}"


def count(found: Sequence[Pending]) -> str:
    """`1 operation`, `2 operations`"""
    return f"{len(found)} operation{'s' if len(found) != 1 else ''}"


def place(resource: Mapping[str, Any]) -> str:
    """`[namespace/]name` of a Kubernetes object by its inputs, else the resource's name in the program."""
    metadata = (resource.get("inputs") or {}).get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("name"), str):
        return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
    return str(resource["urn"]).rsplit("::", 1)[-1]


def _pending(entry: JSON, since: str) -> Pending:
    resource = entry["resource"]
    return Pending(entry["type"], resource["urn"], resource["type"], place(resource), since)


def _unpacked(data: bytes) -> bytes:
    try:
        return gzip.decompress(data) if data.startswith(_GZIP) else data
    except (OSError, EOFError, zlib.error):
        return b""


def _unreadable(environment: str, why: str) -> failures.StateUnreadable:
    return failures.StateUnreadable(
        f"the state of {environment} is damaged", why=why, next=f"turnout repair {environment}"
    )
