"""The course of a rollout: order, invariants at every step, and that it can be cut anywhere and continued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.rollout.course import course, levels, rounding, share, stages
from cli.rollout.step import Step, Strategy, Target
from components.tracks import Letter, other


@dataclass
class World:
    """One service as a cluster would show it; the pods of a track are ready after a `ready` step."""

    target: Target
    asked: dict[Letter, int] = field(default_factory=dict)
    ready: dict[Letter, int] = field(default_factory=dict)
    template: dict[Letter, str] = field(default_factory=dict)
    selected: str = ""
    weights: dict[Letter, int] = field(default_factory=dict)

    @classmethod
    def at_the_beginning(cls, target: Target) -> World:
        """An idle track that was kept warm still runs the release before."""
        idle = other(target.old)
        copies: dict[Letter, int] = {target.old: target.copies, idle: target.copies if target.two else 0}
        weights: dict[Letter, int] = {target.old: 100, idle: 0}
        return cls(target, dict(copies), dict(copies), {target.old: "old", idle: "older"}, target.old, weights)

    def do(self, step: Step) -> None:
        name = self.target.service
        if name not in step.services:
            return
        for letter, count in step.copies.get(name, {}).items():
            if step.does in ("scale", "cool"):
                self.asked[letter] = count
                self.ready[letter] = min(self.ready[letter], count)
        if step.does in ("ready", "cool"):
            self.ready = dict(self.asked)
        if step.does == "bring":
            self.template[self.target.new] = "new"
        if step.does == "route":
            if name in step.weights:
                self.weights = dict(step.weights[name])
            if step.share == 100:
                self.selected = self.target.new
            elif name not in step.weights:
                self.selected = "both"

    @property
    def serving(self) -> dict[Letter, int]:
        letters: list[Letter] = ["a", "b"]
        if self.target.weighted:
            return {letter: self.ready[letter] for letter in letters if self.weights[letter]}
        return {letter: self.ready[letter] for letter in letters if self.selected in (letter, "both")}

    @property
    def new_share(self) -> float:
        """Percent, by what a client would see."""
        new = self.target.new
        if self.target.weighted:
            return float(self.weights[new])
        return 100 * self.serving.get(new, 0) / sum(self.serving.values())

    def check(self) -> None:
        assert sum(self.serving.values()) >= min(self.target.copies, self.target.wanted), "capacity"
        assert all(self.serving.values()), "nobody is sent to a track without copies"
        served = {self.template[letter] for letter in self.serving}
        assert served <= {"old", "new"}, "an idle track of an older release never gets traffic"


strategies: st.SearchStrategy[Strategy] = st.sampled_from(("rolling", "blue-green", "canary"))
steps_of_shares = st.lists(st.integers(1, 99), max_size=4, unique=True).map(lambda found: tuple(sorted(found)))


@st.composite
def targets(draw: st.DrawFn, name: str = "api") -> Target:
    copies, wanted = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    autoscaled = draw(st.booleans())
    return Target(
        name,
        draw(strategies),
        draw(st.sampled_from(("a", "b"))) if (two := draw(st.booleans())) else "a",
        two=two,
        copies=copies,
        wanted=max(copies, wanted) if autoscaled else wanted,
        bounds=(1, 12) if autoscaled else (),
        shares=draw(steps_of_shares),
        soak=draw(st.sampled_from((0.0, 10.0))),
        warm=60.0,
        weighted=draw(st.booleans()),
    )


@st.composite
def releases(draw: st.DrawFn) -> tuple[list[Target], dict[str, list[str]]]:
    names = [f"s{number}" for number in range(draw(st.integers(1, 6)))]
    calls = {name: draw(st.lists(st.sampled_from(names), max_size=3)) for name in names}
    return [draw(targets(name)) for name in names], calls


@given(targets())
def test_capacity_and_who_is_sent_where_at_every_step(target: Target) -> None:
    world = World.at_the_beginning(target)
    for step in course([target], {}):
        world.do(step)
        world.check()
    assert world.new_share == 100
    assert world.template[target.new] == "new"


@given(targets(), st.data())
def test_it_can_be_cut_at_any_step_and_continued(target: Target, data: st.DataObject) -> None:
    """Whoever goes on does the step under way again, as often as drivers die."""
    world, steps = World.at_the_beginning(target), course([target], {})
    at = 0
    while at < len(steps):
        for _ in range(data.draw(st.integers(1, 3))):
            world.do(steps[at])
            world.check()
        at += 1
    straight = World.at_the_beginning(target)
    for step in steps:
        straight.do(step)
    assert world == straight


@given(targets().filter(lambda target: target.strategy == "canary" and not target.bounds))
def test_a_share_is_what_the_step_says_it_comes_to(target: Target) -> None:
    world = World.at_the_beginning(target)
    for step in course([target], {}):
        world.do(step)
        if step.does == "watch":
            routed = next(
                each for each in reversed(course([target], {})) if each.does == "route" and each.share == step.share
            )
            assert world.new_share == pytest.approx(share(routed, target))


@given(targets().filter(lambda target: target.strategy == "canary" and target.shares != ()))
def test_the_share_never_falls(target: Target) -> None:
    world, before = World.at_the_beginning(target), 0.0
    for step in course([target], {}):
        world.do(step)
        if step.does == "watch":
            assert world.new_share >= before - 1e-9
            before = world.new_share


@given(releases())
def test_called_services_go_first_and_nobody_is_left_out(release: tuple[list[Target], dict[str, list[str]]]) -> None:
    made, calls = release
    found = stages(made, calls)
    assert sorted(target.service for stage in found for target in stage) == sorted(target.service for target in made)
    where = {target.service: number for number, stage in enumerate(found) for target in stage}
    for caller, called in calls.items():
        for name in called:
            if not _reaches(calls, name, caller):
                assert where[name] < where[caller]


def _reaches(calls: dict[str, list[str]], start: str, end: str) -> bool:
    found, todo = {start}, [start]
    while todo:
        new = set(calls.get(todo.pop(), ())) - found
        found |= new
        todo += new
    return end in found


@given(releases())
def test_one_question_before_any_traffic_moves(release: tuple[list[Target], dict[str, list[str]]]) -> None:
    steps = course(*release, approval=True)
    [asked] = [number for number, step in enumerate(steps) if step.does == "approve"]
    moved = [
        number
        for number, step in enumerate(steps)
        if step.does in ("route", "record") or (step.does == "bring" and step.share)
    ]
    assert asked < min(moved)
    assert [step for step in steps if step.does != "approve"] == list(course(*release))


@given(targets())
def test_steps_survive_being_written_down(target: Target) -> None:
    assert Target.from_json(target.to_json()) == target
    for step in course([target], {}, approval=True):
        assert Step.from_json(step.to_json()) == step


def does(steps: Sequence[Step]) -> list[str]:
    return [step.does for step in steps]


def test_blue_green_step_by_step() -> None:
    target = Target("api", "blue-green", "a", copies=3, wanted=3, soak=10, warm=60)
    steps = course([target], {})
    assert does(steps) == [
        "describe", "cool", "bring", "scale", "ready", "try", "route", "watch", "record", "serve", "warm",
    ]  # fmt: skip
    assert (steps[3].copies, steps[6].share, steps[7].seconds) == ({"api": {"b": 3}}, 100, 10)


def test_canary_says_what_rounding_makes_of_a_share() -> None:
    target = Target("api", "canary", "b", two=True, copies=3, wanted=3, shares=(10, 50), soak=10)
    routes = [step for step in course([target], {}) if step.does == "route"]
    said = [rounding(step, {"api": target}) for step in routes]
    assert said == ["api by copies 25 %: 3 old, 1 new", "", ""]


def test_a_track_is_cut_back_only_after_the_other_took_its_part() -> None:
    target = Target("api", "canary", "a", copies=10, wanted=10, shares=(10,), soak=10)
    steps = course([target], {})
    at = next(number for number, step in enumerate(steps) if step.does == "route")
    assert steps[at - 3].copies == {"api": {"a": 10, "b": 1}}
    assert (steps[at + 1].does, steps[at + 1].copies) == ("scale", {"api": {"a": 9, "b": 1}})


def test_exact_weights_leave_the_old_track_whole() -> None:
    target = Target("api", "canary", "a", copies=4, wanted=4, shares=(1,), weighted=True)
    step = next(step for step in course([target], {}) if step.does == "route")
    assert (step.weights, step.copies) == ({"api": {"a": 99, "b": 1}}, {"api": {"b": 1}})


def test_an_autoscaler_keeps_the_old_track() -> None:
    target = Target("api", "canary", "a", copies=9, wanted=9, bounds=(3, 12), shares=(10,))
    scales = [step.copies["api"] for step in course([target], {}) if step.does == "scale"]
    assert scales == [{"b": 1}, {"b": 9}]


def test_rolling_on_two_tracks_is_in_place_on_the_one_that_serves() -> None:
    target = Target("api", "rolling", "b", two=True)
    assert target.new == "b"
    assert does(course([target], {})) == ["describe", "bring", "record", "serve"]


def test_a_rolling_service_with_one_track_is_locked_to_its_template_while_it_is_rolled() -> None:
    assert does(course([Target("api")], {})) == ["describe", "bring", "record", "serve"]


def test_a_level_of_calls_goes_together_whatever_the_strategies() -> None:
    canary = Target("mail", "canary", copies=4, wanted=4, shares=(25, 50), soak=5)
    green = Target("tools", "blue-green", copies=2, wanted=2, soak=10)
    made = [Target("api"), canary, green, Target("jobs", soak=3)]
    found = stages(made, {"api": ["tools", "mail"]})
    assert [tuple(target.service for target in stage) for stage in found] == [("jobs", "mail", "tools"), ("api",)]
    first = [step for step in course(made, {"api": ["tools", "mail"]}) if step.stage == 0]
    assert [(step.does, step.services, step.share) for step in first] == [
        ("describe", ("jobs", "mail", "tools"), 0),
        ("cool", ("mail", "tools"), 0),
        ("bring", ("jobs", "mail", "tools"), 100),
        ("scale", ("mail", "tools"), 0),
        ("ready", ("mail", "tools"), 0),
        ("try", ("mail", "tools"), 0),
        ("route", ("mail",), 25),
        ("route", ("tools",), 100),
        ("scale", ("mail",), 0),
        ("watch", ("mail", "tools", "jobs"), 0),
        ("scale", ("mail",), 0),
        ("ready", ("mail",), 0),
        ("route", ("mail",), 50),
        ("watch", ("mail",), 50),
        ("scale", ("mail",), 0),
        ("ready", ("mail",), 0),
        ("route", ("mail",), 100),
        ("watch", ("mail",), 100),
    ]


def test_a_circle_is_entered_at_its_first_name() -> None:
    calls = {"a": ["z"], "b": ["c"], "c": ["b"], "z": ["b"]}
    assert levels(["a", "b", "c", "z"], calls) == [("b",), ("c", "z"), ("a",)]
