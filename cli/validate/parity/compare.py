"""Reads environments and renders them, each also at the first one's tier, and compares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import TurnoutError, UsageError
from cli.validate.parity import levelled, resources, settings
from cli.validate.parity.model import Parity
from cli.validate.project import Environment, Project, load
from components.environment import TIERS

if TYPE_CHECKING:
    from cli.engine.graph import ResourceGraph
    from cli.review.renders import Rendered


def parity(root: Path, names: Sequence[str]) -> Parity:
    """How environments differ. Raises UsageError for settings that do not load, TurnoutError for a failed render."""
    project = load(root)
    chosen = [_chosen(project, name) for name in names]
    lowest, *others = sorted(chosen, key=_tier)
    with levelled.folder(root, lowest, others) as folder:
        graphs, at_first = _rendered(root, names, folder, [each.name for each in others])
        flat = load(folder)
    level = [found for each in others if (found := flat.environments[each.name]).settings is not None]
    ordered = {lowest.name: graphs[lowest.name]} | graphs
    lone, fields = resources.compare(ordered, at_first if len(at_first) == len(others) else {})
    rows = settings.rows([lowest, *others], level if len(level) == len(others) else [])
    return Parity(tuple(names), rows, settings.secrets(chosen), lone, fields)


def _chosen(project: Project, name: str) -> Environment:
    environment = project.environments.get(name)
    if environment is None:
        known = ", ".join(project.environments)
        raise UsageError(f"there is no environment {name}", next=f"use two or more of: {known}")
    if environment.settings is None:
        raise UsageError(f"the settings of {name} do not load", next=f"turnout validate {name}")
    return environment


def _tier(environment: Environment) -> int:
    """The lowest tier asks least of its settings: every file is valid there."""
    assert environment.settings is not None
    return TIERS.index(environment.settings.tier)


def _rendered(
    root: Path, names: Sequence[str], folder: Path, others: Sequence[str]
) -> tuple[dict[str, ResourceGraph], dict[str, ResourceGraph]]:
    """As they are, and at one tier. The latter lacks what cannot be rendered so."""
    from cli.review import renders
    from cli.review.checkout import Tree

    with (
        renders.Child(Tree(root, "these files"), names, _KEY) as real,
        renders.Child(Tree(folder, "these files at one tier"), others, _KEY) as flat,
    ):
        found = _graphs(zip(names, real.answers(), strict=True))
        levelled = zip(others, flat.answers(), strict=True)
        return found, {name: one.graph for name, one in levelled if one.graph is not None}


_KEY = "0" * 64
"""Of the hashes that stand for secrets, which no report shows."""


def _graphs(rendered: Iterable[tuple[str, Rendered]]) -> dict[str, ResourceGraph]:
    found = {}
    for name, one in rendered:
        if one.graph is None:
            raise one.error or TurnoutError(f"{name} cannot be rendered")
        found[name] = one.graph
    return found
