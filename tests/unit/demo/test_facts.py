from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.demo.facts import Facts, check, shortcomings, summary
from cli.errors import TurnoutError

GOOD = Facts(
    requests=20_500,
    served_by_servers=20_500,
    rollback_seconds=6.0,
    rollback_command_seconds=9.5,
    kubectl_undo_seconds=5.0,
    services=["api"],
    pods="real",
    unprotected_requests=2_000,
    unprotected_failed=12,
    latency_ms={"p50": 0.6},
    late={"count": 1, "max_ms": 80.0},
)


def test_a_good_run_has_no_shortcoming() -> None:
    assert shortcomings(GOOD) == []
    check(GOOD)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"failed": 1}, "1 of 20500 requests failed"),
        ({"requests": 100, "served_by_servers": 100}, "only 100 requests"),
        ({"served_by_servers": 20_400}, "the servers count 20400"),
        ({"unprotected_failed": 0}, "proves nothing"),
        ({"second_up_changes": 2}, "changed 2 resources"),
        ({"unhealthy": {"loki": "crash loop"}}, "not healthy: loki (crash loop)"),
    ],
)
def test_each_shortcoming_is_named(change: dict[str, Any], words: str) -> None:
    facts = replace(GOOD, **change)
    assert any(words in found for found in shortcomings(facts))
    with pytest.raises(TurnoutError):
        check(facts)


def test_simulated_pods_are_not_asked_for_traffic() -> None:
    facts = Facts(pods="simulated")
    assert shortcomings(facts) == []
    assert any("none: simulated pods" in line for line in summary(facts))


def test_the_document_holds_every_promised_key(tmp_path: Path) -> None:
    GOOD.write(tmp_path / "demo.json")
    written = json.loads((tmp_path / "demo.json").read_text())
    assert written.keys() >= {
        "requests", "failed", "rollout_seconds", "rollback_seconds", "kubectl_undo_seconds", "preview_seconds",
        "up_seconds", "resources", "services", "engine", "provider", "pods", "build_seconds", "total_seconds",
        "unprotected_failed",
    }  # fmt: skip


def test_the_summary_tells_the_comparison() -> None:
    text = "\n".join(summary(GOOD))
    assert "20500 requests, 0 failed; the servers counted 20500" in text
    assert "6.0 s (kubectl rollout undo: 5.0 s)" in text
    assert "9.5 s until every other workload was back as well" in text


def test_a_slow_rollback_is_told_and_fails_nothing() -> None:
    slow = replace(GOOD, rollback_seconds=7.3)
    assert shortcomings(slow) == []
    assert "7.3 s (kubectl rollout undo: 5.0 s; slower than the 7.2 s it is to take" in "\n".join(summary(slow))
    assert "slower" not in "\n".join(summary(replace(GOOD, rollback_seconds=7.2)))
