"""A rollout that is held to a saved plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.errors import StalePlan, UsageError
from cli.plans import binding, objects
from cli.plans.binding import Bound
from cli.plans.saved import Saved
from cli.rollout import applying, opened, starting
from tests.unit.rollout.driven import World


def saved_plan(world: World, *, less: int = 0) -> Bound:
    """Of what a preview says now, less its first changes."""
    plan = world.preview()
    changes = binding.changes(plan)[less:]
    made = Saved.model_construct(environment="dev", changes=changes, objects=objects.look(world.kube, plan), copies=())
    return Bound(made, Path("saved.plan"))


def test_it_starts_where_the_plan_is_what_would_be_done(world: World) -> None:
    world.describe("2", "blue-green")
    with world.site() as site:
        starting.start(site, starting.Start("turnout rollout start dev", plan=saved_plan(world)))
    assert world.entry("api") == "b"


def test_nothing_is_begun_where_it_is_not(world: World) -> None:
    world.describe("2", "blue-green")
    plan = saved_plan(world, less=1)
    with world.site() as site, pytest.raises(StalePlan, match="would happen now and is not in the plan"):
        starting.start(site, starting.Start("turnout rollout start dev", plan=plan))
    assert opened.under_way(world.kube, "dev") is None
    assert world.entry("api") == "a"


def test_an_apply_that_needs_a_rollout_names_the_plan(world: World) -> None:
    world.describe("2", "blue-green")
    with pytest.raises(UsageError) as refused:
        applying.must_be_no_rollout(world.preview(), world.settings, " --plan saved.plan")
    assert refused.value.next == (
        "turnout rollout start dev --plan saved.plan; or in place: turnout up dev --plan saved.plan --in-place"
    )
