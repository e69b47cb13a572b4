"""Alerts and their runbooks, and the services that rules and dashboards name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cli.drift.alerting import NAME as ALERT
from cli.validate.model import Finding, Level, Place
from cli.validate.project import Project
from cli.validate.written import parse

RULES: Final = "components/prometheus/rules"
DASHBOARDS: Final = "components/grafana/dashboards"
RUNBOOKS: Final = "runbooks"
INDEX: Final = "ALERTS.md"
_DRIFT: Final = "cli/drift/alerting.py"
_MADE: Final = "components/prometheus/written.py"
_NAMED: Final = re.compile(r'\bservice(=~?)\\?"([^"\\$]+)\\?"')
_LINK: Final = re.compile(r"\]\((\w+)\.md\)")


def check(project: Project) -> Iterator[Finding]:
    if not (project.root / RULES).is_dir():
        return
    alerts = _alerts(project.root)
    if not (project.root / RUNBOOKS).is_dir():
        message = f"there is no folder {RUNBOOKS}/: none of {len(alerts)} alerts has its page"
        yield Finding(
            "alert-without-runbook", Level.ERROR, (Place(RUNBOOKS),), message, "write one page for each alert"
        )
        return
    yield from _without_runbook(project.root, alerts)
    yield from _without_alert(project.root, alerts)
    yield from _index(project.root)
    yield from _strangers(project)


def _alerts(root: Path) -> dict[str, Place]:
    """Every alert with the place that it is first written at."""
    found: dict[str, Place] = {}
    for file in sorted((root / RULES).glob("*.yaml")):
        name = f"{RULES}/{file.name}"
        for key in parse(name, file.read_text(encoding="utf-8")).all:
            if key.path[-1] == "alert" and key.value:
                found.setdefault(key.value, Place(name, key.line, key.value))
    return {**_made(root), **found, ALERT: Place(_DRIFT, 0, ALERT)}


def _made(root: Path) -> dict[str, Place]:
    """Alerts that are made from settings."""
    from components.prometheus.written import MADE

    lines = (root / _MADE).read_text(encoding="utf-8").splitlines() if (root / _MADE).is_file() else []
    return {name: Place(_MADE, _line_of(f'"{name}"', lines), name) for name in sorted(MADE)}


def _line_of(text: str, lines: list[str]) -> int:
    return next((at for at, line in enumerate(lines, 1) if text in line), 0)


def _pages(root: Path) -> dict[str, Place]:
    """Runbook pages of alerts: named as the alert is. Others are of operations."""
    pages = sorted(file for file in (root / RUNBOOKS).glob("*.md") if file.stem[0].isupper() and file.name != INDEX)
    return {file.stem: Place(f"{RUNBOOKS}/{file.name}", 1) for file in pages}


def _without_runbook(root: Path, alerts: Mapping[str, Place]) -> Iterator[Finding]:
    pages = _pages(root)
    for name, place in alerts.items():
        if name not in pages:
            message = f"the alert {name} has no runbook: whoever it wakes finds nothing to go by"
            yield Finding("alert-without-runbook", Level.ERROR, (place,), message, f"write {RUNBOOKS}/{name}.md")


def _without_alert(root: Path, alerts: Mapping[str, Place]) -> Iterator[Finding]:
    for name, place in _pages(root).items():
        if name not in alerts:
            message = f"there is no alert {name}"
            yield Finding("runbook-without-alert", Level.ERROR, (place,), message, "delete the page, or name its alert")


def _index(root: Path) -> Iterator[Finding]:
    file = root / RUNBOOKS / INDEX
    if not file.is_file():
        return
    text = file.read_text(encoding="utf-8")
    linked, pages = set(_LINK.findall(text)), _pages(root)
    for name in sorted(pages.keys() - linked):
        message = f"{RUNBOOKS}/{INDEX} does not name it"
        yield Finding("runbook-without-alert", Level.ERROR, (pages[name],), message, "add its line")
    for name in sorted(linked - pages.keys()):
        place = Place(f"{RUNBOOKS}/{INDEX}", _line_of(f"({name}.md)", text.splitlines()), name)
        yield Finding("runbook-without-alert", Level.ERROR, (place,), "there is no such page", "take the line out")


def _strangers(project: Project) -> Iterator[Finding]:
    """Services that a rule or a dashboard names and that no environment declares: it shows nothing, or never fires."""
    known = {name for _, settings in project.settings() for name in _parts(settings)} | set(_OWN)
    if not known - set(_OWN):
        return
    for file, line, text in _expressions(project.root):
        for how, names in _NAMED.findall(text):
            for name in names.split("|") if how == "=~" else [names]:
                if not _is_known(name, how, known):
                    message = f"names the service {name}, which no environment declares"
                    remedy = f"there are: {', '.join(sorted(known))}"
                    yield Finding("names-nothing", Level.ERROR, (Place(file, line, name),), message, remedy)


_OWN: Final = ("prometheus", "alertmanager", "loki", "collector", "node-exporter", "grafana")


def _parts(settings: Any) -> list[str]:
    return [*settings.app.services, *settings.app.workers, *settings.app.jobs, "postgres", "redis"]


def _is_known(name: str, how: str, known: set[str]) -> bool:
    if how == "=":
        return name in known
    try:
        return any(re.fullmatch(name, each) for each in known)
    except re.error:
        return True


def _expressions(root: Path) -> Iterator[tuple[str, int, str]]:
    for folder, pattern in ((RULES, "*.yaml"), (DASHBOARDS, "*.json")):
        for file in sorted((root / folder).glob(pattern)):
            text = file.read_text(encoding="utf-8")
            if "service=" not in text:
                continue
            for key in parse(f"{folder}/{file.name}", text).all:
                if key.path[-1] in ("expr", "query", "definition") and key.value and "service=" in key.value:
                    yield f"{folder}/{file.name}", key.line, key.value
