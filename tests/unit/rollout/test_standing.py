"""The one screen: roles and shares of tracks, and everything around them on at most 24 lines."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.rollout import panel, screen, standing, survey, wording
from cli.rollout.book import Book, Open, Release
from cli.rollout.cursor import Cursor, Place, encode
from cli.rollout.freeze import Window
from cli.rollout.lease import Holder
from cli.rollout.opened import Event, Rollout
from cli.rollout.opened import encode as written
from cli.rollout.pins import Blame, Pin, Pins
from cli.rollout.pins import written as pinned
from cli.rollout.standing import Service, Standing
from cli.rollout.status import Status, WorkloadStatus
from cli.rollout.step import Step, Target

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
COURSE = (
    Step("describe", ("api",)),
    Step("bring", ("api",)),
    Step("route", ("api",), share=10, copies={"api": {"a": 9, "b": 1}}),
    Step("watch", ("api",), share=10, seconds=60),
    Step("approve", ("api",)),
    Step("route", ("api",), share=100),
    Step("record", ("api",)),
)


def copy(name: str, letter: str, ready: int, desired: int, version: str, **more: Any) -> WorkloadStatus:
    """One track of a service."""
    return WorkloadStatus(
        name=name,
        component="app",
        kind="Deployment",
        namespace="prod",
        object=f"{name}-{letter}",
        healthy=more.pop("healthy", ready == desired),
        ready=ready,
        desired=desired,
        versions=(version,),
        serving={version: ready} if ready else {},
        restarts=0,
        track=letter,
        **more,
    )


def only(copies: list[WorkloadStatus], place: Place, selected: Any = None, weights: Any = None) -> Service:
    [found] = standing.services(copies, Cursor({"api": place}), selected or {}, weights or {})
    return found


def shown(found: Service) -> list[tuple[str, str, float, bool]]:
    return [(track.letter, track.role, track.share, track.frozen) for track in found.tracks]


TWO = [copy("api", "a", 9, 9, "1.2.0"), copy("api", "b", 1, 1, "1.3.0")]
CANARY = Place("a", "b", 3, two=True)


def test_share_by_copies_is_the_share_of_ready_ones() -> None:
    found = only(TWO, CANARY, {"api": ""})
    assert found.split == "replicas"
    assert shown(found) == [("a", "serves", 0.9, True), ("b", "candidate", 0.1, False)]


def test_share_by_selector_is_all_or_nothing() -> None:
    assert shown(only(TWO, CANARY, {"api": "a"})) == [("a", "serves", 1.0, True), ("b", "candidate", 0.0, False)]
    assert [share for _, _, share, _ in shown(only(TWO, CANARY, {"api": "b"}))] == [0.0, 1.0]


def test_share_by_weights_wins_over_the_selector() -> None:
    found = only(TWO, CANARY, {"api": "a"}, {"api": {"a": 75, "b": 25}})
    assert (found.split, [track.share for track in found.tracks]) == ("weights", [0.75, 0.25])


def test_nothing_ready_serves_nothing() -> None:
    found = only([copy("api", "a", 0, 2, "1.2.0")], Place(), {"api": "a"})
    assert [track.share for track in found.tracks] == [0.0]


def test_idle_track_is_warm_or_cold_and_comes_second() -> None:
    moved = Place("b", "b", 4, two=True)
    warm = only([copy("api", "a", 2, 2, "1.2.0"), copy("api", "b", 2, 2, "1.3.0")], moved, {"api": "b"})
    assert shown(warm) == [("b", "serves", 1.0, False), ("a", "warm", 0.0, True)]
    cold = only([copy("api", "a", 0, 0, "1.2.0"), copy("api", "b", 2, 2, "1.3.0")], moved, {"api": "b"})
    assert [role for _, role, _, _ in shown(cold)] == ["serves", "cold"]


def test_worker_runs_without_a_share() -> None:
    [found] = standing.services([copy("runner", "a", 1, 1, "1")], Cursor(), {}, {})
    assert (found.split, found.tracks[0].role) == ("none", "runs")


@pytest.fixture
def rollout() -> Rollout:
    answers = [
        {"service": "api", "gate": "availability", "verdict": "pass", "why": "0 of 812 (0.00%), 1.00% may be"},
        {"service": "api", "gate": "latency", "verdict": "no data", "why": "12 events, at least 50 are needed"},
    ]
    events = tuple(Event(f"2026-01-01T11:5{index}:00.0Z", f"event {index}") for index in range(9))
    return Rollout(
        id="r1",
        starter="anna",
        host="ci-7",
        began="2026-01-01T11:57:00.0Z",
        reason="agents 1.3.0",
        git="1f2e3d4c5b6a",
        at=3,
        course=COURSE,
        events=events,
        answers={"3": answers},
    )


def full(rollout: Rollout) -> Standing:
    """Three services with two tracks each, and everything that a screen can have to say."""
    services = tuple(
        replace(only(TWO, CANARY, {"api": ""}), name=name, tracks=only(TWO, CANARY, {"api": ""}).tracks)
        for name in ("api", "tools", "web")
    )
    book = Book().numbered(Release(41, "release-x", "2026-01-01T10:00:00Z"))
    holder = Holder("anna@ci-7", "turnout rollout start prod", "", "7", "", "t", "2026-01-01T11:57:00Z", "", "", "")
    pins = tuple(
        Pin(number, Blame(("api",), ("registry:5000/team/agents:9@sha256:0123",)), "bob", "2026", "errors")
        for number in (38, 40)
    )
    status = Status("prod", tuple(TWO), book, holder)
    return Standing(status, services, rollout, pins, Window(NOW, NOW + timedelta(days=2), "the weekend"))


def texts(found: Standing) -> list[str]:
    return [text for text, _ in panel.lines(found, NOW)]


def test_three_services_with_all_there_is_fit_one_screen(rollout: Rollout) -> None:
    lines = texts(full(rollout))
    assert len(lines) <= panel.HEIGHT
    assert max(map(len, lines)) <= panel.WIDTH
    text = "\n".join(lines)
    for told in (
        "step 4 of 7",
        "░ ",
        " 90%",
        "9/9",
        "1.3.0",
        "now      watch api at 10 % for 60 s",
        "then     approval by another person",
        "no data: 12 events, at least 50 are needed",
        "0 of 812",
        "event 8",
        "agents:9 of api may not come back (pin 40, by bob: errors)",
        "freeze   Thu 2026-01-01 12:00 UTC to Sat 2026-01-03 12:00 UTC: the weekend",
        "lock     anna on ci-7",
        "next     turnout rollout watch prod",
    ):
        assert told in text, told


def test_the_screen_is_printed_in_its_colours(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    found = full(rollout)
    screen.show([*panel.lines(found, NOW), *screen.status(found)])
    assert "next     turnout rollout watch prod" in capsys.readouterr().out


def test_what_is_waited_for_and_why_a_pod_is_not_ready_are_told(rollout: Rollout) -> None:
    ill = copy("api", "b", 0, 1, "1.3.0", reason="0 of 1 replicas available", causes=("pod api-b-1: exit code 3",))
    found = replace(
        full(replace(rollout, status="waiting", waits="approval by somebody other than anna")),
        services=(only([TWO[0], ill], CANARY, {"api": ""}),),
    )
    text = "\n".join(texts(found))
    assert "pod api-b-1: exit code 3" in text
    assert "waits    for approval by somebody other than anna" in text
    assert "next     turnout approve prod (by somebody other than anna)" in text


def test_who_approved_is_read_and_told(cluster: Any, kube: Any, rollout: Rollout) -> None:
    metadata = {"name": "approval-r1", "namespace": "turnout-dev"}
    data = {"id": "r1", "by": "lea", "at": "2026-01-01T11:59:00Z", "reason": ""}
    cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}, "configmaps")
    cluster.put(written(rollout, "dev"), "configmaps")
    found = survey.read(kube, "dev")
    assert found.approved == "lea"
    assert found.to_json()["rollout"]["approved"] == "lea"
    assert any("approved by lea" in line for line in texts(found))


def test_rollout_that_nobody_drives_is_resumed(rollout: Rollout) -> None:
    found = full(rollout)
    orphan = replace(found, status=replace(found.status, holder=None))
    assert orphan.next.startswith("turnout rollout resume prod: nobody drives it")
    assert "lock     the process that drove it is gone" in texts(orphan)


def test_long_lines_are_cut_where_the_screen_ends(rollout: Rollout) -> None:
    found = full(replace(rollout, waits="a very long story " * 20))
    line = next(line for line in texts(found) if line.startswith("waits"))
    assert len(line) == panel.WIDTH
    assert line.endswith("…")


def test_what_rounding_gives_is_told(rollout: Rollout) -> None:
    step = Step("route", ("api",), share=10, copies={"api": {"a": 3, "b": 1}})
    target = Target("api", "canary", copies=3, wanted=3)
    found = full(replace(rollout, to=(target,), course=(step, *COURSE[3:]), at=1))
    assert "api by copies 25 %: 3 old, 1 new" in [line.strip() for line in texts(found)]


def test_a_rollout_that_was_taken_back_tells_its_cause_and_gates(rollout: Rollout) -> None:
    found = full(replace(rollout, status="failed", open=False, cause="gate availability failed\nasked: rate(…)"))
    assert "cause    gate availability failed" in texts(found)
    assert any("gates" in line for line in texts(found))
    assert not any(line.startswith("gates") for line in texts(replace(found, rollout=replace(rollout, status="done"))))


def test_a_rollback_that_failed_is_tried_again(rollout: Rollout) -> None:
    assert full(replace(rollout, status="failed")).next.startswith("turnout rollback prod: ")


def test_one_that_is_on_its_way_back_is_not_gone_on_with(rollout: Rollout) -> None:
    """Also where it waited for a person when that began."""
    found = full(replace(rollout, cause="aborted by bea", status="waiting", waits="approval by somebody else"))
    assert found.next == "turnout rollout watch prod"
    assert replace(found, dead=True).next.startswith("turnout rollback prod: ")
    book = replace(found.status.book, open=Open("rollback", "bea", "", "2026-01-01T11:59:00Z"))
    by_hand = replace(full(rollout), status=replace(found.status, book=book), dead=True)
    assert by_hand.next.startswith("turnout rollback prod: ")


def test_next_command_is_not_the_one_that_asks_for_it(rollout: Rollout) -> None:
    found = replace(full(rollout), rollout=None)
    assert found.next.startswith("turnout rollout watch prod, ")
    holder = found.status.holder
    assert holder is not None
    busy = replace(found, status=replace(found.status, holder=replace(holder, command="turnout up prod")))
    assert busy.next == "wait for anna on ci-7: with --wait 600 the next command does"


def test_a_lock_of_the_dead_hides_nothing(rollout: Rollout) -> None:
    found = replace(full(rollout), rollout=None, dead=True)
    assert found.next == "turnout preview prod"
    book = replace(found.status.book, open=Open("up", "anna", "", "2026-01-01T11:00:00Z"))
    assert replace(found, status=replace(found.status, book=book)).next.startswith("turnout rollback prod, or go on")


def test_without_a_rollout_the_screen_is_short(rollout: Rollout) -> None:
    found = replace(full(rollout), rollout=None)
    assert texts(found)[0] == "prod: release 1, no rollout is under way"
    assert not any(line.startswith(("now", "gates", "events")) for line in texts(found))


def test_status_shows_both_tracks_pins_and_the_open_rollout(rollout: Rollout) -> None:
    idle = replace(copy("api", "a", 2, 2, "1.2.0"), warm_until="2026-01-01T12:10:00Z")
    copies = [idle, copy("api", "b", 2, 2, "1.3.0")]
    found = replace(
        full(replace(rollout, status="waiting", waits="a person")),
        services=(only(copies, Place("b", "b", 4, two=True), {"api": "b"}),),
        status=Status("prod", tuple(copies)),
    )
    lines = [text for text, _ in screen.status(found)]
    assert any("api-a" in line and "a warm until 12:10:00, frozen" in line for line in lines)
    assert any("api-b" in line and "b serves" in line for line in lines)
    assert "a rollout by anna is waiting, step 4 of 7, waits for a person" in lines
    assert "agents:9 of api may not come back (pin 40, by bob: errors)" in lines
    assert any(line.startswith("frozen, Thu") and "the weekend" in line for line in lines)


def test_many_services_are_counted_and_those_that_move_are_shown(rollout: Rollout) -> None:
    quiet = tuple(
        Service(f"s{number}", "selector", only([copy("api", "a", 1, 1, "1")], Place(), {"api": "a"}).tracks)
        for number in range(40)
    )
    found = replace(full(rollout), services=(*quiet, full(rollout).services[0]))
    lines = texts(found)
    assert len(lines) <= panel.HEIGHT
    assert any(line.startswith("api ") for line in lines)
    assert "and 35 more, all healthy" in lines


def test_gates_are_those_of_the_newest_step_that_asked(rollout: Rollout) -> None:
    older = {"service": "api", "gate": "old", "verdict": "pass", "why": ""}
    found = replace(rollout, answers={"1": [older], **rollout.answers}, at=4)
    assert [gate.name for gate in standing.gates(found)] == ["availability", "latency"]


def test_every_kind_of_step_has_words() -> None:
    assert wording.said(COURSE[2]) == "send 10 % of api to the new track"
    assert wording.services(tuple("abcdef")) == "a, b, c and 3 more"
    assert [wording.duration(seconds) for seconds in (10, 600, 9000)] == ["10 s", "10 min", "2.5 h"]


@pytest.mark.parametrize(("at", "count", "drawn"), [(0, 3, "◉○○"), (2, 3, "●●◉"), (3, 3, "●●●"), (50, 100, None)])
def test_way_is_drawn(at: int, count: int, drawn: str | None) -> None:
    found = panel.track_of_steps(at, count)
    assert found == drawn if drawn else len(found) == 24


def test_bar_shows_the_smallest_share() -> None:
    assert (panel.bar(0.0), panel.bar(0.01), panel.bar(1.0)) == ("░" * 10, "█" + "░" * 9, "█" * 10)


def test_standing_is_read_from_the_cluster(cluster: Any, kube: Any, make: Any, rollout: Rollout) -> None:
    for letter, version in (("a", "1.2.0"), ("b", "1.3.0")):
        made = make.ready(make.deployment("api", version))
        made["metadata"]["name"] = f"api-{letter}"
        made["metadata"]["labels"] = {**made["metadata"]["labels"], "turnout.dev/track": letter}
        made["status"]["readyReplicas"] = 2
        until = {"a": "2026-01-01T00:00:00Z", "b": "2999-01-01T00:00:00Z"}[letter]
        made["metadata"]["annotations"] = {"turnout.dev/warm-until": until}
        cluster.put(made, "deployments")
    metadata = {"name": "api", "namespace": "dev", "labels": make.labels("api")}
    cluster.put({"kind": "Service", "metadata": metadata, "spec": {"selector": {"turnout.dev/track": "b"}}}, "services")
    cluster.put(encode(Cursor({"api": CANARY}), "dev"), "configmaps")
    cluster.put(written(rollout, "dev"), "configmaps")
    cluster.put(pinned(Pins((Pin(3, Blame(("api",), ("api:1.1.0",)), "bob", "2026", "errors"),)), "dev"), "configmaps")
    found = survey.read(kube, "dev", component="app")
    assert [shown(one) for one in found.services] == [[("a", "warm", 0.0, True), ("b", "candidate", 1.0, False)]]
    document = json.loads(json.dumps(found.to_json()))
    assert [track["warm_until"] for track in document["services"][0]["tracks"]] == ["", "2999-01-01T00:00:00Z"]
    assert document["rollout"]["steps"][3]["text"] == "watch api at 10 % for 60 s"
    assert document["services"][0]["tracks"][1]["versions"] == ["1.3.0"]
    assert [(pin["pin"], pin["images"]) for pin in document["pins"]] == [(3, ["api:1.1.0"])]
