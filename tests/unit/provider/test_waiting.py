from typing import Any

import pytest

from cli.provider import marks
from cli.provider.waiting import AWAIT_ALL, TIMEOUTS, is_awaited


def obj(version: str, kind: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind}


def test_kinds_that_are_waited_for_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(AWAIT_ALL, raising=False)
    assert is_awaited(obj("apps/v1", "Deployment")) and is_awaited(obj("v1", "Secret"))
    others = [obj("apps/v1", "ReplicaSet"), obj("example.com/v1", "Deployment"), obj("v1", "ConfigMap")]
    assert not any(map(is_awaited, others))
    monkeypatch.setenv(AWAIT_ALL, "true")
    assert all(map(is_awaited, others))


def test_a_kinds_own_time_counts_where_nothing_else_is_asked_for() -> None:
    asked = {"metadata": {"annotations": {marks.TIMEOUT: "7"}}}
    assert marks.timeout({}, 0, TIMEOUTS["Secret"]) == 5
    assert marks.timeout(asked, 0, TIMEOUTS["Secret"]) == 7
    assert marks.timeout(asked, 9, TIMEOUTS["Secret"]) == 9
    assert marks.timeout({}, 0) == 600
