"""The rollout's screen of real objects: shares of two live tracks, and watching until the end on a real terminal."""

from __future__ import annotations

import copy
import json
import os
import pty
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.rollout import cursor, moves, opened
from cli.rollout.cursor import Cursor
from cli.rollout.opened import Rollout
from cli.rollout.step import Step
from tests.harness import COMMAND, drain, eventually
from tests.integration.stage import Stage, staged

pytestmark = pytest.mark.cluster

TRACK = "turnout.dev/track"
COURSE = (Step("bring", ("web",)), Step("watch", ("web",), share=33, seconds=600), Step("record", ("web",)))


@pytest.fixture(scope="module")
def stage(kubeconfig: Path) -> Iterator[Stage]:
    """Service `web` with both tracks behind it: two pods of a, one of b."""
    with staged(kubeconfig) as made:
        made.put(made.config("one"))
        for letter, replicas in (("a", 2), ("b", 1)):
            made.put(lettered(made.deployment("one", replicas=replicas), letter))
        made.kube.create(entry(made), "test")
        for letter in "ab":
            made.wait_ready(f"web-{letter}")
        yield made


@pytest.fixture
def rollout(stage: Stage) -> Iterator[Rollout]:
    """An open rollout at its second step."""
    cursor.change(stage.kube, stage.name, lambda _: Cursor().describing("web", "b"))
    begun = opened.begin(stage.kube, stage.name, Rollout("r1", starter="anna", course=COURSE, status="waiting", at=1))
    yield begun
    if opened.under_way(stage.kube, stage.name):
        opened.change(stage.kube, stage.name, "r1", lambda one: one.ended("done"))


def lettered(made: Any, letter: str) -> Any:
    found = copy.deepcopy(made)
    found["metadata"]["name"] = f"web-{letter}"
    template = found["spec"]["template"]["metadata"]
    for labels in (found["metadata"]["labels"], found["spec"]["selector"]["matchLabels"], template["labels"]):
        labels[TRACK] = letter
    return found


def entry(stage: Stage) -> Any:
    labels = stage.labels("web")
    spec = {"selector": {"app.kubernetes.io/name": "web"}, "ports": [{"port": 80}]}
    metadata = {"name": "web", "namespace": stage.name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def services(stage: Stage, folder: Path) -> dict[str, tuple[str, float]]:
    """Track → (role, share), as --json tells them."""
    document = json.loads(stage.turnout("rollout", "status", stage.name, "--json", cwd=folder).stdout)
    [web] = document["services"]
    return {track["track"]: (track["role"], track["share"]) for track in web["tracks"]}


def test_shares_follow_ready_pods_and_then_the_selector(stage: Stage, rollout: Rollout, tmp_path: Path) -> None:
    assert rollout.open
    assert services(stage, tmp_path) == {"a": ("serves", 0.6667), "b": ("candidate", 0.3333)}
    moves.select(stage.kube, stage.name, "web", "b")
    assert services(stage, tmp_path) == {"a": ("warm", 0.0), "b": ("candidate", 1.0)}
    moves.select(stage.kube, stage.name, "web", "both")


def test_one_screen_tells_the_step_and_the_next_command(stage: Stage, rollout: Rollout, tmp_path: Path) -> None:
    lines = stage.turnout("rollout", "status", stage.name, cwd=tmp_path).stdout.splitlines()
    assert f"step {rollout.at + 1} of 3" in lines[0]
    assert any(line.startswith("now      watch web at 33 % for 10 min") for line in lines)
    assert lines[-1].startswith(f"next     turnout rollout resume {stage.name}")
    assert len(lines) <= 24


def test_watching_without_a_terminal_ends_with_the_rollouts_code(
    stage: Stage, rollout: Rollout, tmp_path: Path
) -> None:
    assert rollout.open
    with watching(stage, tmp_path, subprocess.PIPE) as (command, written):
        eventually(lambda: b"step 2 of 3" in b"".join(written))
        opened.change(stage.kube, stage.name, "r1", lambda one: one.ended("failed", "gate availability failed"))
        assert command.wait(60) == 6
    text = b"".join(written).decode()
    assert "the rollout is failed: gate availability failed" in text
    assert "\x1b" not in text


def test_watching_on_a_terminal_is_one_screen_until_the_end(stage: Stage, rollout: Rollout, tmp_path: Path) -> None:
    assert rollout.open
    ours, theirs = pty.openpty()
    with watching(stage, tmp_path, theirs, reads=ours) as (command, written):
        os.close(theirs)
        eventually(lambda: b"watch web at 33 %" in b"".join(written))
        eventually(lambda: b"metrics  none" in b"".join(written))
        opened.change(stage.kube, stage.name, "r1", lambda one: one.ended("done"))
        assert command.wait(60) == 0
    assert "the last rollout: done" in b"".join(written).decode()


@contextmanager
def watching(
    stage: Stage, folder: Path, out: int, reads: int | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], list[bytes]]]:
    words = [COMMAND, "rollout", "watch", stage.name, "--kubeconfig", str(stage.kubeconfig)]
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    command = subprocess.Popen(words, cwd=folder, stdout=out, stderr=subprocess.PIPE, env=env)
    written: list[bytes] = []
    source = reads if reads is not None else command.stdout.fileno()  # type: ignore[union-attr]
    reader = threading.Thread(target=drain, args=(source, written))
    reader.start()
    try:
        yield command, written
    finally:
        command.kill()
        command.wait()
        reader.join(10)
        for pipe in (command.stdout, command.stderr):
            if pipe is not None:
                pipe.close()
