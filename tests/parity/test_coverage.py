"""The pairs speak of every kind that our components make, and of every kind that has replacement rules of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.engine.render import render
from cli.provider.replacements import TABLE
from tests.parity.pair import token
from tests.parity.pairs import PAIRS

ROOT = Path(__file__).parents[2]
PAIRED = {row.token or token(row.manifest) for pair in PAIRS for row in (*pair.before, *pair.after)}


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_every_kind_of_our_components_has_a_pair(environment: str) -> None:
    used = {row.type for row in render(ROOT, environment).resources if row.type.startswith("kubernetes:")}
    assert len(used) > 10
    assert used - PAIRED == set()


def test_every_kind_with_rules_of_its_own_has_a_pair() -> None:
    served = {row for row in TABLE if not any(word in row[0] for word in ("beta", "alpha"))}
    assert (
        served - {tuple(token.removeprefix("kubernetes:").removeprefix("core/").split(":")) for token in PAIRED}
        == set()
    )
