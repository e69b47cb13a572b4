"""Pairs whose `after` is refused: it would take a field that another manager owns."""

from __future__ import annotations

from tests.parity.pair import Move, change
from tests.parity.pairs.shapes import service

_SERVICE = service("fought")

CONFLICTS = [
    change(
        "fought",
        _SERVICE,
        {"spec/selector/app": "ours"},
        moves=[Move(_SERVICE, {"spec": {"selector": {"app": "theirs"}}})],
    ),
]
