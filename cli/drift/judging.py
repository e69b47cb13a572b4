"""Which differences are drift, which only stand beside, and which are nobody's concern. Pure.

Drift: what was declared and is not so any more, and what was added to what runs (a container, a variable, a port, a
label of the pods or of a namespace). Beside: labels and annotations of the object itself, a restart by kubectl, what is
as declared but somebody else's by now, and what turnout itself applied since, from another state. Nothing: what a
rollout or an autoscaler moves, and what the cluster's own controllers add.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from cli.drift import managed, managers
from cli.drift.differing import Found
from cli.drift.managed import Path
from cli.drift.model import What
from cli.provider import paths


class Verdict(Enum):
    DRIFT = "drift"
    BESIDE = "beside"
    NOTHING = "nothing"


_RESTART: Final = "kubectl.kubernetes.io/restartedAt"
_MACHINE_MADE: Final = (
    *("deployment.kubernetes.io/", "deprecated.daemonset.template.generation", "kubectl.kubernetes.io/last-applied"),
    *("autoscaling.alpha.kubernetes.io/", "pv.kubernetes.io/", "volume.kubernetes.io/", "volume.beta.kubernetes.io/"),
    *("batch.kubernetes.io/", "control-plane.alpha.kubernetes.io/", "endpoints.kubernetes.io/", "turnout.dev/"),
    *("kubernetes.io/metadata.name", "pulumi.com/", "kubernetes.io/description"),
)
"""Annotations and labels that tools keep for themselves."""


def verdict(kind: str, found: Found, left_alone: tuple[str, ...], *, scaled: bool) -> Verdict:
    """`scaled`: an autoscaler counts the object's pods. `left_alone`: what others move after it was made."""
    if _is_anothers(found, left_alone, scaled=scaled):
        return Verdict.BESIDE if _by_a_stranger(found) and not scaled else Verdict.NOTHING
    if found.claims and all(claim.author.manager in managers.OURS for claim in found.claims):
        return Verdict.NOTHING
    if found.what is What.CHANGED and _by_turnout(found) and not found.secret:
        return Verdict.BESIDE
    if found.what is What.TAKEN:
        return Verdict.NOTHING if _by_controllers(found) else Verdict.BESIDE
    return _added(kind, found) if found.what is What.ADDED else Verdict.DRIFT


def _is_anothers(found: Found, left_alone: tuple[str, ...], *, scaled: bool) -> bool:
    own_way = any(_covers(pattern, found.path) for pattern in left_alone)
    return own_way or (found.path == ("spec", "replicas") and (scaled or _by_an_autoscaler(found)))


def _by_an_autoscaler(found: Found) -> bool:
    return any(claim.author.manager == "kube-controller-manager" and claim.rank[1] == "scale" for claim in found.claims)


def _by_a_stranger(found: Found) -> bool:
    """Whether somebody holds it who is neither turnout nor a part of the cluster."""
    return any(not claim.ours and not managers.is_controller(claim.author.manager) for claim in found.claims)


def _by_turnout(found: Found) -> bool:
    """Whether turnout itself applied it later than the state knows: from another state, or before an earlier one."""
    return bool(found.claims) and all(claim.own for claim in found.claims)


def _by_controllers(found: Found) -> bool:
    return bool(found.claims) and all(managers.is_controller(claim.author.manager) for claim in found.claims)


def _added(kind: str, found: Found) -> Verdict:
    last = found.path[-1]
    if last == _RESTART:
        return Verdict.BESIDE
    if _by_controllers(found) or (isinstance(last, str) and last.startswith(_MACHINE_MADE)):
        return Verdict.NOTHING
    if found.path[0] == "metadata" and not (kind == "Namespace" and found.path[:2] == ("metadata", "labels")):
        return Verdict.BESIDE
    return Verdict.DRIFT


def _covers(pattern: str, path: Path) -> bool:
    """Whether the path is at a Pulumi property path or below it; an item of a list fits any index."""
    wanted = paths.parse(pattern)
    if len(path) < len(wanted):
        return False
    return all(
        step == want or want == paths.ANY or (isinstance(want, int) and isinstance(step, managed.Item))
        for want, step in zip(wanted, path, strict=False)
    )
