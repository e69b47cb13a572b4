from typing import Any

import pytest

from cli.provider import marks
from cli.provider.waiting import AWAIT_ALL, LOOK_EVERY, LOOKS_A_SECOND, TIMEOUTS, is_awaited, look_every


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


def test_many_waits_together_look_no_oftener_than_a_server_bears() -> None:
    assert look_every("Deployment", 1) == LOOK_EVERY
    assert 500 / look_every("Deployment", 500) == LOOKS_A_SECOND
    assert (look_every("Service", 500), look_every("Ingress", 500)) == (1.0, LOOK_EVERY)
