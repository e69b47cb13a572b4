from typing import Any

import pytest

from cli.provider.waitfor import faults, holds, judge

OBJ: dict[str, Any] = {
    "status": {
        "phase": "Running",
        "count": 2,
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Bad", "status": "False"}],
        "list": [{"name": "a", "n": {"v": 1}}, {"name": "b", "n": {"v": 2}}],
    }
}


@pytest.mark.parametrize(
    "expression",
    [
        "condition=ready",
        "condition=Ready=true",
        "condition=Bad=False",
        "jsonpath={.status.phase}=Running",
        "jsonpath='{.status.phase}'=Running",
        "jsonpath={.status.phase}",
        "jsonpath=.status.count=2",
        'jsonpath={.status.conditions[?(@.type=="Ready")].status}=True',
        "jsonpath={.status.list[1].name}=b",
        "jsonpath={.status.list[*].n.v}=1",
        "jsonpath={.status['phase']}=Running",
    ],
)
def test_what_holds(expression: str) -> None:
    assert holds(OBJ, expression)


@pytest.mark.parametrize(
    "expression",
    [
        "jsonpath={.status.list[*].n.v}=2",
        "condition=Bad",
        "condition=Absent",
        "jsonpath={.status.phase}=Pending",
        "jsonpath={.status.absent}",
    ],
)
def test_what_does_not_hold(expression: str) -> None:
    assert not holds(OBJ, expression)


@pytest.mark.parametrize("expression", ["Ready", "jsonpath={.a[}=1"])
def test_what_cannot_be_read_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="waitFor"):
        holds(OBJ, expression)


def test_every_expression_must_hold() -> None:
    verdict = judge(OBJ, ["condition=Ready", "condition=Bad"])
    assert not verdict.ready and verdict.reason == "waits for condition=Bad"


def test_a_status_of_an_older_generation_tells_nothing() -> None:
    stale = {"metadata": {"generation": 2}, "status": {**OBJ["status"], "observedGeneration": 1}}
    assert not holds(stale, "condition=Ready") and not holds(stale, "jsonpath={.status.phase}=Running")
    condition = {"type": "Ready", "status": "True", "observedGeneration": 2}
    assert holds({**stale, "status": {**stale["status"], "conditions": [condition]}}, "condition=Ready")


def test_faults_are_found_without_an_object() -> None:
    assert faults(["condition=Ready", "jsonpath={.a}=1"]) == []
    assert [text.partition(":")[0] for text in faults(["phase=Running", "jsonpath={.a[?(1)]}"])] == [
        "pulumi.com/waitFor",
        "pulumi.com/waitFor",
    ]
