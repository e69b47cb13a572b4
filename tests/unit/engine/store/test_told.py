"""What the state was told before a run is taken back, whenever that run is interrupted or fails beside its engine."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from cli.engine import binary
from cli.engine import operation as operations
from cli.engine.binary import Binary
from cli.engine.events import State, Step
from cli.engine.once import Once
from cli.engine.operation import Operation
from cli.engine.process import Finished
from cli.errors import Interrupted
from cli.progress import Silent
from tests.unit.engine.store.conftest import Kept

KIND = "kubernetes:core/v1:ConfigMap"


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(operations, "Attachment", Attached)
    monkeypatch.setattr(binary, "find", lambda _: Binary(tmp_path / "pulumi", "3.259.0"))
    monkeypatch.setattr(operations, "_EVENTS_LIMIT", 0.1)
    monkeypatch.setattr(operations, "_LAST_EVENTS", 0.1, raising=False)


class Attached:
    """In place of our provider."""

    label, ended = "none", None

    def __init__(self, **_: Any) -> None:
        """Nothing is started."""

    def __enter__(self) -> Attached:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is ended."""

    def variables(self) -> dict[str, str]:
        return {}


class Run:
    """One operation on a state that is told of a new ConfigMap; the engine is a shell script."""

    def __init__(self, kept: Kept) -> None:
        self.folder, self.state, self.ready = kept.folder, kept.state, kept.folder / "ready"
        kept.put(kept.bytes("a"))
        made = State("", {"metadata": {"name": "b", "namespace": "dev"}}, {}, False, id="", provider="p::1")
        self.once = Once(kept.place, [Step("create", f"urn:pulumi:dev::shop::{KIND}::b", KIND, None, made, (), None)])
        self.operation = Operation(kept.folder, "dev", "preview", Silent(), once=self.once)

    def go(self, script: str, load: Callable[[], Any] = lambda: None) -> Finished:
        if script:
            tool = self.folder / "pulumi"
            tool.write_text(f"#!/bin/sh\n{script}\n")
            tool.chmod(0o755)
        return self.operation.run("", [], load, lambda *_: None).finished

    @property
    def pending(self) -> int:
        latest = json.loads(self.state.read_bytes())["checkpoint"]["latest"]
        return len(latest.get("pending_operations") or [])

    def until_ready(self) -> None:
        deadline = time.monotonic() + 30
        while not self.ready.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def run(kept: Kept) -> Run:
    return Run(kept)


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_the_engine_finds_the_state_told(run: Run) -> None:
    run.go(f"cp {run.state} {run.folder}/seen; exit 0")
    seen = json.loads((run.folder / "seen").read_bytes())
    assert len(seen["checkpoint"]["latest"]["pending_operations"]) == 1
    assert run.pending == 0


def test_an_engine_that_cannot_be_started_leaves_nothing_pending(run: Run) -> None:
    with pytest.raises(FileNotFoundError):
        run.go("")
    assert run.pending == 0


def test_an_interruption_while_the_program_is_loaded_leaves_nothing_pending(run: Run) -> None:
    def load() -> None:
        run.until_ready()
        interrupt()

    with pytest.raises(KeyboardInterrupt):
        run.go(f"trap 'exit 0' INT; touch {run.ready}; while :; do sleep 0.05; done", load)
    assert run.pending == 0


def test_an_interruption_after_the_engines_end_leaves_nothing_pending(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cli.engine import inline

    class Impatient(inline.Serving):
        def __init__(self, take: Any) -> None:
            super().__init__(take)
            wait = self.events.ended.wait

            def interrupted(seconds: float | None = None) -> bool:
                interrupt()
                return wait(seconds)

            monkeypatch.setattr(self.events.ended, "wait", interrupted)

    monkeypatch.setattr(inline, "Serving", Impatient)
    with pytest.raises(KeyboardInterrupt):
        run.go("exit 0")
    assert run.pending == 0


def test_an_interruption_while_it_is_taken_back_waits_and_is_not_lost(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = run.once.end

    def interrupted(steps: Iterable[Step]) -> None:
        interrupt()
        end(steps)

    monkeypatch.setattr(run.once, "end", interrupted)
    try:
        assert run.go("exit 0").interrupted
    except KeyboardInterrupt:
        pytest.fail("it was not waited for")
    assert run.pending == 0


def test_what_an_engine_that_was_ended_at_once_had_under_way_stays_pending(run: Run) -> None:
    def load() -> None:
        run.until_ready()
        assert run.operation._running is not None
        run.operation._running.interrupt()
        run.operation._running.interrupt()

    with pytest.raises(Interrupted):
        run.go(f"trap 'exit 1' INT; touch {run.ready}; while :; do sleep 0.05; done", load)
    assert run.pending == 1


def test_what_was_taken_back_is_not_taken_back_from_the_next_run(run: Run) -> None:
    run.once.begin()
    run.once.end([])
    begun = Once(run.once._place, run.once._steps)
    begun.begin()
    run.once.end([])
    assert run.pending == 1
