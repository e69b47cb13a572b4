"""Which environments a review is about, what it is made from, and the settings that it is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.engine.model import Mode
from cli.errors import UsageError

if TYPE_CHECKING:
    from infra.model import Settings


def environments(root: Path, named: Sequence[str], *, every: bool) -> tuple[str, ...]:
    """Those named, each once, or every one that has settings. Raises UsageError for none, or for both."""
    if named and every:
        raise UsageError("name environments, or say --all, not both", next="turnout preview --all")
    if not named and not every:
        raise UsageError("which environment?", next=f"turnout preview {' '.join(known(root)) or 'dev'}")
    return tuple(dict.fromkeys(named)) or known(root)


def mode(wanted: Mode | None, *, base: str, head: str, targets: Sequence[str] = ()) -> Mode:
    """The mode that was asked for; commits mean hermetic. Raises UsageError for what does not go together."""
    found = wanted or (Mode.HERMETIC if base or head else Mode.LIVE)
    if (base or head) and found is not Mode.HERMETIC:
        raise UsageError(f"--base and --head compare two commits, which is no {found} preview", next="drop --mode")
    if head and not base:
        raise UsageError(f"compare {head} with what?", next=f"turnout preview … --base origin/main --head {head}")
    if targets and found is Mode.HERMETIC:
        raise UsageError("--target is the engine's, and a hermetic preview has none", next="drop --target, or --mode")
    return found


def known(root: Path) -> tuple[str, ...]:
    """The environments that have a settings file, dev before staging before prod, then by name."""
    names = {file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in root.glob("Pulumi.*.yaml")}
    return tuple(sorted(names, key=lambda name: (_rank(name), name)))


def settings(folder: Path, environment: str) -> Settings | None:
    """By the model of the running turnout, not that of the commit; a project of another shape has none."""
    from infra.settings import SettingsError, load

    try:
        return load(folder / f"Pulumi.{environment}.yaml", environment, placeholders=True)
    except SettingsError:
        return None


def _rank(name: str) -> int:
    from components.environment import TIERS

    return TIERS.index(name) if name in TIERS else len(TIERS)
