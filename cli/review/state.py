"""The preview against the last state: the engine's plan by what was recorded, with no cluster asked.

It needs the state store and what opens its secrets. What happened in the cluster since, it cannot see, nor where the
cursor stands now: tracks are where the last update left them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cli.engine.model import Plan
    from cli.progress import Progress


def plan(root: Path, environment: str, targets: Sequence[str], progress: Progress) -> Plan:
    """What an apply would change if the cluster is as the state says. Raises TurnoutError."""
    from cli.engine.run import Engine

    return Engine(root, environment, progress).preview(targets, offline=True)
