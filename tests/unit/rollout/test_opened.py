"""Which stage an open rollout has brought last, and which of its jobs began that cannot be undone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cli.rollout.opened import Rollout, decode, encode
from cli.rollout.step import Step

COURSE = (
    Step("describe", ("tools",)),
    Step("bring", ("tools",)),
    Step("route", ("tools",), share=100),
    Step("bring", ("api",), 1),
    Step("watch", ("api",), 1),
    Step("record", ("api", "tools"), 2),
    Step("serve", ("tools",), 2),
)


@pytest.mark.parametrize(
    ("at", "services"),
    [(0, None), (1, ("tools",)), (2, ("tools",)), (3, ("api",)), (4, ("api",)), (5, None), (6, None), (7, None)],
)
def test_the_stage_under_way_is_the_last_that_was_brought(at: int, services: tuple[str, ...] | None) -> None:
    brought = Rollout("one", at=at, course=COURSE).brought
    assert (brought.services if brought else None) == services


BEFORE, AFTER = ({"name": "migrate", "run": f"migrate-{when}", "when": when} for when in ("before", "after"))


@pytest.mark.parametrize(
    ("at", "began"), [(0, ()), (1, (BEFORE,)), (4, (BEFORE,)), (5, (BEFORE, AFTER)), (7, (BEFORE, AFTER))]
)
def test_jobs_that_cannot_be_undone_begin_with_the_first_stage_or_with_the_whole_apply(at: int, began: object) -> None:
    rollout = Rollout("one", at=at, since="2026-01-01", course=COURSE, options={"irreversible": [BEFORE, AFTER]})
    assert rollout.irreversible == began


def test_a_rollout_without_stages_has_begun_nothing_before_its_first_step() -> None:
    rollout = Rollout("one", course=COURSE[5:], options={"irreversible": [BEFORE, AFTER]})
    assert rollout.irreversible == ()
    assert replace(rollout, since="2026-01-01").irreversible == (BEFORE, AFTER)


def test_one_of_a_turnout_that_wrote_none_down_still_reads() -> None:
    written = encode(Rollout("one", since="2026-01-01", at=3, course=COURSE, options={"settings": "abc"}), "dev")
    found = decode(written)
    assert found and found.irreversible == ()
