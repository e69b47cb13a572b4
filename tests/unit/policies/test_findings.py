"""Findings of a plan: what the change brings is new, what was so before is not, and each knows its object."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from cli.engine.model import Change, Operation, Plan
from cli.review import findings
from infra.policies import fixtures
from infra.settings import load

ROOT = Path(__file__).parents[3]
PROD = load(ROOT / "Pulumi.prod.yaml", "prod", placeholders=True)
TODAY = date(2026, 11, 21)
WEB = "urn:pulumi:prod::turnout::kubernetes:apps/v1:Deployment::web"


def plan(after: list[dict[str, Any]], *changes: Change) -> Plan:
    return Plan("prod", changes, {}, 0.0, "", "", declared=tuple(after))


def deployment(objects: list[dict[str, Any]]) -> dict[str, Any]:
    return next(made for made in objects if made["kind"] == "Deployment")


def change(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Change:
    made = deployment(after)
    return Change(WEB, "kubernetes:apps/v1:Deployment", "web", Operation.UPDATE, before=deployment(before), after=made)


def broken_by(rule: str) -> list[dict[str, Any]]:
    return fixtures.patched(fixtures.sound(), fixtures.of(rule).fails)


def seen(plan: Plan) -> list[tuple[str, str, bool]]:
    return [(each.rule, each.urn, each.new) for each in findings.of_plan(plan, PROD, today=TODAY)]


def test_what_a_change_breaks_is_new() -> None:
    after = broken_by("host-path")
    assert seen(plan(after, change(fixtures.sound(), after))) == [("host-path", WEB, True)]


def test_what_was_broken_before_is_not_new() -> None:
    after = broken_by("host-path")
    assert seen(plan(after)) == [("host-path", "Deployment shop/web", False)]


def test_a_change_that_breaks_one_more_rule_is_told_apart() -> None:
    before = broken_by("host-path")
    after = fixtures.patched(before, fixtures.of("seccomp").fails)
    assert seen(plan(after, change(before, after))) == [("host-path", WEB, False), ("seccomp", WEB, True)]


def test_a_fault_that_a_change_mends_is_gone() -> None:
    assert seen(plan(fixtures.sound(), change(broken_by("host-path"), fixtures.sound()))) == []


def test_a_mandatory_finding_refuses_and_tells_what_to_do() -> None:
    [found] = findings.of_plan(plan(broken_by("host-path")), PROD, today=TODAY)
    assert found.refuses
    assert found.where == "Deployment shop/web"
    assert found.path == "spec.template.spec.volumes[1].hostPath"
    assert found.remedy.startswith("an emptyDir")


def test_without_settings_nobody_knows_the_tier() -> None:
    assert findings.of_plan(plan(broken_by("host-path")), None) == ()
