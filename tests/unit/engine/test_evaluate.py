"""A program's run ends when the engine is gone, though the SDK would wait for ever."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from cli.engine.evaluate import Evaluation

LIMIT = 10.0


async def wait_for_ever(begun: threading.Event) -> None:
    begun.set()
    await asyncio.get_running_loop().create_future()


def test_a_run_that_waits_for_a_lost_engine_is_ended_from_outside() -> None:
    begun, evaluation = threading.Event(), Evaluation()
    running = threading.Thread(target=lambda: evaluation.run(wait_for_ever(begun)), daemon=True)
    running.start()
    assert begun.wait(LIMIT)
    evaluation.end()
    running.join(LIMIT)
    assert not running.is_alive()


def test_a_run_that_begins_after_the_engine_is_gone_ends_at_once() -> None:
    evaluation = Evaluation()
    evaluation.end()
    running = threading.Thread(target=lambda: evaluation.run(wait_for_ever(threading.Event())), daemon=True)
    running.start()
    running.join(LIMIT)
    assert not running.is_alive()


def test_what_the_program_raises_goes_on() -> None:
    async def fail() -> None:
        raise ValueError("from the program")

    with pytest.raises(ValueError, match="from the program"):
        Evaluation().run(fail())


def test_garbage_is_collected_seldom_while_a_program_runs_and_as_before_afterwards() -> None:
    seen: list[int] = []

    async def look() -> None:
        seen.append(gc.get_threshold()[0])

    before = gc.get_threshold()
    Evaluation().run(look())
    assert seen[0] > 10 * before[0]
    assert gc.get_threshold() == before
