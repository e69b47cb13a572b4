"""Reviews as one JSON document, for one environment or many. `docs/schema/preview.schema.json` describes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.report.masking import masked
from cli.review.model import Level, Reviewed

SCHEMA = 2
"""Grows when a reader of the document before would misread it; what is merely added leaves it. 1 was a plan alone."""


def of(reviews: Sequence[Reviewed]) -> dict[str, Any]:
    """The whole document, free of secrets."""
    worst = Level.worst(review.risk for review in reviews)
    return {
        "schema": SCHEMA,
        "kind": "preview",
        "risk": worst.value,
        "refused": any(review.refused for review in reviews),
        "needs_approval": any(review.approvals for review in reviews),
        "environments": [_environment(review) for review in masked(reviews)],
    }


def _environment(review: Reviewed) -> dict[str, Any]:
    whole = review.to_json()
    whole.pop("schema")
    return whole | {"refused": review.refused, "needs_approval": bool(review.approvals)}
