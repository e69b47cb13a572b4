"""Pins: what is blamed, how it is written down, and what would meet it."""

from __future__ import annotations

import pytest

from cli.rollout import pins
from cli.rollout.pins import Blame, Content, Pin, Pins, blames

OLD, NEW, OTHER = "registry.example.com/app:1", "registry.example.com/app:2", "registry.example.com/tool:1"


def content(*images: str, template: str = "") -> Content:
    return Content(frozenset(images), template)


def pin(number: int, blame: Blame, why: str = "it errs") -> Pin:
    return Pin(number, blame, "alice", "2026-01-02T03:04:05.000000Z", why)


def test_an_image_that_is_new_everywhere_is_bad_for_every_workload() -> None:
    bad = {"api": content(NEW, template="n"), "web": content(NEW, template="n"), "db": content(OTHER)}
    good = {"api": content(OLD, template="o"), "web": content(OLD, template="o"), "db": content(OTHER)}
    assert blames(bad, good) == [Blame(images=(NEW,))]


def test_an_image_that_the_good_release_runs_elsewhere_is_bad_only_where_it_came_new() -> None:
    bad = {"api": content(NEW), "web": content(NEW)}
    good = {"api": content(OLD), "web": content(NEW)}
    assert blames(bad, good) == [Blame(("api",), (NEW,))]


def test_where_no_image_changed_the_template_is_to_blame() -> None:
    bad = {"api": content(OLD, template="x"), "web": content(OLD, template="w")}
    good = {"api": content(OLD, template="o"), "web": content(OLD, template="w")}
    assert blames(bad, good) == [Blame(("api",), template="x")]


def test_a_workload_that_came_with_the_release_is_pinned_by_its_template() -> None:
    assert blames({"api": content(OLD), "new": content(OLD, template="n")}, {"api": content(OLD)}) == [
        Blame(("new",), template="n")
    ]


def test_without_a_known_template_there_is_nothing_to_pin() -> None:
    assert blames({"api": content(OLD)}, {"api": content(OLD, template="o")}) == []


@pytest.mark.parametrize(
    "blame", [Blame(images=(NEW, OTHER)), Blame(("api", "web"), (NEW,)), Blame(("api",), template="abc")]
)
def test_a_pin_is_read_back_as_it_was_written(blame: Blame) -> None:
    wanted = Pins((pin(41, blame), Pin(41, blame, "bob", "t", "", 1)))
    assert pins.parsed(pins.written(wanted, "prod")) == wanted


def test_text_that_would_break_the_entry_is_mended() -> None:
    assert pin(1, Blame(images=(NEW,)), "a|b\nc").text.endswith("|a/b c")


def test_entries_that_are_no_pins_are_passed_over() -> None:
    data = {"note": "a|b|c|d|e", "p1": "too|short", "p2": f"*|{NEW}|alice|now|"}
    [only] = pins.parsed({"data": data}).pins
    assert (only.number, only.blame) == (2, Blame(images=(NEW,)))


def test_the_same_is_pinned_once_and_each_part_has_its_own_key() -> None:
    first, second = pin(3, Blame(images=(NEW,))), pin(3, Blame(("api",), template="t"))
    made = Pins().added([first, second]).added([first])
    assert [one.key for one in made.pins] == ["p3", "p3.1"]
    assert made.lifted(3) == Pins()


def test_only_what_appears_newly_meets_a_pin() -> None:
    found = Pins((pin(41, Blame(images=(NEW,))), pin(42, Blame(("api",), template="bad"))))
    wanted = {"api": content(OLD, template="bad"), "web": content(NEW, template="w")}
    assert [(one.number, name) for one, name in found.against(wanted, {})] == [(41, "web"), (42, "api")]
    assert found.against(wanted, wanted) == []


def test_a_digest_is_the_same_under_another_name() -> None:
    blame = Blame(images=("registry.example.com/app@sha256:1",))
    assert blame.fits("api", content("mirror.example.com/app@sha256:1"))
    assert not blame.fits("api", content("registry.example.com/app@sha256:2"))


def test_the_refusal_says_who_when_why_and_how_to_let_it_in() -> None:
    error = pins.refusal("prod", [(pin(41, Blame(images=(NEW,))), "api")], "turnout up prod")
    assert error.exit_code == 4
    assert all(word in error.why for word in ("alice", "2026-01-02", "it errs", NEW))
    assert error.next.endswith("turnout unpin prod 41")
