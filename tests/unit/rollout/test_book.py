"""The book of releases: numbering, adoption, and where a rollback goes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.rollout import book
from cli.rollout.book import Book, Debt, Open, Release


def numbered(*rows: tuple[str, int | None]) -> Book:
    """A book of (record, restores) rows."""
    made = Book()
    for record, restores in rows:
        made = made.numbered(Release(0, record, "2026", kind="rollback" if restores else "up", restores=restores))
    return made


@pytest.mark.parametrize(
    ("rows", "previous"),
    [
        ([], None),
        ([("a", None)], None),
        ([("a", None), ("b", None)], 1),
        ([("a", None), ("b", None), ("a", 1)], None),
        ([("z", None), ("a", None), ("b", None), ("a", 2)], 1),
        ([("a", None), ("b", None), ("a", 1), ("c", None)], 3),
        ([("a", None), ("b", None), ("b", None)], 1),
        ([("z", None), ("a", None), ("b", None), ("a", 2), ("c", None), ("a", 4)], 1),
    ],
)
def test_previous_is_the_last_good_one_with_other_content(
    rows: list[tuple[str, int | None]], previous: int | None
) -> None:
    found = numbered(*rows).previous
    assert (found.number if found else None) == previous


def test_while_a_change_is_open_a_rollback_goes_to_the_current_release() -> None:
    made = numbered(("a", None), ("b", None))
    assert made.last_good == made.find(1)
    assert replace(made, open=Open("up", "anna", "", "2026")).last_good == made.find(2)


@pytest.mark.parametrize("outcome", ["failed: it does not come up", "under way"])
def test_a_rollback_that_did_not_end_well_is_not_gone_back_to(outcome: str) -> None:
    made = numbered(("a", None), ("b", None), ("c", None), ("a", 1))
    unwell = replace(made, releases=(*made.releases[:-1], replace(made.releases[-1], outcome=outcome)))
    assert unwell.numbered(Release(0, "d", "2026")).previous == made.find(3)


def test_unnumbered_records_are_adopted_in_the_order_of_their_making() -> None:
    made = numbered(("a", None)).adopted(
        [Release(0, "c", "2026-03"), Release(0, "a", "2026-01"), Release(0, "b", "2026-02")]
    )
    assert [(row.number, row.record) for row in made.releases] == [(1, "a"), (2, "b"), (3, "c")]


def test_record_whose_number_was_dropped_is_not_adopted_as_a_new_release() -> None:
    every = [Release(0, f"r{number:03}", f"2026-{number:03}") for number in range(book.KEPT + 2)]
    made = Book().adopted(every)
    assert made.adopted(every) == made
    assert made.current and made.current.record == every[-1].record


def test_numbers_go_on_when_old_releases_are_dropped() -> None:
    made = numbered(*[(str(number), None) for number in range(book.KEPT + 7)])
    assert len(made.releases) == book.KEPT
    assert made.current and made.current.number == book.KEPT + 7


names = st.text("abc", min_size=1, max_size=3)
releases = st.builds(
    Release, st.just(0), names, st.just("2026"), names, names, names, st.sampled_from(["up", "rollback"])
)


@given(st.lists(releases, max_size=6), st.none() | st.builds(Open, st.just("up"), names, names, names), st.booleans())
def test_book_survives_its_config_map(rows: list[Release], opened: Open | None, owes: bool) -> None:
    made = Book(open=opened, debt=Debt(3, "release-a") if owes else None)
    for row in rows:
        made = made.numbered(row)
    assert book.read(book.written(made, "dev")) == made


def test_fields_of_a_newer_turnout_are_left_alone() -> None:
    source = book.written(numbered(("a", None)), "dev")
    source["data"]["1"] = source["data"]["1"].replace("{", '{"later": 1, ', 1)
    assert book.read(source).releases[0].record == "a"
