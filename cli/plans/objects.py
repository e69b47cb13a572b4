"""The live objects that a plan changes, as far as the plan depends on them: an engine's preview looks at its state.

Of an object counts what the program declared of it, less what a rollout or an autoscaler moves meanwhile. Of a Secret
counts which write of it is the newest: a digest of what it holds could be guessed from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from cli.engine import values
from cli.engine.model import SECRET, UNKNOWN, Change
from cli.kube.errors import Forbidden
from cli.plans.saved import ABSENT, digest
from cli.rollout.control import namespace
from cli.rollout.live import at_once

if TYPE_CHECKING:
    from cli.engine.model import Plan
    from cli.kube.client import Kube

Object = dict[str, Any]

_UNREADABLE: Final = "may not be read"
_MOVED: Final[Mapping[str, tuple[str, ...]]] = {
    "Deployment": ("replicas",),
    "StatefulSet": ("replicas",),
    "HorizontalPodAutoscaler": ("minReplicas", "maxReplicas"),
    "Service": ("selector",),
}


def look(kube: Kube, plan: Plan) -> dict[str, str]:
    """By URN, what stands for the live object: the same text as long as nobody has changed it."""
    own = ("v1", "Namespace", namespace(plan.environment), None)  # made for the lock, before the first apply
    wanted = [(change, place) for change in plan.changes if (place := _place(change)) not in (None, own)]
    found = at_once(lambda row: _seen(kube, *row), wanted)
    return {change.urn: seen for (change, _), seen in zip(wanted, found, strict=True)}


def fingerprint(live: Object | None, declared: Object) -> str:
    """What stands for a live object of which `declared` is what the program asked for until now."""
    if live is None:
        return ABSENT
    metadata = live["metadata"]
    if live.get("kind") == "Secret":
        return f"{metadata['uid']} {metadata['resourceVersion']}"
    return f"{metadata['uid']} {digest(_hidden(values.pruned(live, _settled(declared)), declared))[:16]}"


def _place(change: Change) -> tuple[str, str, str, str | None] | None:
    """Where the object is; none for a resource that is no object, or whose name only the apply chooses."""
    declared = change.before or change.after
    metadata = declared.get("metadata")
    if not isinstance(metadata, dict) or not {"apiVersion", "kind"} <= declared.keys():
        return None
    name = metadata.get("name")
    if not isinstance(name, str) or name == UNKNOWN:
        return None
    return declared["apiVersion"], declared["kind"], name, metadata.get("namespace")


def _seen(kube: Kube, change: Change, place: tuple[str, str, str, str | None]) -> str:
    try:
        live = kube.find(*place)
    except Forbidden:
        return _UNREADABLE
    return fingerprint(live and {**live, "kind": place[1]}, change.before)


def _settled(declared: Object) -> Object:
    moved = _MOVED.get(str(declared.get("kind")), ())
    spec = declared.get("spec")
    if not moved or not isinstance(spec, dict):
        return declared
    return {**declared, "spec": {key: value for key, value in spec.items() if key not in moved}}


def _hidden(live: Any, declared: Any) -> Any:
    """With the placeholder wherever the program declared a secret."""
    if values.contains(declared, SECRET) and not isinstance(declared, dict):
        return SECRET
    if isinstance(live, dict) and isinstance(declared, dict):
        return {key: _hidden(value, declared.get(key)) for key, value in live.items()}
    return live
