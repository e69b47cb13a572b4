from __future__ import annotations

from typing import Any

from cli.review.judge import judge
from infra.review import ReviewSettings
from infra.settings import Settings
from tests.unit.review.builder import Told, change, made, plan, prod

LOST = change(made("PersistentVolumeClaim", "data"), None)
EXCEPTION = {
    "rule": "host-path",
    "where": "DaemonSet *",
    "reason": "Reads what it has to read.",
    "owner": "me",
    "expires": "2027-01-31",
}


def settings(*, approval: bool = True, **review: Any) -> Settings:
    whole = prod()
    rollout = whole.rollout.model_copy(update={"approval": approval})
    return whole.model_copy(update={"review": ReviewSettings.model_validate(review), "rollout": rollout})


def loosened(before: Settings, after: Settings) -> list[Told]:
    return [(reason.code, reason.text) for reason in judge(plan(), after, before=before).reasons]


def test_a_threshold_that_is_lowered_is_told_and_asked_all_the_same() -> None:
    before = settings(thresholds={"deletes-data": "approve", "shrinks-volume": "refuse"})
    after = settings(thresholds={"shrinks-volume": "approve"})
    assert loosened(before, after) == [
        ("loosens-review", "turnout:review.thresholds asks nobody to approve deletes-data"),
        ("loosens-review", "turnout:review.thresholds no longer refuses shrinks-volume"),
    ]
    assert [reason.code for reason in judge(plan(LOST), after, before=before).approvals] == ["deletes-data"]
    assert judge(plan(LOST), after).approvals == ()


def test_what_is_raised_or_stays_is_no_risk() -> None:
    less, more = settings(thresholds={"high": "approve"}), settings(thresholds={"low": "refuse"})
    assert loosened(less, more) == loosened(less, less) == []
    assert [reason.code for reason in judge(plan(LOST), more, before=less).reasons if reason.refused] == [
        "deletes-data",
        "no-way-back",
    ]


def test_an_exception_that_is_new_or_longer_is_told() -> None:
    short, long = (settings(exceptions={"mine": EXCEPTION | {"expires": f"2027-0{month}-28"}}) for month in (1, 2))
    said = "turnout:review.exceptions.mine excepts DaemonSet * from host-path until 2027-0{}-28: {}"
    assert loosened(settings(), short) == [("loosens-review", said.format(1, EXCEPTION["reason"]))]
    assert loosened(short, long) == [("loosens-review", said.format(2, EXCEPTION["reason"]))]
    assert loosened(long, settings()) == loosened(long, long) == []


def test_a_policy_or_an_approval_that_is_asked_no_more_is_told() -> None:
    raised = settings(policies={"host-path": "mandatory"})
    assert loosened(raised, settings()) == [
        ("loosens-review", "turnout:review.policies.host-path is no longer raised to mandatory")
    ]
    assert loosened(settings(), settings(approval=False)) == [
        ("loosens-review", "turnout:rollout.approval is off: a rollout waits for nobody")
    ]
