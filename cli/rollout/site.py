"""What a driver works with while it holds the environment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from cli.rollout import cursor, opened
from cli.rollout.live import at_once
from cli.rollout.opened import Rollout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cli.engine.model import Outcome, Plan
    from cli.kube.client import Kube
    from cli.progress import Progress
    from cli.rollout.lock import Held
    from components.tracks import Tracks
    from infra.settings import Settings

One = TypeVar("One")


class Engine(Protocol):
    """What a rollout asks of the engine (`cli.engine.run.Engine`)."""

    root: Path
    environment: str
    cursor: Mapping[str, Tracks] | None

    def preview(self) -> Plan: ...
    def up(self, *, message: str = "") -> Outcome: ...


@dataclass(frozen=True)
class Site:
    """The environment, the engine for it, and our claim on it."""

    kube: Kube
    engine: Engine
    held: Held
    progress: Progress
    settings: Settings

    @property
    def environment(self) -> str:
        return self.engine.environment

    def change(self, id: str, edit: Callable[[Rollout], Rollout]) -> Rollout:
        """Rewrite the open rollout, while we hold the environment."""
        return opened.change(self.kube, self.environment, id, edit, check=self.held.check)

    def point(self, edit: Callable[[cursor.Cursor], cursor.Cursor]) -> cursor.Cursor:
        """Rewrite the cursor, while we hold the environment."""
        return cursor.change(self.kube, self.environment, edit, check=self.held.check)

    def show_engine(self, held: Collection[str] = (), trying: Collection[str] = ()) -> None:
        """Tell the engine's program where the tracks are, and which parts of the app stay as they are."""
        self.engine.cursor = cursor.read(self.kube, self.environment).to_program(held, trying)

    def each(self, work: Callable[[One], object], items: Iterable[One]) -> None:
        """Do the same to many, several at once."""
        at_once(work, items)
