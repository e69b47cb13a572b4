"""How tests are dealt out to workers: `pytest -n 2` runs those with real pods in one lane, beside all others."""

from __future__ import annotations

import os

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import NodeManager

KINDS = ("unit", "parity", "integration", "e2e")
TAKING_DOWN = 300
"""Seconds that a worker has to take its sandbox down when the tests are interrupted."""

GIVES_WAY = 5
"""The niceness of what runs beside counted requests, so that they are answered in time; more would starve it."""


def slowest_last(items: list[pytest.Item]) -> None:
    """For one worker: what fails soon fails first."""
    items.sort(key=_kind)


def slowest_first(items: list[pytest.Item]) -> None:
    """For several workers: what is left for the end is small, so all end at about the same time."""
    items.sort(key=_kind, reverse=True)


def gives_way(item: pytest.Item) -> None:
    """The processor is first for the lane whose requests are counted."""
    os.setpriority(os.PRIO_PROCESS, 0, 0 if "e2e" in item.path.parts else GIVES_WAY)


def _kind(item: pytest.Item) -> int:
    return next((number for number, kind in enumerate(KINDS) if kind in item.path.parts), len(KINDS))


class Lanes(LoadFileScheduling):  # type: ignore[misc]
    """Deals out whole files, and all end-to-end ones as one: two that put load on pods would disturb each other."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        config.option.loadscopereorder = False
        NodeManager.EXIT_TIMEOUT = TAKING_DOWN
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return "tests/e2e" if nodeid.startswith("tests/e2e/") else str(super()._split_scope(nodeid))
