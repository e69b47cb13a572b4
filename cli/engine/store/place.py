"""The state of one environment: where it is, and its current bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cli.engine import environ
from cli.engine.failures import StackMissing
from cli.engine.store import sealed
from cli.engine.store.bucket import Bucket, Folder, open_bucket
from cli.engine.store.checkpoint import Checkpoint, examine
from cli.engine.store.layout import META, META_VERSION, STACKS, Stack, taken
from cli.engine.store.verify import Problem
from cli.errors import UsageError

_CHECKPOINT = ".checkpoint.json"


@dataclass(frozen=True)
class Place:
    """One environment's state in a self-managed backend."""

    root: Path
    environment: str
    variables: Mapping[str, str]
    bucket: Bucket
    stack: Stack

    def ready(self) -> bool:
        """Makes the folder, which the engine wants to be there; a bucket has to be."""
        if isinstance(self.bucket, Folder):
            self.bucket.root.mkdir(parents=True, exist_ok=True)
        return True

    def current(self) -> str | None:
        """The key of the state that the engine reads: of all variants the one that was written last."""
        found = [entry for entry in self.bucket.find(self.stack.state) if entry.key in self.stack.states]
        return max(found, key=lambda entry: entry.modified).key if found else None

    def examine(self, data: bytes, *, secrets: bool = True) -> Checkpoint:
        """All that is wrong with some bytes as this environment's state, closed secrets included."""
        found = examine(data, self.stack)
        if not secrets or not found.whole:
            return found
        problems = sealed.problems(found.deployment, self.root, self.variables)
        return replace(found, problems=(*found.problems, *problems))

    def read_current(self) -> tuple[str, bytes]:
        """Key and bytes of the current state. Raises StackMissing when there is none."""
        key = self.current()
        data = self.bucket.read(key) if key else None
        if key is None or data is None:
            raise StackMissing(
                f"there is no state of {self.environment}",
                why=f"{self.bucket.url.partition('?')[0]} has no {self.stack.state}",
                next=f"turnout state list {self.environment}",
            )
        return key, data

    def history(self, limit: int) -> Iterator[Mapping[str, Any]]:
        """The deployments after the last runs, at most `limit`, newest first; one that cannot be read is empty."""
        keys = [entry.key for entry in self.bucket.find(self.stack.history) if _CHECKPOINT in entry.key]
        for key in sorted(keys, key=taken, reverse=True)[:limit]:
            if data := self.bucket.read(key):
                yield self.examine(data, secrets=False).deployment

    def surroundings(self, key: str | None) -> list[Problem]:
        """What is wrong with the backend around the state: its layout's version, a damaged sidecar."""
        problems = list(_layout_problems(self.bucket))
        if key and isinstance(self.bucket, Folder):
            problems += self.bucket.sidecar_problems(key)
        return problems


def of(root: Path, environment: str, variables: Mapping[str, str], url: str = "") -> Place:
    """An environment's state, in the backend that is chosen or in another one.

    Raises UsageError for a backend whose files only its service reaches.
    """
    url = url or environ.backend(root, dict(variables))
    bucket = open_bucket(url, variables)
    if bucket is None:
        raise UsageError(
            f"the state of {environment} is kept by a service ({url.partition('?')[0]}), which keeps its own backups",
            next=f"pulumi stack history --stack {environment}, pulumi stack export --version N",
        )
    return Place(root, environment, variables, bucket, Stack(environ.project_name(root), environment))


def self_managed(root: Path, environment: str, variables: Mapping[str, str]) -> Place | None:
    """As `of`, but None for a backend whose files only its service reaches."""
    try:
        return of(root, environment, variables)
    except UsageError:
        return None


def _layout_problems(bucket: Bucket) -> list[Problem]:
    meta = bucket.read(META)
    if meta is None:
        old = [found for found in bucket.find(STACKS) if found.key.count("/") == STACKS.count("/")]
        text = "the backend has the layout of old engines, which this one refuses: pulumi state upgrade"
        return [Problem("file", text)] if old else []
    version = meta.decode(errors="replace").partition("version:")[2].strip()
    if version == str(META_VERSION):
        return []
    return [
        Problem("file", f"the backend's {META} is of version {version or 'none'}, this engine knows {META_VERSION}")
    ]
