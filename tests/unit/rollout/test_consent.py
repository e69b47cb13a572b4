"""Consent to one plan: asked for, given by somebody else, and for that plan alone."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cli.errors import Refused
from cli.review.judge import judge
from cli.review.model import Reviewed
from cli.rollout import approvals, audit, consent, releases, reviewing
from cli.rollout.approvals import Approval
from infra.review import ReviewSettings
from tests.unit.review.builder import change, made, plan, prod

COMMAND = "turnout up dev"
LOST = "deletes-data: PersistentVolumeClaim shop/data is deleted with what it holds"


@pytest.fixture(autouse=True)
def control_namespace(cluster: Any) -> None:
    cluster.namespaces.add("turnout-dev")


@pytest.fixture
def applied(kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with a release."""
    book = releases.load(kube, "dev")
    monkeypatch.setattr(type(book), "current", property(lambda _: object()))


def asking() -> Any:
    app = SimpleNamespace(services={}, jobs={})
    return SimpleNamespace(app=app, review=ReviewSettings(thresholds={"deletes-data": "approve"}))


def deletion(volume: str = "data") -> Reviewed:
    found = judge(plan(change(made("PersistentVolumeClaim", volume), None)), asking())
    return replace(found, plan=replace(found.plan, environment="dev"))


def by_bea(kube: Any, reviewed: Reviewed) -> None:
    approvals.write(kube, "dev", Approval(f"plan-{consent.name(reviewed.plan)}", "bea", "now"), consent.APPROVAL)


@pytest.mark.usefixtures("applied")
def test_a_plan_that_needs_it_is_refused_and_asked_for(kube: Any, cluster: Any) -> None:
    reviewed = deletion()
    with pytest.raises(Refused) as refused:
        consent.must_be_given(kube, reviewed, COMMAND, "c0ffee")
    id = consent.name(reviewed.plan)
    assert refused.value.exit_code == 4
    assert LOST in refused.value.why
    assert f"turnout approve dev --plan {id}" in refused.value.next
    data = cluster.find("configmaps", f"request-plan-{id}", "turnout-dev")["data"]
    assert {key: data[key] for key in ("by", "command", "git")} == {"by": "anna", "command": COMMAND, "git": "c0ffee"}
    assert json.loads(data["reasons"]) == [LOST]


@pytest.mark.usefixtures("applied")
def test_somebody_elses_approval_lets_that_plan_through_and_no_other(kube: Any) -> None:
    by_bea(kube, deletion())
    given = consent.must_be_given(kube, deletion(), COMMAND, "")
    assert given is not None
    assert given.by == "bea"
    with pytest.raises(Refused):
        consent.must_be_given(kube, deletion("other"), COMMAND, "")


@pytest.mark.usefixtures("applied")
def test_ones_own_approval_does_not_count(kube: Any) -> None:
    reviewed = deletion()
    approvals.write(kube, "dev", Approval(f"plan-{consent.name(reviewed.plan)}", "anna", "now"), consent.APPROVAL)
    with pytest.raises(Refused, match="somebody else") as refused:
        consent.must_be_given(kube, reviewed, COMMAND, "")
    assert "the approval of anna does not count" in refused.value.why


@pytest.mark.usefixtures("applied")
def test_a_plan_without_such_reasons_asks_nobody(kube: Any, cluster: Any) -> None:
    harmless = judge(plan(change(made("ConfigMap", "a"), None)), asking())
    assert consent.must_be_given(kube, harmless, COMMAND, "") is None
    assert not [name for _, _, name in cluster.objects if name.startswith("request-")]


def test_the_first_release_is_nobodys_to_approve(kube: Any) -> None:
    assert consent.must_be_given(kube, deletion(), COMMAND, "") is None


@pytest.mark.usefixtures("applied")
def test_who_asked_cannot_approve_and_what_nobody_asked_for_is_named(kube: Any) -> None:
    reviewed = deletion()
    with pytest.raises(Refused):
        consent.must_be_given(kube, reviewed, COMMAND, "")
    id = consent.name(reviewed.plan)
    with pytest.raises(Refused, match="somebody other than who applies it"):
        consent.requested(kube, "dev", id)
    with pytest.raises(Refused) as refused:
        consent.requested(kube, "dev", "0" * 12)
    assert refused.value.why == f"plans that wait for an approval: {id}"


def test_given_once_written_down_and_forgotten_after_the_apply(kube: Any, cluster: Any) -> None:
    request = consent.Request("0123456789ab", "bea", "now", COMMAND, "", (LOST,))
    given = consent.approve(kube, "dev", request, "moved to the new database")
    assert consent.approve(kube, "dev", request, "again") == given
    [entry] = audit.entries(kube, "dev")
    assert (entry.who, entry.why, entry.outcome) == ("anna", "moved to the new database", "approved plan 0123456789ab")
    consent.forget(kube, "dev")
    assert not [name for _, _, name in cluster.objects if name.startswith(("approval-", "request-"))]


def test_a_rollouts_approvals_are_not_a_plans(kube: Any, cluster: Any) -> None:
    by_bea(kube, deletion())
    approvals.prune(kube, "dev", "other")
    assert [name for _, _, name in cluster.objects if name.startswith("approval-plan-")]


def test_what_the_settings_refuse_no_approval_lets_through() -> None:
    strict = prod().model_copy(update={"review": ReviewSettings(thresholds={"critical": "refuse"})})
    found = judge(plan(change(made("PersistentVolumeClaim", "data"), None)), strict)
    with pytest.raises(Refused) as refused:
        reviewing.must_not_be_refused(found)
    assert refused.value.exit_code == 4
    assert LOST in refused.value.why
    reviewing.must_not_be_refused(judge(plan(change(made("ConfigMap", "a"), None)), strict))
    assert reviewing.asks(strict)
    assert not reviewing.asks(strict.model_copy(update={"review": ReviewSettings(thresholds={"low": "allow"})}))


def test_what_is_asked_for_holds_no_password() -> None:
    image = {"containers": [{"name": "app", "image": "https://me:hunter22@registry.example/shop:2"}]}
    pinned = {"containers": [{"name": "app", "image": "shop@sha256:" + 64 * "1"}]}
    before, after = (made("Deployment", "api", {"template": {"spec": pod}}) for pod in (pinned, image))
    reviewed = reviewing.judged(plan(change(before, after)), prod())
    assert "unpinned-image" in [reason.code for reason in reviewed.reasons]
    assert "hunter22" not in str(reviewed.to_json())
