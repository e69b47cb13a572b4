"""The state by the engine alone, for a backend whose files only its service reaches (Pulumi Cloud), and to have the
engine itself say what it reads in a place."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.engine import binary, environ, failures
from cli.engine.process import Running
from cli.engine.store import sealed
from cli.engine.store.checkpoint import Checkpoint
from cli.engine.store.place import Place
from cli.progress import Progress

PASSPHRASE = ("--secrets-provider", "passphrase")


class Elsewhere:
    """One environment in a backend that is not, or not yet, the project's."""

    def __init__(
        self, root: Path, environment: str, url: str, variables: Mapping[str, str], progress: Progress
    ) -> None:
        self._root, self._environment, self._progress = root, environment, progress
        self._variables = environ.variables(root, {**variables, environ.BACKEND: url})

    def export(self) -> dict[str, Any]:
        """The deployment as the engine reads it there. Raises what stands in its way."""
        found: dict[str, Any] = json.loads(self._ask("stack", "export"))["deployment"]
        return found

    def exists(self) -> bool:
        try:
            self._ask("stack", "output", "--json")
        except failures.StackMissing:
            return False
        return True

    def take(self, found: Checkpoint, tags: Mapping[str, str]) -> None:
        """Make the environment there with a deployment and its tags. Its history starts anew: a service takes none."""
        if not self.exists():
            self._ask("stack", "init", "--no-select", *PASSPHRASE)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"version": found.version, "features": found.features, "deployment": found.deployment}, file)
            file.flush()
            self._ask("stack", "import", "--file", file.name)
        for name, value in tags.items():
            self._ask("stack", "tag", "set", name, value)

    def _ask(self, *words: str) -> str:
        command = [str(binary.find(self._progress).path), *words, "--stack", self._environment, "--non-interactive"]
        with Running(command, cwd=self._root, env=self._variables) as running:
            finished = running.wait()
        if finished.code != 0:
            text = finished.err + finished.out
            raise failures.classify(text, self._environment) or failures.unknown(text, self._environment)
        return finished.out


def arrive(source: Place, target: Elsewhere, *, copied: bool) -> None:
    """Have the engine read an environment in its new place; one that could not be copied is brought there first.

    A service gets the state with salt and secrets, and the tags. Raises StateUnreadable when it is not the same there.
    """
    _, data = source.read_current()
    found = source.examine(data)
    if not copied:
        _bring(source, found, target)
    if not _same(source, target.export(), found.deployment):
        raise failures.StateUnreadable(
            f"the engine reads another state of {source.environment} in the new place: the project stays where it is",
            next="the same command again; what is there already does no harm",
        )


def _bring(source: Place, found: Checkpoint, target: Elsewhere) -> None:
    there = target.export() if target.exists() else {}
    if _same(source, there, found.deployment):
        return
    if there.get("resources"):
        raise failures.StateUnreadable(
            f"the service already holds another state of {source.environment}: nothing was moved",
            next="name another organisation or project there",
        )
    target.take(found, tags(source))


def _same(source: Place, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two deployments hold the same. An import seals each secret anew: their plain text counts."""
    if (one.get("pending_operations") or None) != (other.get("pending_operations") or None):
        return False
    first, second = (sealed.opened(deployment, source.root, source.variables) for deployment in (one, other))
    return bool(first == second)


def tags(source: Place) -> dict[str, str]:
    """The stack's tags, the engine's own ones left out."""
    found: Sequence[tuple[str, str]] = (
        json.loads(source.bucket.read(source.stack.tags) or b"{}").get("tags", {}).items()
    )
    return {name: value for name, value in found if not name.startswith("pulumi:")}
