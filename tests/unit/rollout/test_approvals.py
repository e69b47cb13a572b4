"""Approvals as the command sees them: refused beforehand where that is certain, given once, in words for people."""

from __future__ import annotations

from typing import Any

import pytest

from cli.errors import Refused
from cli.rollout import approvals, audit, opened
from cli.rollout.opened import Rollout


def begun(kube: Any, starter: str) -> Rollout:
    return opened.begin(kube, "dev", Rollout("r1", starter=starter, began="2026-01-01T00:00:00Z"))


def test_nothing_open_is_nothing_to_approve(kube: Any) -> None:
    with pytest.raises(Refused, match="no rollout of dev is open"):
        approvals.waiting(kube, "dev")


def test_starter_hears_who_has_to(kube: Any) -> None:
    begun(kube, "anna")
    with pytest.raises(Refused) as refused:
        approvals.waiting(kube, "dev")
    assert refused.value.exit_code == 4
    assert "anna, which started it" in refused.value.why
    assert "turnout approve dev" in refused.value.next


def test_given_once_by_somebody_else(kube: Any) -> None:
    begun(kube, "bea")
    rollout = approvals.waiting(kube, "dev")
    assert approvals.granted(kube, "dev", "r1", "bea") is None
    given = approvals.approve(kube, "dev", rollout, "looks good")
    assert approvals.approve(kube, "dev", rollout, "again") == given
    assert approvals.granted(kube, "dev", "r1", "bea") == given
    [entry] = audit.entries(kube, "dev")
    assert (entry.who, entry.what, entry.outcome) == ("anna", "turnout approve dev", "approved r1")


def test_starters_own_approval_counts_for_nothing_even_where_no_policy_stopped_it(kube: Any) -> None:
    rollout = begun(kube, "bea")
    approvals.approve(kube, "dev", rollout, "")
    assert approvals.granted(kube, "dev", "r1", "anna") is None


def test_an_approval_that_its_starter_slipped_in_is_told_to_who_comes_after(kube: Any) -> None:
    """Before the policy knew of the rollout. It cannot be changed, and the rollout does not go on with it."""
    rollout = begun(kube, "bea")
    approvals.write(kube, "dev", approvals.Approval(rollout.id, "bea", "2026-01-01T00:00:00Z"))
    with pytest.raises(Refused) as refused:
        approvals.approve(kube, "dev", rollout)
    assert "in the name of who started the rollout" in refused.value.why
    assert refused.value.next.startswith("turnout rollout abort dev")


def test_approvals_of_earlier_rollouts_are_swept(kube: Any, cluster: Any) -> None:
    begun(kube, "bea")
    for id in ("r1", "r2"):
        approvals.approve(kube, "dev", Rollout(id, starter="bea"), "")
    approvals.prune(kube, "dev", "r2")
    names = [name for (_, plural, name) in cluster.objects if plural == "configmaps" and name.startswith("approval-")]
    assert names == ["approval-r2"]
