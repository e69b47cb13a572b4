"""`turnout drift --ignore`: writes into the settings what is passed over, by whom, why and until when."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.drift import choosing, passing, settings
from cli.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

    from cli.drift.model import Report
    from cli.yamlfile import YamlFile

LEAST = 10
"""Characters that a reason has at least."""


def must_be_whole(command: str, reason: str, owner: str, until: str) -> date:
    """The last day. Raises UsageError where something is missing: what is passed over has a reason and an end."""
    lacking = [name for name, text in (("--reason", reason), ("--owner", owner), ("--until", until)) if not text]
    if lacking:
        raise UsageError(
            f"--ignore needs {', '.join(lacking)}",
            why="what is passed over has a reason, somebody who answers for it, and an end",
            next=f'{command} --reason "WHY, in a sentence" --owner NAME --until 14d',
        )
    if len(reason) < LEAST:
        raise UsageError(f"--reason {reason!r} is too short", why=f"at least {LEAST} characters, for whoever reads it")
    return passing.until(until)


def ignored(
    root: Path, report: Report, addresses: Sequence[str], *, reason: str, owner: str, expires: date
) -> YamlFile:
    """The settings file with an entry for each drifted field of the chosen objects, not yet saved."""
    found = choosing.chosen(report, addresses)
    taken = settings.read(root, report.environment)
    entries = passing.entries(found, taken, reason=reason, owner=owner, expires=expires)
    return settings.with_ignored(root, report.environment, entries)
