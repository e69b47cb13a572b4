"""Watching: a line for each change, the live screen on a real terminal, and the rollout's own exit code."""

from __future__ import annotations

import io
import os
import pty
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from cli.progress import Live
from cli.rollout import changes, opened, viewing
from cli.rollout.opened import Event, Rollout
from cli.rollout.standing import Standing
from cli.rollout.status import Status
from cli.rollout.step import Step
from tests.harness import drain, eventually

COURSE = (Step("bring", ("api",)), Step("record", ("api",)))


@pytest.fixture
def rollout() -> Rollout:
    return Rollout("r1", starter="anna", began="2026-01-01T00:00:00Z", course=COURSE, status="waiting")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "LOOK", 0.01)


def standing(rollout: Rollout | None, **more: Any) -> Standing:
    return Standing(Status("dev", ()), (), rollout, **more)


def test_only_what_changed_is_told(rollout: Rollout) -> None:
    answers = [{"service": "api", "gate": "availability", "verdict": "no data", "why": "3 events"}]
    first = standing(rollout)
    second = standing(replace(rollout, at=1, events=(Event("2026-01-01T00:00:09Z", "api is up"),)))
    third = standing(replace(rollout, at=1, answers={"1": answers}, events=second.rollout.events))  # type: ignore[union-attr]
    assert list(changes.told(None, first)) == ["dev: waiting, step 1 of 2: bring api up to the settings"]
    assert list(changes.told(first, first)) == []
    assert list(changes.told(first, second)) == [
        "dev: waiting, step 2 of 2: record the release",
        "  00:00:09  api is up",
    ]
    assert list(changes.told(second, third)) == ["  gate api availability: no data: 3 events"]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        ({"status": "done", "open": False}, 0),
        ({"status": "aborted", "open": False}, 6),
        ({"status": "failed", "open": False}, 6),
        ({"status": "failed", "open": True}, 7),
        ({"status": "running", "open": True}, 1),
    ],
)
def test_watching_ends_as_the_rollout_did(rollout: Rollout, edit: dict[str, Any], code: int) -> None:
    ended = viewing.verdict(standing(replace(rollout, **edit)))
    assert (ended.exit_code if ended else 0) == code


def test_without_a_terminal_each_change_is_a_line(kube: Any, rollout: Rollout) -> None:
    out = io.StringIO()
    with ended_once(kube, opened.begin(kube, "dev", rollout), lambda: "step 1 of 2" in out.getvalue()):
        found = viewing.watch(kube, "dev", Console(file=io.StringIO()), out)
    assert found.rollout is not None and found.rollout.status == "done"
    assert out.getvalue().splitlines() == [
        "dev: waiting, step 1 of 2: bring api up to the settings",
        "dev: the rollout is done",
    ]


@contextmanager
def ended_once(kube: Any, begun: Rollout, seen: Any) -> Iterator[None]:
    """Ends the rollout as soon as that was seen."""

    def end() -> None:
        eventually(seen, every=0.02)
        opened.change(kube, "dev", begun.id, lambda one: one.ended("done"))

    ending = threading.Thread(target=end)
    ending.start()
    yield
    ending.join()


@contextmanager
def terminal() -> Iterator[tuple[Console, list[bytes]]]:
    """A console on a real pseudo-terminal, and all that was written to it once the block has ended."""
    ours, theirs = pty.openpty()
    written: list[bytes] = []
    reader = threading.Thread(target=drain, args=(ours, written))
    reader.start()
    with os.fdopen(theirs, "w") as file:
        yield Console(file=file, width=100, height=40, force_terminal=True), written
    reader.join()
    os.close(ours)


def test_on_a_terminal_the_screen_stays_until_the_end(kube: Any, rollout: Rollout) -> None:
    begun = opened.begin(kube, "dev", rollout)
    with (
        terminal() as (console, written),
        ended_once(kube, begun, lambda: b"step 1 of 2" in b"".join(written)),
    ):
        viewing.watch(kube, "dev", console, io.StringIO())
    text = b"".join(written).decode()
    assert "a rollout is waiting, step 1 of 2" in text
    assert "the last rollout: done" in text.rpartition("\x1b[2K")[2]


def test_steps_of_a_live_progress_stand_under_the_screen(kube: Any, rollout: Rollout) -> None:
    opened.begin(kube, "dev", rollout)
    with terminal() as (console, written):
        progress = Live(console)
        with viewing.live(kube, "dev", progress), progress.step("bringing api") as step:
            step.update("2 of 3 ready")
            eventually(lambda: b"step 1 of 2" in b"".join(written), every=0.02)
    text = b"".join(written).decode()
    assert text.index("step 1 of 2") < text.rindex("2 of 3 ready")
    assert "✓ bringing api" in text
