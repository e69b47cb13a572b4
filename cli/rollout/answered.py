"""What gates answered, as the rollout's one ConfigMap keeps it, for however many services. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from cli.gates.answers import Answer, worst_first

WHOLE: Final = 64 * 1024
"""Bytes of answers that are kept as they are: those of every step of some seven services."""
MOST: Final = 384 * 1024
"""Bytes of answers at all; a ConfigMap holds 1 MiB, and the course of 500 services takes 400 KiB of it."""
WHY: Final = 80
"""Characters of a reason that is kept without its evidence."""


def kept(before: Mapping[str, Any], at: int, answers: Sequence[Answer]) -> dict[str, Any]:
    """The answers of step `at` beside those of earlier steps; alone, and as short as it takes, where these are many."""
    whole = {**before, str(at): [answer.to_json() for answer in answers]}
    return whole if _size(whole) <= WHOLE else {str(at): list(_fitting(answers))}


def _fitting(answers: Iterable[Answer]) -> Iterator[dict[str, Any]]:
    """What did not pass comes first, with its evidence while there is room; what fits not at all is left out."""
    used = 0
    for answer in worst_first(answers):
        row = answer.to_json()
        if answer.verdict == "pass" or used + _size(row) > WHOLE:
            row = _short(row)
        used += _size(row)
        if used > MOST:
            return
        yield row


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: row[name] for name in ("service", "gate", "verdict")}, "why": row["why"][:WHY]}


def _size(content: Any) -> int:
    """Bytes, with the comma after it."""
    return len(json.dumps(content, separators=(",", ":"))) + 1
