"""How many copies the serving track of a service with two tracks has, where the settings now say another number.

Its counts are the rollout's, so that no apply of the program changes them; outside a rollout `turnout up` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cli.engine.model import Change, FieldChange, Operation
from cli.rollout import cursor, moves, opened, targets
from cli.rollout.control import Manifest
from cli.rollout.cursor import Cursor
from components.names import ENVIRONMENT
from components.tracks import COUNTED, Letter, in_spec

if TYPE_CHECKING:
    from cli.engine.model import Outcome, Plan
    from cli.kube.client import Kube
    from cli.rollout.lock import Held
    from components.app.settings import AppSettings, ServiceSettings


_API: Final = {"Deployment": "apps/v1", "HorizontalPodAutoscaler": "autoscaling/v2"}

Told = TypeVar("Told", "Plan", "Outcome")


@dataclass(frozen=True)
class Count:
    """Copies that differ: one number of the Deployment, or two, the bounds of its autoscaler."""

    service: str
    letter: Letter
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def kind(self) -> str:
        return "Deployment" if len(self.after) == 1 else "HorizontalPodAutoscaler"

    @property
    def name(self) -> str:
        return f"{self.service}-{self.letter}"

    @property
    def fields(self) -> tuple[FieldChange, ...]:
        """Those that differ, as the engine would tell them."""
        rows = zip(COUNTED[self.kind], self.before, self.after, strict=True)
        return tuple(FieldChange(*row) for row in rows if row[1] != row[2])


def look(kube: Kube, environment: str, app: AppSettings) -> list[Count]:
    """What differs now; nothing while a rollout is open, because it alone then counts."""
    at = cursor.read(kube, environment)
    if not at.places or opened.under_way(kube, environment):
        return []
    scalers = kube.list("autoscaling/v2", "HorizontalPodAutoscaler", environment, labels=f"{ENVIRONMENT}={environment}")
    return list(differences(app, at, targets.deployments(kube, environment), scalers))


def differences(
    app: AppSettings, at: Cursor, deployments: Iterable[Manifest], scalers: Iterable[Manifest]
) -> Iterator[Count]:
    """One for each serving track whose numbers are not the settings'."""
    copies = {row["metadata"]["name"]: row for row in deployments}
    bounds = {row["metadata"]["name"]: row for row in scalers}
    for service, place in sorted(at.places.items()):
        name, part = f"{service}-{place.serving}", app.services.get(service)
        if part is not None and name in copies:
            yield from _of(service, place.serving, part, copies[name], bounds.get(name))


def told(plan: Told, found: Iterable[Count]) -> Told:
    """With the copies among what changes: the engine leaves them alone, and whoever reads a plan must not miss them.

    Of an object that the engine changes too, they are fields more.
    """
    for count in found:
        plan = _told(plan, count)
    return plan


def change(kube: Kube, environment: str, held: Held, found: Iterable[Count]) -> None:
    """Have the numbers of the settings."""
    for one in found:
        act = moves.scale if one.kind == "Deployment" else moves.bounds
        act(kube, environment, one.service, one.letter, *one.after, **held.guarded)


def _of(
    service: str, letter: Letter, part: ServiceSettings, live: Manifest, scaler: Manifest | None
) -> Iterator[Count]:
    now = live["spec"].get("replicas", 1)
    if part.autoscale is None:
        if now != part.replicas:
            yield Count(service, letter, (now,), (part.replicas,))
        return
    wanted = (part.autoscale.minimum, part.autoscale.maximum)
    if not now:
        yield Count(service, letter, (0,), wanted[:1])
    if scaler is not None and (bounds := _bounds(scaler["spec"])) != wanted:
        yield Count(service, letter, bounds, wanted)


def _bounds(spec: Mapping[str, Any]) -> tuple[int, int]:
    return spec.get("minReplicas", 1), spec["maxReplicas"]


def _told(plan: Told, count: Count) -> Told:
    known = next((row for row in (*plan.changes, *plan.still) if _is_of(row, plan.environment, count)), None)
    made = _with(known or _unknown(plan.environment, count), count)
    if known is not None and known.operation is not Operation.SAME:
        return replace(plan, changes=tuple(made if row is known else row for row in plan.changes))
    tally = Counter(plan.counts)
    tally.update({Operation.UPDATE.value: 1, Operation.SAME.value: -1 if known else 0})
    still = tuple(row for row in plan.still if row is not known)
    return replace(plan, changes=(*plan.changes, made), still=still, counts=dict(sorted((+tally).items())))


def _is_of(row: Change, environment: str, count: Count) -> bool:
    metadata = (row.after or row.before).get("metadata") or {}
    return row.kind == count.kind and (metadata.get("namespace"), metadata.get("name")) == (environment, count.name)


def _with(row: Change, count: Count) -> Change:
    added = count.fields
    others = (field for field in row.fields if field.path not in {one.path for one in added})
    return replace(
        row,
        operation=Operation.UPDATE if row.operation is Operation.SAME else row.operation,
        fields=tuple(sorted((*others, *added), key=lambda field: field.path)),
        before=_counting(row.before, count, count.before),
        after=_counting(row.after, count, count.after),
    )


def _counting(inputs: dict[str, Any], count: Count, numbers: tuple[int, ...]) -> dict[str, Any]:
    """Inputs with these numbers; of an object that is not there, none."""
    named = dict(zip(in_spec(COUNTED[count.kind]), numbers, strict=True))
    return {**inputs, "spec": {**inputs.get("spec", {}), **named}} if inputs else inputs


def _unknown(environment: str, count: Count) -> Change:
    """Of a track that the cluster has and the program does not speak of."""
    kind, name = f"kubernetes:{_API[count.kind]}:{count.kind}", f"{environment}/{count.name}"
    metadata = {"name": count.name, "namespace": environment}
    there: dict[str, Any] = {"apiVersion": _API[count.kind], "kind": count.kind, "metadata": metadata}
    urn = f"urn:pulumi:{environment}::turnout::{kind}::{name}"
    return Change(urn, kind, name, Operation.UPDATE, f"app/{count.service}", before=there, after=there)
