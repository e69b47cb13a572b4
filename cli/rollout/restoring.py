"""One object of a release put back: tried on the server without being done, and done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.kube.errors import Claim, Conflict, KubeError
from cli.kube.ownership import CREATOR, handover
from cli.rollout.control import OWNER, Manifest
from cli.rollout.plan import Action

if TYPE_CHECKING:
    from cli.kube.client import Kube

_BY_HAND = "kubectl"


def do(kube: Kube, action: Action, *, force: bool = False) -> Manifest | None:
    """Carry out one action; returns the object as the server has it now."""
    kind, namespace, name = action.key
    api_version = action.manifest["apiVersion"]
    if action.verb == "remove":
        kube.delete(api_version, kind, name, namespace)
        return None
    if action.verb == "stop":
        # in the applier's own name this would be an Update's field, with which its next apply conflicts
        return kube.patch(api_version, kind, name, namespace, {"spec": action.manifest["spec"]}, CREATOR)
    if action.live is not None:
        kube.run(kube.server.hand_over(action.live, OWNER))
    return _apply(kube, action.manifest, force)


def refusal(kube: Kube, action: Action, force: bool) -> str:
    """Why the server would not take it; empty when it would."""
    if action.verb not in ("create", "apply"):
        return ""
    try:
        kube.apply(action.manifest, OWNER, force=force, dry_run=True)
    except Conflict as conflict:
        if foreign := _foreign(action, conflict):
            return f"{action.title}: {'; '.join(map(str, foreign))}"
        return refusal(kube, action, force=True)
    except KubeError as error:
        return f"{action.title}: {error.message}"
    return ""


def _apply(kube: Kube, manifest: Manifest, force: bool) -> Manifest:
    """What people set by hand is taken back with the release; what a controller owns only with `force`."""
    try:
        return kube.apply(manifest, OWNER, force=force)
    except Conflict as conflict:
        if not conflict.claims or not all(claim.manager.startswith(_BY_HAND) for claim in conflict.claims):
            raise
        return kube.apply(manifest, OWNER, force=True)


def _foreign(action: Action, conflict: Conflict) -> list[Claim]:
    """Claims that neither the hand-over ends nor a person made."""
    entries = ((action.live or {}).get("metadata") or {}).get("managedFields") or []
    staying = {entry["manager"] for entry in handover(entries, OWNER) or entries}
    return [claim for claim in conflict.claims if claim.manager in staying and not claim.manager.startswith(_BY_HAND)]
