"""The monitoring's settings beside themselves, beside the app's, and beside the rules that are written as data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

from cli.validate.app import WITHOUT_USE
from cli.validate.model import Finding, Level, Place
from cli.validate.needless import leaves
from cli.validate.project import Environment, Project
from cli.validate.written import parse
from components.app.settings import Running
from components.monitoring.settings import seconds
from components.prometheus.settings import Slo
from infra.model import Settings

BYTES_A_SAMPLE: Final = 2
"""What a sample takes on disk at most (Prometheus, "Storage": one to two bytes)."""
_RULES_OF_APP: Final = "components/prometheus/rules/app.yaml"
_COMPARED: Final = re.compile(r"> ([\d.]+)(?![\d.]* *[*])")
_MEBIBYTE: Final = 1 << 20
_DAY: Final = 86_400
_SWITCHED: Final = ("postgres", "redis", "prometheus", "alertmanager", "grafana", "loki", "collector", "node-exporter")
_FED_BY: Final[Mapping[str, tuple[str, str]]] = {
    "alertmanager": ("prometheus", "nobody sends it an alert"),
    "grafana": ("prometheus", "it is left out"),
    "loki": ("collector", "nobody sends it a log"),
}


def check(project: Project) -> Iterator[Finding]:
    for environment, settings in project.settings():
        for rule in _RULES:
            yield from rule(environment, settings)


def running(settings: Settings) -> dict[str, Running]:
    """The parts that are measured."""
    return {**settings.app.services, **settings.app.workers}


def _promises_of_nobody(environment: Environment, settings: Settings) -> Iterator[Finding]:
    for at, slo in enumerate(settings.prometheus.slos):
        if not any(_is_of(slo, name) for name in running(settings)):
            message = f"the promise {slo.name} is of services like `{slo.services}`, and there is none: it never fires"
            where = environment.at("prometheus", "slos", at, "services")
            yield environment.finding("names-nothing", Level.ERROR, where, message, _one_of(running(settings)))


def _gates_of_nobody(environment: Environment, settings: Settings) -> Iterator[Finding]:
    for name, gate in settings.rollout.gates.items():
        if not any(gate.asks(service) for service in settings.app.services):
            message = f"the gate {name} is asked of no service"
            where = environment.at("rollout", "gates", name, "services")
            yield environment.finding("names-nothing", Level.ERROR, where, message, _one_of(settings.app.services))


def _is_of(slo: Slo, name: str) -> bool:
    try:
        return re.fullmatch(slo.services, name) is not None
    except re.error:
        return False


def _one_of(parts: Mapping[str, object]) -> str:
    return f"there are: {', '.join(sorted(parts)) or 'none'}"


def _receivers_without_route(environment: Environment, settings: Settings) -> Iterator[Finding]:
    alertmanager = settings.alertmanager
    for at, receiver in enumerate(alertmanager.receivers):
        if receiver.name not in (alertmanager.page, alertmanager.ticket):
            message = f"no alert is sent to the receiver {receiver.name}: it is neither `page` nor `ticket`"
            where = environment.at("alertmanager", "receivers", at)
            remedy = "name it under `page` or `ticket`, or take it out"
            yield environment.finding("without-use", Level.WARNING, where, message, remedy)


def _nobody_is_woken(environment: Environment, settings: Settings) -> Iterator[Finding]:
    if settings.tier == "prod" and settings.alertmanager.enabled and settings.alertmanager.page is None:
        message = "alerts that should wake somebody are only visible in Alertmanager"
        where = environment.at("alertmanager", "page")
        remedy = "name a receiver under `page`"
        yield environment.finding("contradiction", Level.WARNING, where, message, remedy)


def _switched_off(environment: Environment, _: Settings) -> Iterator[Finding]:
    for section in _SWITCHED:
        if environment.value(section, "enabled") is not False:
            continue
        for place, _value in leaves(environment.sections[section], (section,)):
            if place != (section, "enabled"):
                message = f"{WITHOUT_USE} while {section} is switched off"
                where, other = environment.at(*place), environment.at(section, "enabled")
                yield environment.finding("without-use", Level.WARNING, where, message, "take it out", other)


def _unfed(environment: Environment, settings: Settings) -> Iterator[Finding]:
    for section, (source, follows) in _FED_BY.items():
        if getattr(settings, section).enabled and not getattr(settings, source).enabled:
            where, other = environment.at(section), environment.at(source, "enabled")
            message = f"{section} is on and {source} is off: {follows}"
            remedy = f"switch {section} off too, or {source} on"
            yield environment.finding("contradiction", Level.WARNING, where, message, remedy, other)


def _nothing_to_ship_to(environment: Environment, settings: Settings) -> Iterator[Finding]:
    if settings.collector.enabled and not settings.loki.enabled and settings.collector.traces_to is None:
        where, other = environment.at("collector"), environment.at("loki", "enabled")
        message = "the collector has nowhere to send logs (loki is off) or traces (no `traces_to`)"
        yield environment.finding("contradiction", Level.WARNING, where, message, "switch it off too", other)


def _seen_too_late(environment: Environment, settings: Settings) -> Iterator[Finding]:
    interval, asked = settings.rollout.interval, settings.prometheus.app_scrape_interval
    if settings.prometheus.enabled and seconds(asked) > interval / 2:
        where = environment.at("prometheus", "app_scrape_interval")
        message = (
            f"gates look every {interval} s at what is measured every {asked}: half of their looks see nothing new"
        )
        remedy = "at most half of `rollout.interval`"
        other = environment.at("rollout", "interval")
        yield environment.finding("contradiction", Level.WARNING, where, message, remedy, other)


def _burst_under_rate(environment: Environment, settings: Settings) -> Iterator[Finding]:
    limits = settings.loki.limits
    if limits.ingestion_burst_mb < limits.ingestion_rate_mb:
        where = environment.at("loki", "limits", "ingestion_burst_mb")
        message = f"a burst of {limits.ingestion_burst_mb} MB is less than one second of the rate"
        other = environment.at("loki", "limits", "ingestion_rate_mb")
        yield environment.finding("contradiction", Level.WARNING, where, message, "at least the rate", other)


def _retention_over_volume(environment: Environment, settings: Settings) -> Iterator[Finding]:
    """Prometheus deletes its oldest blocks when the volume is full, whatever the retention says."""
    prometheus = settings.prometheus
    if not prometheus.enabled:
        return
    days = _days_kept(prometheus.series_budget, seconds(prometheus.scrape_interval), prometheus.storage)
    if days >= seconds(prometheus.retention) / _DAY:
        return
    keys = ("retention", "storage", "series_budget", "scrape_interval")
    said = [key for key in keys if environment.says("prometheus", key)]
    where = environment.at("prometheus", *(said[:1] or ["retention"]))
    message = (
        f"at the budget of {prometheus.series_budget:,} series the volume holds {days:.1f} days, "
        f"not {prometheus.retention}: the oldest go first"
    )
    remedy = "more `storage`, a longer `scrape_interval`, or fewer series than the budget"
    others = [environment.at("prometheus", key) for key in said[1:]]
    level = Level.WARNING if said else Level.NOTE
    yield environment.finding("contradiction", level, where, message, remedy, *others)


def _days_kept(series: int, interval: float, storage: int) -> float:
    return storage * _MEBIBYTE * 0.8 / (series / interval * BYTES_A_SAMPLE) / _DAY


def _alert_within_promise(environment: Environment, settings: Settings) -> Iterator[Finding]:
    """An alert that fires for what a promise allows is one of the two figures too many."""
    fixed = thresholds()
    for at, slo in enumerate(settings.prometheus.slos):
        for alert, limit, allowed in _beside_promise(slo, fixed):
            if alert in settings.prometheus.disabled_alerts or limit.value >= allowed:
                continue
            message = f"{alert} fires above {limit.value:g}, which the promise {slo.name} allows (up to {allowed:g})"
            where = environment.at("prometheus", "slos", at)
            remedy = f"tighten the promise, or name {alert} under `disabled_alerts`: the promise has alerts of its own"
            yield environment.finding("contradiction", Level.WARNING, where, message, remedy, limit.place)


@dataclass(frozen=True)
class Limit:
    """A figure that an alert compares with, and where it is written."""

    value: float
    place: Place


def thresholds() -> dict[str, Limit]:
    """The figure of each alert of the app that is written as data, by the alert's name."""
    text = (resources.files("components.prometheus") / "rules" / "app.yaml").read_text()
    keys = {key.path: key for key in parse(_RULES_OF_APP, text).all}
    found: dict[str, Limit] = {}
    for path, key in keys.items():
        expression = keys.get((*path[:-1], "expr"))
        if path[-1] == "alert" and expression and (compared := _COMPARED.search(expression.value or "")):
            found[str(key.value)] = Limit(float(compared[1]), Place(_RULES_OF_APP, expression.line, str(key.value)))
    return found


def _beside_promise(slo: Slo, fixed: Mapping[str, Limit]) -> Iterator[tuple[str, Limit, float]]:
    beside = {
        "availability": ("HTTPErrorRatioHigh", slo.budget),
        "latency": ("HTTPLatencyP95High", slo.threshold or 0.0),
        "workflow": ("WorkflowFailureRatioHigh", slo.budget),
    }
    alert, allowed = beside[slo.kind]
    if alert in fixed:
        yield alert, fixed[alert], allowed


_RULES: Final[tuple[Callable[[Environment, Settings], Iterator[Finding]], ...]] = (
    _promises_of_nobody,
    _gates_of_nobody,
    _receivers_without_route,
    _nobody_is_woken,
    _switched_off,
    _unfed,
    _nothing_to_ship_to,
    _seen_too_late,
    _burst_under_rate,
    _retention_over_volume,
    _alert_within_promise,
)
