from __future__ import annotations

import pytest
from pydantic import ValidationError

from cli.review.judge import judge
from cli.review.model import Level
from infra.review import ReviewSettings, defaults
from infra.settings import load
from tests.unit.review.builder import change, made, plan

VOLUME = made("PersistentVolumeClaim", "data")


def test_a_plan_without_changes_puts_nothing_at_risk() -> None:
    judged = judge(plan(beside=[made("Service", "api")]))
    assert (judged.risk, judged.reasons) == (Level.NONE, ())


def test_prod_wants_the_deletion_of_a_volume_approved_and_dev_does_not() -> None:
    from pathlib import Path

    root = Path(__file__).parents[3]
    deletion = plan(change(VOLUME, None))
    asked = {
        name: judge(deletion, load(root / f"Pulumi.{name}.yaml", name, placeholders=True)) for name in ("dev", "prod")
    }
    assert [(one.risk, len(one.approvals), one.refused) for one in asked.values()] == [
        (Level.CRITICAL, 0, False),
        (Level.CRITICAL, 1, False),
    ]


def test_a_code_counts_before_a_level_and_a_worse_level_before_a_lesser_one() -> None:
    settings = ReviewSettings.model_validate(
        {"thresholds": {"medium": "approve", "critical": "refuse", "deletes-data": "allow"}}
    )
    levels = ("low", "medium", "high", "critical")
    assert [settings.answer("other", level) for level in levels] == ["allow", "approve", "approve", "refuse"]
    assert settings.answer("deletes-data", "critical") == "allow"


def test_a_threshold_of_nothing_known_names_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean 'deletes-data'"):
        ReviewSettings.model_validate({"thresholds": {"delete-data": "refuse"}})


def test_prod_alone_has_thresholds_by_default() -> None:
    assert {tier: ReviewSettings.model_validate(defaults(tier)).thresholds for tier in ("dev", "staging", "prod")} == {
        "dev": {},
        "staging": {},
        "prod": {"critical": "approve", "deletes-data": "approve"},
    }
