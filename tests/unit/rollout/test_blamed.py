"""What a rollback pins out, and under which number, where the change that it ends never ended well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cli.rollout import pins
from cli.rollout.book import Book, Open, Release
from tests.unit.rollout.test_rollback import becomes_ready, go_back, stage, up_fails
from tests.unit.rollout.test_rollback import no_watch as no_watch


def pinned(kube: Any) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for pin in pins.read(kube, "dev").pins:
        found.setdefault(pin.number, set()).update(pin.blame.images)
    return found


@pytest.fixture
def cut_short(cluster: Any, kube: Any, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollback from release 3 that was killed before its pins: it has a number, and nothing runs yet."""
    stage(cluster, make, "1", "2", "3")
    becomes_ready(cluster)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("cli.rollout.restoring.do", killed)
        go_back(kube)


def test_an_up_that_failed_is_pinned_out_by_a_rollback_past_the_release_before_it(
    cluster: Any, kube: Any, make: Any
) -> None:
    stage(cluster, make, "1", "2")
    becomes_ready(cluster)
    up_fails(cluster, kube, make, "3")
    go_back(kube, to=1)
    assert pinned(kube) == {3: {"api:2", "api:3"}}


@pytest.mark.usefixtures("cut_short")
def test_what_a_killed_rollback_left_is_pinned_out_and_not_what_it_went_to(kube: Any) -> None:
    go_back(kube, to=1)
    assert pinned(kube) == {3: {"api:3"}}


@pytest.mark.usefixtures("cut_short")
def test_a_second_try_pins_out_the_same_although_it_runs_no_more(cluster: Any, kube: Any, make: Any) -> None:
    cluster.put(make.ready(make.deployment("api", "2", config="api-config-2")), "deployments")
    go_back(kube)
    assert pinned(kube) == {3: {"api:3"}}


def book(*outcomes: str, opened: str = "") -> Book:
    """Two ups and then rollbacks that ended so."""
    rows = [Release(1, "a", "2026"), Release(2, "b", "2026")]
    for outcome in outcomes:
        rows.append(Release(len(rows) + 1, "a", "2026", kind="rollback", outcome=outcome, restores=1))
    return replace(Book(tuple(rows)), open=Open(opened, "anna", "", "2026") if opened else None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "left"),
    [
        (book(), 2),
        (book(opened="up"), 2),
        (book("under way", opened="rollback"), 2),
        (book("failed: boom", "under way", opened="rollback"), 2),
        (book("done"), 3),
        (book("done", opened="rollback"), 3),
        (book("failed: boom", opened="up"), 3),
        (book("failed: boom"), 3),
    ],
)
def test_a_rollback_that_is_open_leaves_what_was_there_before_it(made: Book, left: int) -> None:
    assert made.left and made.left.number == left
