"""A plan that is about to be applied: refused when anything of it has moved (StalePlan, exit 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import StalePlan, UsageError
from cli.plans import files, moved, objects, world
from cli.plans.moved import Moved
from cli.plans.saved import Saved
from cli.report import masking
from cli.review.model import Reviewed
from cli.rollout import debts, identity
from cli.rollout.control import moment

if TYPE_CHECKING:
    from cli.engine.model import Plan
    from cli.engine.run import Engine
    from cli.kube.client import Kube


@dataclass(frozen=True)
class Bound:
    """A plan that was read from a file, for the command that applies it."""

    saved: Saved
    file: Path

    @property
    def targets(self) -> list[str]:
        return list(self.saved.targets)

    def must_hold(self, engine: Engine, kube: Kube) -> None:
        """Raises StalePlan where the plan is too old, or anything that it is bound to is not as it was.

        A debt of a rollback is never settled for a plan: that would rewrite the state that it is bound to.
        """
        now = moment(identity.server_time(kube))
        if self.saved.over(now):
            raise self._stale([Moved("it expired", f"made {self.saved.made}", f"over since {self.saved.expires}")])
        if debt := debts.owed(kube, self.saved.environment):
            rollback = Moved(f"a rollback to release {debt.number}, which the state does not know of yet")
            raise self._stale([rollback], first=f"turnout repair {self.saved.environment}, then ")
        self._none(moved.in_world(self.saved.world, world.look(engine, kube)))

    def must_equal(self, kube: Kube, plan: Plan) -> None:
        """Raises StalePlan where an apply would do anything else now than the plan says."""
        found = moved.in_objects(self.saved.objects, objects.look(kube, plan))
        self._none([*found, *moved.in_changes(self.saved.changes, changes(plan))])

    def _none(self, found: Sequence[Moved]) -> None:
        if found:
            raise self._stale(found)

    def _stale(self, found: Sequence[Moved], first: str = "") -> StalePlan:
        environment = self.saved.environment
        return StalePlan(
            f"the plan {self.file} of {environment} no longer holds; nothing was touched",
            why="\n  ".join(["since it was made, this has moved:", *moved.lines(found)]),
            next=f"{first}turnout preview {environment} --save {self.file}, and have it reviewed again",
        )


def load(file: Path, environment: str) -> Bound:
    """The plan in a file. Raises StalePlan where it is not whole, or another environment's."""
    saved = files.read(file, environment)
    if saved.environment != environment:
        raise StalePlan(
            f"{file} is a plan of {saved.environment}, not of {environment}; nothing was touched",
            why=f"environment: {saved.environment} → {environment}",
            next=f"turnout up {saved.environment} --plan {file}, or turnout preview {environment} --save {file}",
        )
    return Bound(saved, file)


def must_be_whole(bound: Bound, command: str) -> None:
    """Raises UsageError for a plan of a few resources, where `command` moves all of them."""
    if bound.targets:
        raise UsageError(
            f"{bound.file} is a plan of {len(bound.targets)} resources alone",
            why=f"{command} moves everything that the settings describe",
            next=f"turnout preview {bound.saved.environment} --save {bound.file}",
        )


def changes(plan: Plan) -> tuple[dict[str, Any], ...]:
    """As they stand in a plan's file, free of secrets."""
    [review] = masking.masked([Reviewed(plan)])
    return tuple(change.to_json() for change in review.plan.changes)
