"""The rules that are written as data, in `rules/*.yaml`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, Final, cast

import yaml

FILES: Final = ("app", "nodes", "pods", "kube-state", "monitoring", "loki", "collector", "grafana")
MADE: Final = frozenset(
    {"SLOErrorBudgetBurn", "SLOLatencyBudgetBurn", "AppTargetMissing", "MonitoringTargetMissing"}
    | {"CostBudgetBurn", "CostSpike", "CostPriceMissing"}
)
"""Alerts that are made from settings (`slo`, `costs`, `ruleset`)."""
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, ten times as fast, where PyYAML was built with it."""


def groups(name: str) -> list[dict[str, Any]]:
    """The groups of one file; the caller may change them."""
    return cast("list[dict[str, Any]]", yaml.load(_text(name), Loader=_LOADER)["groups"])


@cache
def alert_names() -> frozenset[str]:
    """Every alert that there is, whether or not an environment has its metrics."""
    rules = (rule for name in FILES for group in groups(name) for rule in group["rules"])
    return MADE | {rule["alert"] for rule in rules if "alert" in rule}


@cache
def _text(name: str) -> str:
    return (resources.files("components.prometheus") / "rules" / f"{name}.yaml").read_text()
