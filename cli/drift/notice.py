"""One line about drift for a live preview, looked for beside it: the plan itself compares with the state alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cli.drift.model import Report
from cli.errors import TurnoutError

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from infra.review import IgnoredDrift


def question(root: Path, environment: str) -> Callable[[Kube], str]:
    """What asks for that line; empty: there is no drift.

    The settings are read at once: what is asked beside the program must load nothing that the program loads, too.
    """
    from cli.drift import settings

    ignores: Mapping[str, IgnoredDrift] = {}
    with suppress(TurnoutError):
        ignores = settings.read(root, environment)

    def ask(kube: Kube) -> str:
        from cli.drift import looking
        from cli.engine.failures import StackMissing

        try:
            return said(looking.look(kube, root, environment, ignores)[0])
        except StackMissing:
            return ""

    return ask


def said(report: Report) -> str:
    """`2 of 45 objects were changed by others …`; nothing where there is known to be no drift."""
    if report.unknown:
        return report.summary
    if not report.drifted:
        return ""
    return f"{report.summary} since the last apply, which a plan does not show: turnout drift {report.environment}"
