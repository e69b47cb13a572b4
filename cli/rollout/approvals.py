"""Approvals: somebody other than the starter lets a rollout go on. The admission policy of `components.guard` has the
last word on who may; here it is said beforehand, and in the same terms."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cli.errors import Refused, TurnoutError
from cli.kube.errors import AlreadyExists, Forbidden
from cli.rollout import audit, identity, opened
from cli.rollout.control import MANAGER, Manifest, labels, namespace, stamp
from cli.rollout.opened import Rollout

if TYPE_CHECKING:
    from cli.kube.client import Kube

KIND = "approval"

_PATIENCE = 5.0
_LOOK_AGAIN = 0.25


@dataclass(frozen=True)
class Approval:
    """Who let the rollout `id` go on, when and why. `by` is the API server's name for them."""

    id: str
    by: str
    at: str
    reason: str = ""

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def granted(kube: Kube, environment: str, id: str, starter: str) -> Approval | None:
    """The approval of that rollout, where somebody other than its starter gave one."""
    given = find(kube, environment, id)
    return given if given and given.by and given.by != starter else None


def waiting(kube: Kube, environment: str) -> Rollout:
    """The rollout that can be approved by us. Raises Refused (exit 4)."""
    rollout = opened.under_way(kube, environment)
    if rollout is None:
        raise Refused(f"no rollout of {environment} is open", next=f"turnout rollout status {environment}")
    me = identity.username(kube)
    if rollout.starter == me:
        raise Refused(
            f"a rollout of {environment} is approved by somebody other than who started it",
            why=f"the API server knows us as {me}, which started it",
            next=f'ask somebody with the role approver to run: turnout approve {environment} --reason "WHY"',
        )
    return rollout


def approve(kube: Kube, environment: str, rollout: Rollout, reason: str = "") -> Approval:
    """Let it go on. Again changes nothing: the first approval stands. Raises Refused (exit 4)."""
    given = Approval(rollout.id, identity.username(kube), stamp(), reason)
    try:
        write(kube, environment, given)
    except AlreadyExists:
        if found := granted(kube, environment, rollout.id, rollout.starter):
            return found
        raise Refused(
            f"the approval of {rollout.id} that is there already does not count, and none can be changed",
            why="it is in the name of who started the rollout",
            next=f"turnout rollout abort {environment}, then start the rollout again",
        ) from None
    what = f"turnout approve {environment}"
    audit.write(kube, environment, audit.entry(kube, what, why=reason, outcome=f"approved {rollout.id}"))
    return given


def prune(kube: Kube, environment: str, keep: str) -> None:
    """Delete the approvals of rollouts other than `keep`: nothing asks for them again."""
    from cli.rollout.control import names_of

    for row in names_of(kube, environment, KIND):
        if row["metadata"]["name"] != _name(keep):
            kube.delete("v1", "ConfigMap", row["metadata"]["name"], namespace(environment))


def write(kube: Kube, environment: str, given: Approval, kind: str = KIND) -> None:
    """Keep an approval. Raises AlreadyExists where there is one, Refused (exit 4) where the cluster's policy says no.

    Asked again for a moment where the policy does not know yet of a rollout that has just begun.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            kube.create(_manifest(environment, given, kind), MANAGER)
            return
        except Forbidden as refused:
            said = refused.message.rpartition("denied request: ")[2]
            if "no rollout of" not in said or time.monotonic() > until:
                raise _refusal(environment, refused, said) from refused
        time.sleep(_LOOK_AGAIN)


def _refusal(environment: str, refused: Forbidden, said: str) -> TurnoutError:
    if "denied request: " not in refused.message:
        return refused
    return Refused(
        f"the approval was refused by the cluster's policy for {environment}",
        why=said,
        next=f"turnout rollout status {environment}; what your rights suffice for: turnout doctor {environment}",
    )


def find(kube: Kube, environment: str, id: str) -> Approval | None:
    """The approval of that rollout or plan, whoever gave it."""
    found = kube.find("v1", "ConfigMap", _name(id), namespace(environment))
    data = (found or {}).get("data") or {}
    return Approval(id, data.get("by", ""), data.get("at", ""), data.get("reason", "")) if found else None


def _manifest(environment: str, given: Approval, kind: str) -> Manifest:
    metadata = {"name": _name(given.id), "namespace": namespace(environment), "labels": labels(environment, kind)}
    data = given.to_json()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "immutable": True, "data": data}


def _name(id: str) -> str:
    return f"approval-{id}"
