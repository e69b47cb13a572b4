"""The monitoring's settings and rendered files as tests want them, and the real programs that check them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from cli import paths
from cli.progress import Silent
from cli.sandbox import build, parts, toolchain
from components.alertmanager import settings as alertmanager
from components.collector import settings as collector
from components.environment import Namespaces, Placement, Stack, Tier
from components.grafana import settings as grafana
from components.loki import settings as loki
from components.node_exporter import settings as node_exporter
from components.prometheus import settings as prometheus
from components.prometheus.ruleset import Sources
from components.secret import Secret

TIERS = ("dev", "staging", "prod")
APP = Sources(app=("api", "worker"))
NAMESPACES = Namespaces.of("dev")
EVERYTHING: Mapping[str, Any] = {
    "kube_state_metrics": "kube-state-metrics.kube-system.svc:8080",
    "costs": {"daily_budget": 50, "prices": {"small": {"input": 1, "output": 5}}},
}
HEARTBEAT = {"url": "https://heartbeat.example.com/ping", "key": "s3cret-heartbeat"}


def place(stack: Stack, component: str, environment: str = "dev") -> Placement:
    return Placement(
        environment=environment,
        tier=cast("Tier", environment),
        namespaces=Namespaces.of(environment),
        stack=stack,
        component=component,
        api_ports=(443, 6443),
    )


def prometheus_settings(tier: str = "dev", **changes: Any) -> prometheus.PrometheusSettings:
    return prometheus.PrometheusSettings.model_validate(prometheus.defaults(tier) | changes)


def alertmanager_settings(tier: str = "dev", **changes: Any) -> alertmanager.AlertmanagerSettings:
    required = {"heartbeat": HEARTBEAT} if tier == "prod" else {}
    return alertmanager.AlertmanagerSettings.model_validate(alertmanager.defaults(tier) | required | changes)


def loki_settings(tier: str = "dev", **changes: Any) -> loki.LokiSettings:
    return loki.LokiSettings.model_validate(loki.defaults(tier) | changes)


def collector_settings(tier: str = "dev", **changes: Any) -> collector.CollectorSettings:
    return collector.CollectorSettings.model_validate(collector.defaults(tier) | changes)


def node_exporter_settings(tier: str = "dev", **changes: Any) -> node_exporter.NodeExporterSettings:
    return node_exporter.NodeExporterSettings.model_validate(node_exporter.defaults(tier) | changes)


def grafana_settings(tier: str = "dev", **changes: Any) -> grafana.GrafanaSettings:
    password = {"admin_password": Secret("s3cret-admin")}
    return grafana.GrafanaSettings.model_validate(grafana.defaults(tier) | password | changes)


def read(files: Mapping[str, str], name: str) -> Any:
    return yaml.safe_load(files[name])


def binary(name: str) -> Path:
    """A real program of the sandbox's parts; skips the test where it was not built yet."""
    program = _built(name)
    if not program.is_file():
        pytest.skip(f"{name} was not built yet: make test builds it")
    return program


@cache
def _built(name: str) -> Path:
    [part] = parts.find([name])
    return paths.cache_dir() / "bin" / f"{part.name}-{build.key(part, toolchain.find(Silent()))}" / name


def run(program: Path, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *words], capture_output=True, text=True, timeout=120, check=False, env=dict(environment or {})
    )


def accepted(done: subprocess.CompletedProcess[str]) -> bool:
    if done.returncode:
        pytest.fail(f"{done.stdout}\n{done.stderr}", pytrace=False)
    return True


def write(folder: Path, files: Mapping[str, str], moved: Mapping[str, str] | None = None) -> Path:
    """Files in a folder, with paths of the pod replaced by those of this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        for inside, here in (moved or {}).items():
            text = text.replace(inside, here)
        (folder / name).write_text(text)
    return folder


APP_METRIC = re.compile(r"\b((?:http_server|gen_ai|app)_\w+?)(?:_count|_bucket)?(?=\{)")


def app_metrics(expressions: Iterator[str]) -> set[str]:
    """The app's metrics that PromQL expressions read, less the endings of histograms."""
    return {name for text in expressions for name in APP_METRIC.findall(text)}
