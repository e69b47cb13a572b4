"""What a preview was asked for, and the plans that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.engine.model import Mode
from cli.errors import Interrupted, TurnoutError
from cli.review import scope
from cli.review.planned import Planned, failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cli.progress import Progress


@dataclass(frozen=True)
class Asked:
    """Environments by name or `every` one; `mode` None: what the rest implies; `base`, `head`: commits of git."""

    environments: tuple[str, ...] = ()
    every: bool = False
    mode: Mode | None = None
    base: str = ""
    head: str = ""
    targets: tuple[str, ...] = ()


def plans(root: Path, asked: Asked, progress: Progress) -> Iterator[Planned]:
    """A plan for each environment, as each is there. Raises UsageError for what does not go together."""
    mode = scope.mode(asked.mode, base=asked.base, head=asked.head, targets=asked.targets)
    if mode is Mode.HERMETIC:
        return _hermetic(root, asked, progress)
    names = scope.environments(root, asked.environments, every=asked.every)
    return (_by_engine(root, name, mode, asked.targets, progress) for name in names)


def _by_engine(root: Path, environment: str, mode: Mode, targets: Sequence[str], progress: Progress) -> Planned:
    """The program of one runs in this process, so they come one after the other; one that fails has its reason."""
    from cli.engine.programs import is_hermetic
    from cli.review import live, state

    plan = state.plan if mode is Mode.STATE else live.plan
    try:
        found = plan(root, environment, targets, progress)
        return Planned(found, settings=scope.settings(root, environment), policed=is_hermetic(root))
    except Interrupted:
        raise
    except TurnoutError as error:
        return failed(environment, mode, error)


def _hermetic(root: Path, asked: Asked, progress: Progress) -> Iterator[Planned]:
    """Without a base, what the working tree changes."""
    from cli.review import hermetic

    sides = hermetic.between(root, asked.base or "HEAD", asked.head)
    names = hermetic.environments(sides, asked.environments, every=asked.every)
    return hermetic.plans(sides, names, progress)
