"""JUnit: what refuses fails, what is excepted is skipped, and every policy has its case."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from cli.report import junit
from cli.review.model import Finding, Level, Reason, Reviewed
from infra.policies import BY_ID
from tests.unit.report.reviews import review


def finding(rule: str, level: str = "mandatory", **more: Any) -> Finding:
    return Finding(rule, level, "Pod prod/web", "mounts /", "an emptyDir", **more)


def cases(*reviews: Reviewed) -> dict[str, ElementTree.Element]:
    root = ElementTree.fromstring(junit.text(reviews))
    return {f"{case.get('classname')} {case.get('name')}": case for case in root.iter("testcase")}


def suite(*reviews: Reviewed) -> dict[str, str]:
    found = ElementTree.fromstring(junit.text(reviews)).find("testsuite")
    assert found is not None
    return dict(found.attrib)


def tags(case: ElementTree.Element) -> list[str]:
    return [child.tag for child in case]


def test_a_review_without_findings_passes_every_policy() -> None:
    found = cases(review())
    assert set(found) == {"prod.plan the settings make a plan", *(f"prod.policy {rule}" for rule in BY_ID)}
    assert all(tags(case) == [] for case in found.values())


def test_findings_fail_are_skipped_or_told() -> None:
    found = cases(
        review(
            findings=(
                finding("host-path"),
                finding("seccomp", excepted="team: why"),
                finding("liveness", "advisory"),
                finding("unused-exception", "advisory"),
            )
        )
    )
    assert tags(found["prod.policy host-path"]) == ["failure"]
    assert tags(found["prod.policy seccomp"]) == ["skipped", "system-out"]
    assert tags(found["prod.policy liveness"]) == ["system-out"]
    assert tags(found["prod.policy unused-exception"]) == ["system-out"]
    failure = found["prod.policy host-path"].find("failure")
    assert failure is not None
    assert failure.get("message") == "Pod prod/web: mounts /; instead: an emptyDir"
    assert failure.text == "new: mandatory: Pod prod/web: mounts /"


def test_one_exception_does_not_hide_another_object() -> None:
    found = cases(review(findings=(finding("host-path", excepted="team: why"), finding("host-path"))))
    assert tags(found["prod.policy host-path"]) == ["failure"]


def test_a_refused_risk_fails_and_an_approval_is_waited_for() -> None:
    reasons = (
        Reason(Level.CRITICAL, "deletes-data", "a volume goes", refused=True),
        Reason(Level.HIGH, "replaces", "api is made anew", approval=True),
        Reason(Level.LOW, "restarts-pods", "3 pods"),
    )
    found = cases(review(reasons=reasons))
    said = {name.rpartition(".risk ")[2]: tags(case) for name, case in found.items() if ".risk " in name}
    assert said == {
        "deletes-data: a volume goes": ["failure"],
        "replaces: api is made anew": ["skipped"],
        "restarts-pods: 3 pods": [],
    }


def test_an_environment_without_a_plan_is_an_error_and_has_no_policies() -> None:
    found = cases(review(failed="Pulumi.prod.yaml:3: unknown key\nnext: edit it"))
    assert list(found) == ["prod.plan the settings make a plan"]
    assert tags(found["prod.plan the settings make a plan"]) == ["error"]


def test_the_suite_counts_its_cases() -> None:
    counted = suite(review(findings=(finding("host-path"), finding("seccomp", excepted="team: why"))))
    assert (counted["name"], counted["tests"]) == ("prod", str(len(BY_ID) + 1))
    assert (counted["failures"], counted["errors"], counted["skipped"]) == ("1", "0", "1")


def test_what_xml_cannot_hold_is_spelled_out() -> None:
    made = review(findings=(Finding("host-path", "mandatory", "Pod a/\x00]]>", "\x1b<b>&\ud800", "\u0008\uffff"),))
    failure = cases(made)["prod.policy host-path"].find("failure")
    assert failure is not None
    assert failure.get("message") == "Pod a/\\x00]]>: \\x1b<b>&\\ud800; instead: \\x08\\uffff"
