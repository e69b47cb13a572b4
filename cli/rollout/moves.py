"""The patches by which a rollout moves traffic and copies. Each can be repeated, and carries what it was decided on.

Everything here is written under one field manager, which nothing else uses: the selector of a service's entry, the
replicas and autoscaler bounds of its tracks, the rules of its HTTPRoute. `fence` marks an object with the claim of the
lock under which it was moved: that changes its resourceVersion also where nothing else changes, so that a patch which
an old driver still has under way is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from cli.kube.errors import Conflict
from cli.rollout.control import Manifest
from components.tracks import TRACK_LABEL, Letter

if TYPE_CHECKING:
    from cli.kube.client import Kube

MANAGER: Final = "turnout-rollout"
FENCE: Final = "turnout.dev/claim"
ROUTE: Final = "gateway.networking.k8s.io/v1"

Chosen = Literal["a", "b", "both"]
Place = tuple[str, str, str]
"""apiVersion, kind, name."""

_ATTEMPTS = 20


def nothing() -> None:
    """Nobody has to be asked before a write."""


def select(
    kube: Kube,
    environment: str,
    service: str,
    track: Chosen,
    *,
    fence: str = "",
    check: Callable[[], None] = nothing,
) -> Manifest:
    """The service's entry sends new connections to that track, or to both. Returns the Service as it is then."""
    wanted = None if track == "both" else track
    place = ("v1", "Service", service)
    return _change(kube, environment, place, lambda _: {"spec": {"selector": {TRACK_LABEL: wanted}}}, fence, check)


def selected(entry: Manifest) -> Chosen:
    """Where an entry Service sends new connections."""
    found = (entry["spec"].get("selector") or {}).get(TRACK_LABEL)
    return found if found in ("a", "b") else "both"


def scale(
    kube: Kube,
    environment: str,
    service: str,
    letter: Letter,
    copies: int,
    *,
    fence: str = "",
    check: Callable[[], None] = nothing,
) -> Manifest:
    """The track has so many copies. Returns its Deployment as it is then."""
    place = ("apps/v1", "Deployment", f"{service}-{letter}")
    return _change(kube, environment, place, lambda _: {"spec": {"replicas": copies}}, fence, check)


def note(
    kube: Kube,
    environment: str,
    service: str,
    letter: Letter,
    notes: Mapping[str, str | None],
    *,
    fence: str = "",
    check: Callable[[], None] = nothing,
) -> Manifest:
    """The track's Deployment carries these annotations (None: no longer)."""
    place = ("apps/v1", "Deployment", f"{service}-{letter}")
    return _change(kube, environment, place, lambda _: {"metadata": {"annotations": dict(notes)}}, fence, check)


def bounds(
    kube: Kube,
    environment: str,
    service: str,
    letter: Letter,
    least: int,
    most: int,
    *,
    fence: str = "",
    check: Callable[[], None] = nothing,
) -> Manifest | None:
    """The track's autoscaler keeps between so many copies; None where it has no autoscaler."""
    place = ("autoscaling/v2", "HorizontalPodAutoscaler", f"{service}-{letter}")
    if kube.find(*place, environment) is None:
        return None
    body = {"spec": {"minReplicas": least, "maxReplicas": most}}
    return _change(kube, environment, place, lambda _: body, fence, check)


def weigh(
    kube: Kube,
    environment: str,
    service: str,
    weights: Mapping[Letter, int],
    *,
    fence: str = "",
    check: Callable[[], None] = nothing,
) -> Manifest:
    """The service's HTTPRoute sends shares of requests by these weights; a track that is not named gets none."""

    def body(live: Manifest) -> dict[str, Any]:
        return {"spec": {"rules": weighed(live, service, weights)}}

    return _change(kube, environment, (ROUTE, "HTTPRoute", service), body, fence, check)


def weighed(route: Manifest, service: str, wanted: Mapping[Letter, int]) -> list[dict[str, Any]]:
    """The rules of a route with both tracks behind them; ports, matches and filters stay as they are."""
    return [_weighed(rule, service, wanted) for rule in route["spec"]["rules"]]


def weights(route: Manifest, service: str) -> dict[Letter, int]:
    """The weights of both tracks in a service's HTTPRoute."""
    rows = [row for rule in route["spec"].get("rules") or [] for row in rule.get("backendRefs") or []]
    found: dict[Letter, int] = {"a": 0, "b": 0}
    for letter in found:
        found[letter] = next((row.get("weight", 1) for row in rows if row["name"] == f"{service}-{letter}"), 0)
    return found


def _weighed(rule: Mapping[str, Any], service: str, wanted: Mapping[Letter, int]) -> dict[str, Any]:
    pattern = next(iter(rule.get("backendRefs") or [{}]))
    tracks: tuple[Letter, Letter] = ("a", "b")
    rows = [{**pattern, "name": f"{service}-{letter}", "weight": wanted.get(letter, 0)} for letter in tracks]
    return {**rule, "backendRefs": rows}


def _change(
    kube: Kube,
    namespace: str,
    place: Place,
    body: Callable[[Manifest], dict[str, Any]],
    fence: str,
    check: Callable[[], None],
) -> Manifest:
    """Patch the object as it was read; where somebody else was faster it is read and looked at again."""
    for left in reversed(range(_ATTEMPTS)):
        live = kube.get(*place, namespace)
        patch = body(live)
        check()
        if _is_so(patch, live) and _fenced(live, fence):
            return live
        try:
            return kube.patch(*place, namespace, _guarded(patch, live, fence), MANAGER)
        except Conflict:
            if not left:
                raise
    raise AssertionError("the last attempt returns or raises")


def _guarded(patch: dict[str, Any], live: Manifest, fence: str) -> dict[str, Any]:
    notes = {**(patch.get("metadata") or {}).get("annotations", {}), **({FENCE: fence} if fence else {})}
    metadata = {"resourceVersion": live["metadata"]["resourceVersion"], **({"annotations": notes} if notes else {})}
    return {**patch, "metadata": metadata}


def _fenced(live: Manifest, fence: str) -> bool:
    return not fence or (live["metadata"].get("annotations") or {}).get(FENCE) == fence


def _is_so(patch: Any, live: Any) -> bool:
    """Whether a merge patch would change nothing."""
    if not isinstance(patch, Mapping):
        return bool(patch == live)
    return isinstance(live, Mapping) and all(_is_so(value, live.get(key)) for key, value in patch.items())
