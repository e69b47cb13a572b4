"""Every check of a project's settings, and every rule that they report under."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from cli.validate import across, alerts, app, images, loaded, monitoring, needless, secrets
from cli.validate.model import Finding, Level, Report
from cli.validate.project import Project, load
from cli.validate.ssot import check as ssot

RULES: Final[Mapping[str, str]] = {
    "settings": "A settings file loads: it is YAML, every key is known, every value is allowed.",
    "defined-twice": "A setting is defined once in its file.",
    "defined-elsewhere": "A setting is defined in Pulumi.<env>.yaml and nowhere else.",
    "needless": "A file says only what differs from the defaults of its tier.",
    "same-everywhere": "What every environment says alike is a default.",
    "contradiction": "No two settings contradict each other.",
    "without-use": "A setting has an effect.",
    "trap": "No setting is a known way to lose requests in a rollout.",
    "names-nothing": "What a setting, a rule or a dashboard names exists.",
    "image-not-pinned": "Outside dev an image is named by its digest.",
    "secret-missing": "Every required secret is there.",
    "secret-old": "No secret is older than `turnout:review.secrets.max_age_days`.",
    "secret-shared": "No two environments share a secret.",
    "secret-in-plain-text": "No secret stands in plain text.",
    "shared-cluster": "Prod has a cluster of its own.",
    "alert-without-runbook": "Every alert has its runbook.",
    "runbook-without-alert": "Every runbook of an alert has its alert.",
    "live": "What runs is what the settings say.",
    "lock": "SSOT_LOCK.yml is there and can be read.",
    "second-definition": "Every kind of setting has the one source that SSOT_LOCK.yml names.",
    "source-gone": "What SSOT_LOCK.yml names is there.",
    "example-value": "No value is the example's any more.",
}
"""Rule to what it asks for."""

CHECKS: Final[tuple[Callable[[Project], Iterable[Finding]], ...]] = (
    loaded.check,
    needless.check,
    app.check,
    monitoring.check,
    across.check,
    images.check,
    secrets.check,
    alerts.check,
    lambda project: _traps(project),
    ssot.check,
)
_ORDER: Final = tuple(Level)


def validate(root: Path, chosen: Iterable[str] = ()) -> Report:
    """What is wrong, contradictory or needless in the settings of the chosen environments (default: all)."""
    begun = time.monotonic()
    project = load(root)
    wanted = tuple(chosen) or tuple(project.environments)
    found = [finding for check in CHECKS for finding in check(project) if _concerns(finding, wanted, project)]
    return Report(wanted, tuple(sorted(found, key=rank)), time.monotonic() - begun)


def _concerns(finding: Finding, wanted: tuple[str, ...], project: Project) -> bool:
    """A finding between environments concerns each of them; one of no environment concerns everybody."""
    files = {project.environments[name].file: name for name in project.environments}
    touched = {files[place.file] for place in finding.places if place.file in files} | {finding.environment} - {""}
    return not touched or bool(touched & set(wanted))


def rank(finding: Finding) -> tuple[int, str, int, str]:
    """The order of a report: the worst first, then by place."""
    return _ORDER.index(finding.level), finding.places[0].file, finding.places[0].line, finding.rule


def _traps(project: Project) -> Iterator[Finding]:
    from infra.traps import of_settings

    for environment, settings in project.settings():
        for trap in of_settings(settings, environment.sections):
            where = environment.at(*trap.where.split("."))
            yield environment.finding("trap", Level.WARNING, where, trap.why, trap.fix)
