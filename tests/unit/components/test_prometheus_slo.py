from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cli.gates import budgets, builtin
from components.monitoring.settings import seconds
from components.monitoring.text import to_yaml
from components.prometheus import config, slo
from components.prometheus.settings import Slo
from tests.unit.components.monitoring import APP, EVERYTHING, accepted, binary, prometheus_settings, run, write

PERIOD = 30 * 24 * 3600
SETTINGS = prometheus_settings(**EVERYTHING)


def test_factors_are_the_share_of_the_budget_that_a_window_may_use() -> None:
    shares = [window.factor * seconds(window.long) / PERIOD for window in slo.WINDOWS]

    assert shares == pytest.approx([0.02, 0.05, 0.1, 0.1])
    assert all(seconds(window.long) == 12 * seconds(window.short) for window in slo.WINDOWS)


@pytest.mark.parametrize("objective", [0, 50, 93.05, 100])
def test_an_objective_that_could_never_fire_is_refused(objective: float) -> None:
    with pytest.raises(ValidationError):
        Slo(name="x", kind="availability", objective=objective, at_least=1)


def test_a_threshold_that_is_not_measured_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be one of the histogram's bounds"):
        Slo(name="x", kind="latency", objective=99, threshold=0.8, at_least=1)
    with pytest.raises(ValidationError, match="only for latency"):
        Slo(name="x", kind="availability", objective=99, threshold=1.0, at_least=1)


def series(metric: str, values: str, **labels: str) -> dict[str, str]:
    every = {"job": "app", "namespace": "dev", "service": "api", **labels}
    text = ", ".join(f'{key}="{value}"' for key, value in every.items())
    return {"series": f"{metric}{{{text}}}", "values": values}


def requests(good: str, bad: str) -> list[dict[str, str]]:
    counted = "http_server_request_duration_seconds_count"
    return [
        series(counted, good, http_response_status_code="200"),
        series(counted, bad, http_response_status_code="500"),
    ]


def fires(tmp_path: Path, given: list[dict[str, str]], at: str, alert: str, **labels: str) -> bool:
    """Whether `alert` fires with those labels, by Prometheus's own rule engine."""
    rules = {name: text for name, text in config.rule_files(SETTINGS, APP).items() if f"alert: {alert}\n" in text}
    folder = write(tmp_path / "rules", rules)
    picked = ", ".join(f'{key}="{value}"' for key, value in {"alertname": alert, **labels}.items())
    expression = f'(count(ALERTS{{alertstate="firing", {picked}}}) or vector(0)) > bool 0'
    expected = {"expr": expression, "eval_time": at, "exp_samples": [{"labels": "{}", "value": 1}]}
    document: dict[str, Any] = {
        "rule_files": [str(path) for path in folder.iterdir()],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": given, "promql_expr_test": [expected]}],
    }
    (tmp_path / "test.yaml").write_text(to_yaml(document))
    done = run(binary("promtool"), "test", "rules", str(tmp_path / "test.yaml"))
    said = f"{done.stdout}{done.stderr}"
    return "got: {} 0E+00" not in said and accepted(done)


def test_what_is_left_of_a_budget_can_be_asked_of_what_is_recorded(tmp_path: Path) -> None:
    """Five hours of 100 requests a minute, then an hour of 200 of which 20 fail: busy hours weigh more."""
    gate = next(
        builtin.gates(
            builtin.Service("dev", "api"), [Slo(name="http-availability", kind="availability", objective=99.9)]
        )
    )
    given = requests("0+100x300 30180+180x60 _x60", "_x301 20+20x59 _x60")
    expected = {"events": 30_000 + 12_000, "bad": 1_200, "days": 6 / 24}
    found = recorded(tmp_path, given, "7h", budgets.query(gate))
    assert found == pytest.approx(expected, rel=0.03)


def recorded(tmp_path: Path, given: list[dict[str, str]], at: str, query: str) -> dict[str, float]:
    """What a query of the recorded series answers, by Prometheus's own engine: figures by their names."""
    rules = {name: text for name, text in config.rule_files(SETTINGS, APP).items() if "slo:events:rate5m" in text}
    folder = write(tmp_path / "rules", rules)
    document: dict[str, Any] = {
        "rule_files": [str(path) for path in folder.iterdir()],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "1m",
                "input_series": given,
                "promql_expr_test": [{"expr": query, "eval_time": at, "exp_samples": []}],
            }
        ],
    }
    (tmp_path / "test.yaml").write_text(to_yaml(document))
    done = run(binary("promtool"), "test", "rules", str(tmp_path / "test.yaml"))
    rows = re.findall(r'figure="(\w+)"[^}]*\} ([0-9.E+-]+)', f"{done.stdout}{done.stderr}")
    return {name: float(value) for name, value in rows}


def test_a_fast_burn_wakes_somebody(tmp_path: Path) -> None:
    given = requests("0+95x90", "0+5x90")

    assert fires(tmp_path, given, "1h10m", "SLOErrorBudgetBurn", severity="page", window="1h")


def test_what_the_budget_can_bear_wakes_nobody(tmp_path: Path) -> None:
    given = requests("0+10000x90", "0+5x90")

    assert not fires(tmp_path, given, "1h10m", "SLOErrorBudgetBurn")


def test_a_service_that_is_hardly_used_wakes_nobody(tmp_path: Path) -> None:
    given = requests("0 0 1 1 1 1 2x80", "0 0 0 0 1x85")

    assert not fires(tmp_path, given, "30m", "SLOErrorBudgetBurn")


def test_a_burn_that_is_over_wakes_nobody(tmp_path: Path) -> None:
    given = requests("0+95x120", "0+5x30 150x90")

    assert not fires(tmp_path, given, "1h10m", "SLOErrorBudgetBurn", window="1h")


@pytest.mark.parametrize("bound", ["1", "1.0"])
def test_slow_answers_burn_the_latency_budget(tmp_path: Path, bound: str) -> None:
    name = "http_server_request_duration_seconds"
    slow = [series(f"{name}_bucket", "0+50x90", le=bound), series(f"{name}_count", "0+100x90")]
    quick = [series(f"{name}_bucket", "0+100x90", le=bound), series(f"{name}_count", "0+100x90")]

    assert fires(tmp_path, slow, "1h10m", "SLOLatencyBudgetBurn", severity="page")
    assert not fires(tmp_path, quick, "1h10m", "SLOLatencyBudgetBurn")


def test_an_app_that_does_not_answer_is_down(tmp_path: Path) -> None:
    assert fires(tmp_path, [series("up", "1x5 0x10", pod="api-1")], "10m", "AppDown", severity="page")
    assert not fires(tmp_path, [series("up", "1x15", pod="api-1")], "10m", "AppDown")


def test_an_app_that_was_never_there_is_missing(tmp_path: Path) -> None:
    there = [series("up", "1x15", pod="api-1")]

    assert fires(tmp_path, there, "10m", "AppTargetMissing", service="worker")
    assert not fires(tmp_path, there, "10m", "AppTargetMissing", service="api")


def test_a_container_that_restarts_again_and_again_is_a_crash_loop(tmp_path: Path) -> None:
    def started(name: str, values: str, uid: str = "1") -> dict[str, str]:
        return series("container_start_time_seconds", values, pod="api-1", container="api", name=name, uid=uid)

    looping = [started("a", "1x2"), started("b", "_ _ 2x2"), started("c", "_ _ _ _ 3x2"), started("d", "_x6 4x10")]

    assert fires(tmp_path, looping, "10m", "KubePodCrashLooping", pod="api-1")
    assert not fires(tmp_path, looping[:2], "10m", "KubePodCrashLooping")
    replaced = [started(str(number), "1x9", uid=str(number)) for number in range(5)]
    assert not fires(tmp_path, replaced, "10m", "KubePodCrashLooping")


def test_tokens_without_a_price_are_noticed(tmp_path: Path) -> None:
    tokens = "gen_ai_client_inference_usage_input_tokens_total"

    assert fires(tmp_path, [series(tokens, "0+9x90", gen_ai_request_model="new")], "40m", "CostPriceMissing")
    assert not fires(tmp_path, [series(tokens, "0+9x90", gen_ai_request_model="small")], "40m", "CostPriceMissing")


def test_spending_over_the_budget_is_noticed(tmp_path: Path) -> None:
    def spent(pace: int) -> list[dict[str, str]]:
        name = "gen_ai_client_inference_usage_{}_tokens_total"
        return [series(name.format(way), f"0+{pace}x120", gen_ai_request_model="small") for way in ("input", "output")]

    assert fires(tmp_path, spent(1_000_000), "1h40m", "CostBudgetBurn")
    assert not fires(tmp_path, spent(100), "1h40m", "CostBudgetBurn")


def test_the_watchdog_always_fires(tmp_path: Path) -> None:
    assert fires(tmp_path, [], "5m", "Watchdog")
