"""What the settings ask besides: limits of queries, and commands that are run for real."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cli.gates import commands, custom
from cli.gates.custom import About
from cli.gates.samples import Span
from cli.sandbox.processes import start_time
from components.rollout.settings import GateSettings
from tests.harness import eventually

ABOUT = About("dev", "api", "b", "a", "api-b-.+", Span(1000, 1060))


@pytest.mark.parametrize(
    ("numbers", "above", "below", "verdict"),
    [
        ([4], 5, None, "pass"),
        ([5], 5, None, "pass"),
        ([4, 6], 5, None, "fail"),
        ([4, 6], None, 5, "fail"),
        ([6], None, 5, "pass"),
        ([], 5, None, "no data"),
        ([float("nan")], 5, None, "no data"),
        ([float("nan"), 6], 5, None, "fail"),
    ],
)
def test_every_series_of_a_query_keeps_to_its_limit(
    numbers: list[float], above: float | None, below: float | None, verdict: str
) -> None:
    assert custom.limited(numbers, above, below).verdict == verdict


class Asked:
    """Answers every query alike, and remembers the last one."""

    def __init__(self, result: list[Any]) -> None:
        self.result, self.last = result, ""

    def query(self, query: str, at: float) -> list[Any]:
        self.last = f"{query} at {at:g}"
        return self.result


@pytest.mark.parametrize(
    ("result", "values"),
    [
        ([1060, "7"], {"value": 7.0}),
        ([{"metric": {"__name__": "q", "pod": "x"}, "value": [1060, "7"]}], {"pod=x": 7.0}),
        ([{"metric": {}, "value": [1060, "7"]}], {"value": 7.0}),
    ],
)
def test_a_query_names_the_candidate_and_shows_what_it_gave(result: list[Any], values: dict[str, float]) -> None:
    source = Asked(result)
    query = 'q{service="$service", pod=~"$pods", ns="$namespace"}[$window] $track $1'
    gate = GateSettings.model_validate({"query": query, "above": 5})
    found = custom.query(source, "queue", gate, ABOUT)  # type: ignore[arg-type]
    assert source.last == 'q{service="api", pod=~"api-b-.+", ns="dev"}[60s] b $1 at 1060'
    assert (found.verdict, dict(found.values)) == ("fail", values)
    assert found.judgement.why == "7, must not be above 5"


@pytest.mark.parametrize(
    ("script", "verdict", "why"),
    [
        ("echo fine", "pass", "exit 0: fine"),
        ("seq 9; exit 3", "fail", "exit 3: 5 | 6 | 7 | 8 | 9"),
        ("echo 'who knows' >&2; exit 75", "no data", "exit 75: who knows"),
        ("kill -9 $$", "fail", "exit -9"),
    ],
)
def test_a_command_says_by_its_exit_code(script: str, verdict: str, why: str) -> None:
    found = commands.command("check", ("sh", "-c", script), ABOUT, 30)
    assert (found.verdict, found.judgement.why) == (verdict, why)


def test_a_command_that_is_not_there_has_no_data() -> None:
    found = commands.command("check", ("no-such-command-anywhere",), ABOUT, 30)
    assert (found.verdict, found.judgement.why) == ("no data", "cannot be run: No such file or directory")


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = f"echo waiting; sleep 300 & echo $! > {tmp_path}/child; wait"
    found = commands.command("check", ("sh", "-c", script), ABOUT, 1)
    assert (found.verdict, found.judgement.why) == ("no data", "did not end within 1 s: waiting")
    child = int((tmp_path / "child").read_text())
    eventually(lambda: start_time(child) is None, "the sleep has ended", every=0.01)


@pytest.mark.parametrize(
    ("ending", "limit", "verdict", "why"),
    [("exit 0", 30, "pass", "exit 0: begun"), ("wait", 1, "no data", "did not end within 1 s: begun")],
)
def test_what_a_command_leaves_behind_does_not_hold_it_up(
    tmp_path: Path, ending: str, limit: float, verdict: str, why: str
) -> None:
    script = f"echo begun; setsid sleep 20 & echo $! > {tmp_path}/left; {ending}"
    began = time.monotonic()
    found = commands.command("check", ("sh", "-c", script), ABOUT, limit)
    took = time.monotonic() - began
    with suppress(ProcessLookupError):
        os.kill(int((tmp_path / "left").read_text()), signal.SIGKILL)
    assert (found.verdict, found.judgement.why) == (verdict, why)
    assert took < 15


def test_a_command_hears_whom_it_is_about_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "open sesame")
    script = (
        "echo $TURNOUT_ENVIRONMENT $TURNOUT_SERVICE $TURNOUT_TRACK $TURNOUT_BASELINE $TURNOUT_SINCE $TURNOUT_UNTIL; env"
    )
    found = commands.command("check", ("sh", "-c", f"{script} | grep -e sesame -e 'dev api'; true"), ABOUT, 30)
    assert found.judgement.why == "exit 0: dev api b a 1000 1060"
    assert "PATH" in os.environ
