"""How environments keep the policies as they are declared: rendered without a cluster, each rule counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.engine.model import Mode, Plan
from cli.errors import TurnoutError
from cli.review.model import Finding, Reviewed

if TYPE_CHECKING:
    from infra.policies import Exempted, Tally
    from infra.settings import Settings

SCHEMA = 1


@dataclass(frozen=True)
class Kept:
    """One environment. `failed`: why it could not be rendered. `exceptions`: those of its settings."""

    environment: str
    tallies: tuple[Tally, ...] = ()
    findings: tuple[Finding, ...] = ()
    exceptions: tuple[Exempted, ...] = ()
    failed: str = ""

    @property
    def refused(self) -> bool:
        return any(finding.refuses for finding in self.findings)

    def ending(self, within: timedelta, today: date | None = None) -> Exempted | None:
        """The exception that ends next of those that something needs, where that is so soon."""
        from infra import policed

        last = (today or policed.now()) + within
        used = {finding.excepted for finding in self.findings}
        soon = [each for each in self.exceptions if str(each) in used and each.expires <= last]
        return min(soon, key=lambda each: each.expires, default=None)

    def reviewed(self) -> Reviewed:
        """The same as a review of no change, for outputs of reviews."""
        plan = Plan(self.environment, (), {}, 0.0, "", "", mode=Mode.HERMETIC)
        return Reviewed(plan, findings=self.findings, failed=self.failed)

    def to_json(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "failed": self.failed,
            "rules": [vars(tally) for tally in self.tallies],
            "findings": [finding.to_json() for finding in self.findings],
            "exceptions": [vars(each) | {"expires": each.expires.isoformat()} for each in self.exceptions],
        }


def document(reports: Sequence[Kept]) -> dict[str, Any]:
    """The JSON document of a report."""
    return {"schema": SCHEMA, "kind": "policies", "environments": [report.to_json() for report in reports]}


def of(root: Path, environment: str) -> Kept:
    """One environment's report; what its program or its settings refuse is told in it."""
    from cli.engine.run import check_settings

    try:
        return _judged(root, check_settings(root, environment))
    except TurnoutError as error:
        return Kept(environment, failed=str(error))


def _judged(root: Path, settings: Settings) -> Kept:
    from cli.engine.render import render
    from cli.review import findings
    from infra import policed

    objects = findings.objects(render(root, settings.environment))
    judged = policed.judgement(objects.values(), settings, policed.now())
    found = tuple(findings.told(judged, objects, findings.keys(judged)))
    return Kept(settings.environment, judged.tallies, found, tuple(policed.exceptions(settings)))
