"""Consent to one plan: what the settings' thresholds want somebody else to have seen before it is applied.

Whoever may not apply yet leaves a request (`request-plan-ID`) that says what is asked for; somebody with the role
approver answers with an approval (`approval-plan-ID`). Both name the plan by a digest of its changes: another plan
needs another approval. The cluster's policy sees to it that an approval is signed by an approver; that it is not the
one who applies is said here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from cli.errors import Refused
from cli.kube.errors import AlreadyExists
from cli.plans import binding
from cli.plans.saved import digest
from cli.rollout import approvals, audit, identity, releases
from cli.rollout.approvals import Approval
from cli.rollout.control import MANAGER, Manifest, in_namespace, labels, names_of, namespace, stamp

if TYPE_CHECKING:
    from cli.engine.model import Plan
    from cli.kube.client import Kube
    from cli.review.model import Reason, Reviewed

REQUEST: Final = "plan-request"
APPROVAL: Final = "plan-approval"

_PREFIX: Final = "plan-"
_DIGITS: Final = 12
_UNSEEN: Final = ("effects", "certain")


@dataclass(frozen=True)
class Request:
    """What somebody wants to apply. `id` names the plan; `reasons` are sentences; `git`: the commit of the checkout."""

    id: str
    by: str
    at: str
    command: str
    git: str
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, str]:
        plain = {key: value for key, value in asdict(self).items() if key != "reasons"}
        return {**plain, "reasons": json.dumps(self.reasons)}


def name(plan: Plan) -> str:
    """Stands for what the plan changes, and how."""
    rows = [{key: value for key, value in row.items() if key not in _UNSEEN} for row in binding.changes(plan)]
    return digest(sorted(rows, key=lambda row: str(row["urn"])))[:_DIGITS]


def must_be_given(kube: Kube, reviewed: Reviewed, command: str, git: str) -> Approval | None:
    """The approval of the plan, where it needs one. Raises Refused (exit 4), and leaves a request, where it has none.

    The first release of an environment is nobody's to approve: who may, comes with it.
    """
    plan = reviewed.plan
    if not reviewed.approvals or releases.load(kube, plan.environment).current is None:
        return None
    id, me = name(plan), identity.username(kube)
    found = approvals.find(kube, plan.environment, _PREFIX + id)
    if found and found.by and found.by != me:
        return found
    _request(kube, plan.environment, Request(id, me, stamp(), command, git, _texts(reviewed.approvals)))
    own = f"; {me} applies it, so the approval of {me} does not count" if found else ""
    raise Refused(
        f"{plan.environment} wants this plan approved by somebody else; nothing was touched",
        why="\n  ".join([f"plan {id} needs an approval{own}:", *_texts(reviewed.approvals)]),
        next=f'somebody with the role approver runs: turnout approve {plan.environment} --plan {id} --reason "WHY";'
        f" then again: {command}",
    )


def requested(kube: Kube, environment: str, id: str) -> Request:
    """What was asked for. Raises Refused (exit 4) for a plan that nobody asked for, or that we asked for ourselves."""
    found = kube.find("v1", "ConfigMap", f"request-{_PREFIX}{id}", namespace(environment))
    if found is None:
        raise Refused(
            f"nobody wants to apply a plan {id} to {environment}",
            why=_others(kube, environment),
            next=f"turnout up {environment}, or turnout rollout start {environment}, asks for the approval of its plan",
        )
    data = found.get("data") or {}
    request = Request(
        id,
        data.get("by", ""),
        data.get("at", ""),
        data.get("command", ""),
        data.get("git", ""),
        tuple(json.loads(data.get("reasons", "[]"))),
    )
    if request.by == (me := identity.username(kube)):
        raise Refused(
            f"a plan for {environment} is approved by somebody other than who applies it",
            why=f"the API server knows us as {me}, which asked for plan {id}",
            next=f'somebody with the role approver runs: turnout approve {environment} --plan {id} --reason "WHY"',
        )
    return request


def approve(kube: Kube, environment: str, request: Request, reason: str = "") -> Approval:
    """Let that plan be applied. Again changes nothing: the first approval stands."""
    given = Approval(_PREFIX + request.id, identity.username(kube), stamp(), reason)
    try:
        approvals.write(kube, environment, given, APPROVAL)
    except AlreadyExists:
        if found := approvals.find(kube, environment, given.id):
            return found
        raise
    what = f"turnout approve {environment} --plan {request.id}"
    audit.write(kube, environment, audit.entry(kube, what, why=reason, outcome=f"approved plan {request.id}"))
    return given


def forget(kube: Kube, environment: str) -> None:
    """Delete requests and approvals: after an apply they are about plans that are no more."""
    for kind in (REQUEST, APPROVAL):
        for row in names_of(kube, environment, kind):
            kube.delete("v1", "ConfigMap", row["metadata"]["name"], namespace(environment))


def _request(kube: Kube, environment: str, request: Request) -> None:
    """The latest one who asks is the one who is named."""
    made = _manifest(environment, request)
    in_namespace(kube, environment, lambda: kube.apply(made, MANAGER, force=True))


def _manifest(environment: str, request: Request) -> Manifest:
    stem = f"request-{_PREFIX}{request.id}"
    metadata = {"name": stem, "namespace": namespace(environment), "labels": labels(environment, REQUEST)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": request.to_json()}


def _texts(reasons: Sequence[Reason]) -> tuple[str, ...]:
    return tuple(f"{reason.code}: {reason.text}" for reason in reasons)


def _others(kube: Kube, environment: str) -> str:
    found = sorted(
        row["metadata"]["name"].removeprefix(f"request-{_PREFIX}") for row in names_of(kube, environment, REQUEST)
    )
    return f"plans that wait for an approval: {', '.join(found)}" if found else "no plan waits for an approval"
