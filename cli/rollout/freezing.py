"""Keeps an environment as it is while its settings say that it is frozen, unless somebody says why not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import Refused
from cli.rollout.freeze import Window, frozen, thaw

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from components.rollout.settings import FreezeSettings


def must_be_open(
    root: Path | None, environment: str, command: str, override: str = "", now: datetime | None = None
) -> Window | None:
    """Raises Refused (exit 4) in a freeze window. With `override`, the reason to go on, the window that is overridden.

    `root`: the checkout that has the settings; without one nothing says that there is a freeze.
    """
    moment = now or datetime.now(UTC)
    freezes = of(root, environment)
    window = frozen(freezes, moment)
    if window is None or override:
        return window
    free = thaw(freezes, moment)
    after = f"wait until {free:%Y-%m-%d %H:%M} {free.tzname()}" if free else "no end is in sight"
    raise Refused(
        f"{environment} is frozen; nothing was touched",
        why=str(window),
        next=f'{after}; if it cannot wait: {command} --override-freeze "WHY"',
    )


def overridden(kube: Kube, environment: str, window: Window, command: str, why: str) -> None:
    """Writes down that a freeze was overridden, by whom and why; before anything is changed."""
    from cli.rollout import audit

    what = f"{command} --override-freeze"
    audit.write(kube, environment, audit.entry(kube, what, why=why, outcome=f"overrides the freeze {window}"))


def of(root: Path | None, environment: str) -> tuple[FreezeSettings, ...]:
    """The environment's freeze windows."""
    from cli.engine.run import check_settings

    there = root is not None and (root / f"Pulumi.{environment}.yaml").is_file()
    return check_settings(root, environment).rollout.freeze if root and there else ()
