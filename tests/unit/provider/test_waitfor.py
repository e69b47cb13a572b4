import pytest

from cli.provider.waitfor import holds, judge

OBJ = {
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
        "condition=Ready",
        "condition=Ready=true",
        "condition=Bad=False",
        "jsonpath={.status.phase}=Running",
        "jsonpath='{.status.phase}'=Running",
        "jsonpath={.status.phase}",
        "jsonpath=.status.count=2",
        'jsonpath={.status.conditions[?(@.type=="Ready")].status}=True',
        "jsonpath={.status.list[1].name}=b",
        "jsonpath={.status.list[*].n.v}=2",
        "jsonpath={.status['phase']}=Running",
    ],
)
def test_what_holds(expression: str) -> None:
    assert holds(OBJ, expression)


@pytest.mark.parametrize(
    "expression",
    ["condition=Bad", "condition=Absent", "jsonpath={.status.phase}=Pending", "jsonpath={.status.absent}"],
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
