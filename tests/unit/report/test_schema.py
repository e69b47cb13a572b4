from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from cli.engine.model import Diagnostic, Effect, FieldChange
from cli.report import document, publish, schema
from cli.review.model import Amount, Blast, Finding, Level, Reason, Reviewed
from tests.harness import ROOT

from .reviews import added, change, review
from .test_hostile import REVIEWS, many

VALIDATOR = Draft202012Validator(schema.schema())


def whole() -> dict[str, Any]:
    """A document in which nothing is empty."""
    one = change("prod/api", FieldChange("a", 1, 2), added("b", None), effects=(Effect.SCALES,))
    found = Reviewed(
        review(one).plan,
        Level.HIGH,
        (Reason(Level.HIGH, "x", "why", (one.urn,), approval=True),),
        Blast(1, services=("x",), capacity={"cpu": Amount(1, 2)}),
        (Finding("rule", "mandatory", "prod/api", "is wrong", "mend it"),),
        {one.urn: ("other",)},
    )
    return document.of([found])


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema.schema())


def test_the_published_schema_is_the_codes() -> None:
    assert json.loads((ROOT / schema.PATH).read_text()) == schema.schema()


def test_a_whole_document_is_valid() -> None:
    assert list(VALIDATOR.iter_errors(whole())) == []


@many
@given(REVIEWS)
def test_every_document_is_valid(reviews: list[Reviewed]) -> None:
    assert list(VALIDATOR.iter_errors(json.loads(publish.as_json(reviews)))) == []


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every object within the document."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    own = [path] if isinstance(value, dict) else []
    return own + [place for key, entry in entries for place in places(entry, (*path, key))]


FREE = {"counts", "edges", "capacity"}
CLOSED = [path for path in places(whole()) if not FREE & {path[-1] if path else ""}]


@pytest.mark.parametrize("path", CLOSED, ids=lambda path: "/".join(map(str, path)) or "document")
def test_nothing_may_be_added_or_left_out(path: tuple[Any, ...]) -> None:
    given = whole()
    there = given
    for step in path:
        there = there[step]
    there["more"] = 1
    assert list(VALIDATOR.iter_errors(given))
    del there["more"]
    for name in set(there) - {"before", "after"}:
        kept = there.pop(name)
        assert list(VALIDATOR.iter_errors(given)), name
        there[name] = kept


def test_diagnostics_are_described() -> None:
    said = (Diagnostic("info", "x", "urn"), Diagnostic("error", "y"))
    found = document.of([Reviewed(review().plan.__class__(**{**vars(review().plan), "diagnostics": said}))])
    assert list(VALIDATOR.iter_errors(found)) == []
