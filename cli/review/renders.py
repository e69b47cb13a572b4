"""Renders of two commits side by side: one child process each, every environment in it. No cluster, no network."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from cli.engine.graph import ResourceGraph
from cli.errors import Interrupted, TurnoutError, UsageError
from cli.paths import VARIABLES
from cli.review import wire
from cli.review.checkout import Tree

PASSED_ON: Final = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", *VARIABLES)
"""Of the caller's variables: a program that is only looked at needs no credentials."""


@dataclass(frozen=True)
class Rendered:
    """One environment at one commit. `graph` None: the commit has no such environment, or `error` says why not.

    `unrotated`: as it would be had no secret changed but for its encryption; None: none did.
    """

    graph: ResourceGraph | None = None
    unrotated: ResourceGraph | None = None
    said: tuple[tuple[str, str], ...] = ()
    error: TurnoutError | None = None


def both(base: Tree, head: Tree, environments: Sequence[str]) -> Iterator[tuple[str, Rendered, Rendered]]:
    """Each environment at the base and at the head, as soon as both are there."""
    key = secrets.token_hex(32)
    with Child(base, environments, key) as before, Child(head, environments, key, before=base) as after:
        yield from zip(environments, before.answers(), after.answers(), strict=True)


class Child:
    """A render under way in a process of its own, which ends with the block."""

    def __init__(self, tree: Tree, environments: Sequence[str], key: str, before: Tree | None = None) -> None:
        self._tree, self._environments = tree, environments
        asked = {"folder": str(tree.folder), "environments": list(environments), "key": key}
        self._asked = json.dumps(asked | ({"before": str(before.folder)} if before else {}))
        self._lines: SimpleQueue[str] = SimpleQueue()

    def __enter__(self) -> Child:
        self._said = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli.review.rendering"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=_variables(self._tree),
            text=True,
        )
        self._reader = threading.Thread(target=self._converse, name="render", daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._reader.join()
        self._process.wait()
        self._said.close()

    def answers(self) -> Iterator[Rendered]:
        """Each environment as soon as it is rendered. Raises TurnoutError when the process itself failed."""
        for name in self._environments:
            if not (line := self._lines.get()):
                raise self._failure()
            yield self._read(name, json.loads(line))

    def _converse(self) -> None:
        """An answer is longer than a pipe holds: whoever has not asked for it yet keeps nobody waiting."""
        assert self._process.stdin
        assert self._process.stdout
        with suppress(BrokenPipeError), self._process.stdin as asked:
            asked.write(self._asked)
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put("")

    def _read(self, environment: str, answer: Mapping[str, Any]) -> Rendered:
        if fault := answer.get("fault"):
            what = f"{environment} at {self._tree.label}: {fault.pop('what')}"
            return Rendered(error=TurnoutError(what, **fault))
        graph, unrotated = (wire.unpack(answer[name]) if name in answer else None for name in ("graph", "unrotated"))
        return Rendered(graph, unrotated, tuple((severity, text) for severity, text in answer.get("said", ())))

    def _failure(self) -> TurnoutError:
        if self._process.wait() in (-2, -15):
            return Interrupted("the preview was interrupted")
        self._said.seek(0)
        last = self._said.read().strip().rpartition("\n")[2]
        return UsageError(
            f"{self._tree.label} cannot be rendered by this turnout",
            why=last or f"the render ended with {self._process.returncode}",
            next="name a later commit: turnout preview --base COMMIT, or compare with the cluster: --mode live",
        )


def _variables(tree: Tree) -> dict[str, str]:
    home = Path(__file__).resolve().parents[2]
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    own = {} if tree.cached else {name: "1" for name in ("PYTHONDONTWRITEBYTECODE",) if os.environ.get(name)}
    return {**kept, **own, "PYTHONPATH": str(home), "PYTHONUTF8": "1"}
