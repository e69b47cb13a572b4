"""When a gateway has taken up what a rollout wrote: weights and endpoints reach it apart, and each a little late.

So a backend is known to the gateway before it gets weight, and keeps its pods until its weight is known to be gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from cli.errors import TurnoutError
from cli.rollout.control import Manifest
from cli.rollout.moves import ROUTE, nothing
from cli.rollout.step import Copies, Target

if TYPE_CHECKING:
    from cli.kube.client import Kube

PAUSE: Final = 3.0
"""Seconds between a gateway's word that it took a route and the last proxy that goes by it; Traefik needs two."""
TIMEOUT: Final = 60.0
_OWNER: Final = "kubernetes.io/service-name"
_LOOK_AGAIN: Final = 0.2


def until_taken(
    kube: Kube,
    environment: str,
    services: Sequence[str],
    *,
    timeout: float = TIMEOUT,
    pause: float = PAUSE,
    check: Callable[[], None] = nothing,
) -> None:
    """Wait until the gateways go by the services' routes as they are now. Raises TurnoutError after `timeout`."""

    def problems() -> list[str]:
        return untaken(kube.list(ROUTE, "HTTPRoute", environment), services)

    _until_none(problems, "a gateway does not take up a route", environment, timeout, check)
    time.sleep(pause)


def until_backed(
    kube: Kube,
    environment: str,
    backends: Sequence[str],
    *,
    timeout: float = TIMEOUT,
    pause: float = PAUSE,
    check: Callable[[], None] = nothing,
) -> None:
    """Wait until the gateways know a ready pod of each of these Services. Raises TurnoutError after `timeout`."""

    def problems() -> list[str]:
        return unbacked(kube.list("discovery.k8s.io/v1", "EndpointSlice", environment), backends)

    _until_none(problems, "a route's backend has no endpoints", environment, timeout, check)
    time.sleep(pause)


def backends(weighted: Iterable[Target], weights: Mapping[str, Copies], ready: Collection[str]) -> list[str]:
    """The tracks' own Services that must have endpoints before they get these weights.

    The first weights send the old track's requests by its own Service too, which was made a moment ago; an old track
    without a `ready` pod has nothing to lose.
    """
    sharing = [(target, letter) for target in weighted for letter, each in weights[target.service].items() if each]
    rows = [(letter == target.new, f"{target.service}-{letter}") for target, letter in sharing]
    return [name for new, name in rows if new or name in ready]


def untaken(routes: Iterable[Manifest], services: Sequence[str]) -> list[str]:
    """Why the services' routes are not in force as they are written; empty: they are."""
    found = {route["metadata"]["name"]: route for route in routes}
    reasons = ((name, _untaken(found.get(name))) for name in services)
    return [f"HTTPRoute {name}: {reason}" for name, reason in reasons if reason]


def unbacked(slices: Iterable[Manifest], backends: Sequence[str]) -> list[str]:
    """The Services without a ready pod behind them."""
    backed = {(each["metadata"].get("labels") or {}).get(_OWNER) for each in slices if _has_ready(each)}
    return [f"Service {name}: no pod is ready behind it" for name in backends if name not in backed]


def _untaken(route: Manifest | None) -> str:
    if route is None:
        return "is not there"
    parents = (route.get("status") or {}).get("parents") or []
    if not parents:
        return "no gateway has answered it"
    generation = route["metadata"].get("generation", 0)
    reasons = (_refused(entry, generation) for parent in parents for entry in parent.get("conditions") or [])
    return next(filter(None, reasons), "")


def _refused(condition: Manifest, generation: int) -> str:
    if condition["type"] not in ("Accepted", "ResolvedRefs"):
        return ""
    if condition["status"] != "True":
        return f"{condition['reason']}: {condition.get('message', '')}".removesuffix(": ")
    return "" if condition.get("observedGeneration", 0) >= generation else "its gateway has not seen it yet"


def _has_ready(made: Manifest) -> bool:
    return any((each.get("conditions") or {}).get("ready") is not False for each in made.get("endpoints") or [])


def _until_none(
    problems: Callable[[], list[str]], what: str, environment: str, timeout: float, check: Callable[[], None]
) -> None:
    until = time.monotonic() + timeout
    while found := problems():
        check()
        if time.monotonic() > until:
            raise TurnoutError(
                what, why="; ".join(found), next=f"kubectl -n {environment} get httproutes,endpointslices"
            )
        time.sleep(_LOOK_AGAIN)
