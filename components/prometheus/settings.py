"""`turnout:prometheus`: what is measured, how often, for how long, and which promises are watched."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from components.monitoring.settings import (
    Duration,
    Mebibytes,
    Name,
    ResourceSettings,
    Section,
    by_tier,
    resource_defaults,
    seconds,
)

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds of `http.server.request.duration`, in seconds (OpenTelemetry HTTP semantic conventions)."""
FASTEST_BURN: Final = 14.4
"""The highest burn rate that an alert waits for (Google SRE workbook, chapter 5)."""

Objective = Annotated[float, Field(lt=100, description="percent")]


class Slo(Section):
    """One promise over 30 days. `services` is a regular expression over workload names."""

    name: Name
    kind: Literal["availability", "latency", "workflow"]
    objective: Objective
    services: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.|()*+?\[\]-]+$")] = ".+"
    threshold: float | None = None
    """For latency: seconds within which a request must be answered. One of the histogram's bounds."""
    at_least: int = Field(default=20, ge=1, description="events in the long window, below which nobody is called")

    @model_validator(mode="after")
    def _can_be_broken(self) -> Self:
        lowest = 100 * (1 - 1 / FASTEST_BURN)
        if self.objective <= lowest:
            raise ValueError(f"objective {self.objective} can never fire an alert: it must be above {lowest:.2f}")
        return self

    @model_validator(mode="after")
    def _threshold_is_measured(self) -> Self:
        if self.kind == "latency" and self.threshold not in BUCKETS:
            raise ValueError(f"threshold: must be one of the histogram's bounds {', '.join(map(str, BUCKETS))}")
        if self.kind != "latency" and self.threshold is not None:
            raise ValueError("threshold: only for latency")
        return self

    @property
    def budget(self) -> float:
        """The share of events that may fail."""
        return round(1 - self.objective / 100, 10)


class Price(Section):
    """US dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class Costs(Section):
    """What the language models cost. Without prices there are no cost figures and no cost alerts."""

    daily_budget: float = Field(gt=0, description="US dollars")
    prices: dict[str, Price] = Field(min_length=1)


class ScrapeLimits(Section):
    """What one target may send. None of them may be 0, which to Prometheus means no limit."""

    samples: int = Field(default=10_000, ge=1)
    labels: int = Field(default=40, ge=1)
    label_name_length: int = Field(default=128, ge=1)
    label_value_length: int = Field(default=1_024, ge=1)
    targets: int = Field(default=500, ge=1, description="of one scrape job")
    body: Mebibytes = Field(default=32, validate_default=True)


class Kubelet(Section):
    """Containers' and volumes' figures, from the kubelet of each node. It needs the right to read `nodes/metrics`."""

    enabled: bool = True
    verify_tls: bool = False
    """Verify the kubelets' certificates by the cluster's own authority. Most clusters leave them self-signed."""


class PrometheusSettings(Section):
    enabled: bool = True
    replicas: int = Field(default=1, ge=1, le=2)
    retention: Duration
    storage: Mebibytes
    storage_class: str = ""
    resources: ResourceSettings
    scrape_interval: Duration
    app_scrape_interval: Duration
    """How often the app itself is asked. A rollout's gates see no sooner than this that a release has turned bad; they
    look every `rollout.interval` seconds, so let it be at most half of that."""
    limits: ScrapeLimits = ScrapeLimits()
    series_budget: int = Field(ge=1_000, description="series in memory that the resources are meant for")
    kubelet: Kubelet = Kubelet()
    kube_state_metrics: str | None = Field(default=None, pattern=r"^[a-z0-9.-]+:\d+$")
    """host:port, such as `kube-state-metrics.kube-system.svc:8080`. None: alerts that need it are left out."""
    slos: tuple[Slo, ...] = (
        Slo(name="http-availability", kind="availability", objective=99.9),
        Slo(name="http-latency", kind="latency", objective=99, threshold=1.0),
        Slo(name="workflow-success", kind="workflow", objective=99),
    )
    costs: Costs | None = None
    runbooks: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """Where the folder `runbooks/` is published; alerts then carry a `runbook_url` beside the page's path."""
    disabled_alerts: tuple[str, ...] = ()

    @field_validator("disabled_alerts")
    @classmethod
    def _alerts_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value:
            from components.prometheus import written  # reads YAML, which most programs that read settings never need

        for name in value:
            if name not in written.alert_names():
                near = get_close_matches(name, written.alert_names(), 1)
                raise ValueError(f"there is no alert {name}" + (f"; did you mean {near[0]}?" if near else ""))
        return value

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [slo.name for slo in self.slos]
        if len(set(names)) < len(names):
            raise ValueError("slos: two have the same name")
        return self

    @model_validator(mode="after")
    def _interval_is_usable(self) -> Self:
        for name in ("scrape_interval", "app_scrape_interval"):
            if not 1 <= seconds(getattr(self, name)) <= 120:
                raise ValueError(
                    f"{name}: must be from 1s to 2m: a series is forgotten 5 minutes after its last sample"
                )
        return self


defaults = by_tier(
    dev={
        "retention": "2d",
        "storage": "2Gi",
        "scrape_interval": "10s",
        "app_scrape_interval": "2s",
        "series_budget": 150_000,
        "resources": resource_defaults(50, "256Mi", "768Mi"),
    },
    staging={
        "retention": "15d",
        "storage": "20Gi",
        "scrape_interval": "15s",
        "app_scrape_interval": "5s",
        "series_budget": 500_000,
        "resources": resource_defaults(200, "1Gi", "2Gi"),
    },
    prod={
        "replicas": 2,
        "retention": "30d",
        "storage": "100Gi",
        "scrape_interval": "15s",
        "app_scrape_interval": "5s",
        "series_budget": 2_000_000,
        "resources": resource_defaults(1000, "4Gi", "8Gi"),
    },
)
