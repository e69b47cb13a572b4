"""Reads where an environment stands: a few requests side by side, whatever its size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.kube.errors import Forbidden, NotFound, UnknownKind
from cli.rollout import approvals, cursor, lock, moves, opened, pins, standing, status, where
from cli.rollout.control import Manifest, moment
from cli.rollout.live import at_once
from cli.rollout.standing import Standing
from components.names import APP, COMPONENT, ENVIRONMENT

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.rollout.freeze import Window
    from cli.rollout.opened import Rollout
    from cli.rollout.status import WorkloadStatus
    from components.rollout.settings import FreezeSettings


def read(kube: Kube, environment: str, *, component: str = "", freezes: Sequence[FreezeSettings] = ()) -> Standing:
    """As of now. `component` narrows the workloads; the services are the app's in any case."""
    reads: list[Callable[[], Any]] = [
        lambda: status.read(kube, environment, component=component),
        lambda: _listed(kube, environment, "v1", "Service"),
        lambda: _listed(kube, environment, moves.ROUTE, "HTTPRoute"),
        lambda: cursor.read(kube, environment),
        lambda: opened.read(kube, environment),
        lambda: pins.read(kube, environment),
    ]
    seen, entries, routes, places, rollout, pinned = at_once(_now, reads)
    copies = [_dated(one) for one in seen.workloads if one.component == APP and one.namespace == environment]
    names = {one.name for one in copies}
    return Standing(
        seen,
        standing.services(copies, places, _selected(entries, names), _weights(routes, names)),
        rollout,
        pinned.pins,
        _frozen(freezes),
        _approved(kube, environment, rollout),
        dead=seen.holder is not None and lock.dead(kube, environment),
    )


def freezes(environment: str) -> tuple[FreezeSettings, ...]:
    """Those of the checkout that we are in; none where it has none, or where its settings cannot be read."""
    from cli.rollout import freezing

    with suppress(Exception):  # a program that does not import must not hide what goes on
        return freezing.of(where.checkout(environment), environment)
    return ()


def _dated(one: WorkloadStatus) -> WorkloadStatus:
    """Without a time to stay warm that is over: of an earlier rollout, or the next command cools it."""
    over = one.warm_until and moment(one.warm_until) <= datetime.now(UTC)
    return replace(one, warm_until="") if over else one


def _approved(kube: Kube, environment: str, rollout: Rollout | None) -> str:
    """Who approved the rollout that is open, where it asks for that."""
    if rollout is None or not rollout.open or not any(step.does == "approve" for step in rollout.course):
        return ""
    given = approvals.granted(kube, environment, rollout.id, rollout.starter)
    return given.by if given else ""


def _frozen(freezes: Sequence[FreezeSettings]) -> Window | None:
    if not freezes:
        return None
    from cli.rollout.freeze import frozen

    return frozen(freezes, datetime.now(UTC))


def _now(read: Callable[[], Any]) -> Any:
    return read()


def _listed(kube: Kube, environment: str, api_version: str, kind: str) -> list[Manifest]:
    """Nothing where the cluster has no such kind, or we may not see it: the screen then goes by what it knows."""
    try:
        return kube.list(api_version, kind, environment, labels=f"{ENVIRONMENT}={environment},{COMPONENT}={APP}")
    except (NotFound, UnknownKind, Forbidden):
        return []


def _selected(entries: Iterable[Manifest], names: Iterable[str]) -> dict[str, str]:
    """Service → the letter that its entry selects; empty for all of its pods."""
    known = set(names)
    chosen = {entry["metadata"]["name"]: moves.selected(entry) for entry in entries}
    return {name: "" if letter == "both" else letter for name, letter in chosen.items() if name in known}


def _weights(routes: Iterable[Manifest], names: Iterable[str]) -> dict[str, Mapping[str, int]]:
    """Service → letter → weight, of those that have a route with both tracks behind it."""
    known = set(names)
    found: dict[str, Mapping[str, int]] = {}
    for route in routes:
        name = route["metadata"]["name"]
        by_letter = {str(letter): weight for letter, weight in moves.weights(route, name).items()}
        if name in known and any(by_letter.values()):
            found[name] = by_letter
    return found
