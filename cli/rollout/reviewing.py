"""What the settings' thresholds want of a plan before anything is applied: that it is let through, and approved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.errors import Refused
from cli.report import masking
from cli.review import planned
from cli.review.planned import Planned
from cli.rollout import consent, releases

if TYPE_CHECKING:
    from pathlib import Path

    from cli.engine.model import Plan
    from cli.kube.client import Kube
    from cli.review.model import Reviewed
    from cli.rollout.approvals import Approval
    from infra.settings import Settings


def asks(settings: Settings) -> bool:
    """Whether the settings make anything depend on a plan's risk."""
    return any(answer != "allow" for answer in settings.review.thresholds.values())


def judged(plan: Plan, settings: Settings) -> Reviewed:
    """The plan of an apply, as a preview judges and shows it: what looks like a secret is hidden."""
    [review] = masking.masked([planned.reviewed(Planned(plan, settings=settings))])
    return review


def must_pass(kube: Kube, root: Path, reviewed: Reviewed, command: str) -> Approval | None:
    """The approval, where the plan needed one. Raises Refused (exit 4) for a plan that may not be applied."""
    must_not_be_refused(reviewed)
    return consent.must_be_given(kube, reviewed, command, releases.commit(root))


def must_not_be_refused(reviewed: Reviewed) -> None:
    """Raises Refused (exit 4) for what a threshold does not let through, approved or not."""
    environment = reviewed.plan.environment
    refused = [f"{reason.code}: {reason.text}" for reason in reviewed.reasons if reason.refused]
    if refused:
        raise Refused(
            f"the settings of {environment} refuse this plan; nothing was touched",
            why="\n  ".join(["turnout:review.thresholds does not let through:", *refused]),
            next=f"change the plan, or the threshold in Pulumi.{environment}.yaml; see turnout preview {environment}",
        )
