"""A state that is written at the beginning and the end of a run alone: what killed runs leave is settled as ever."""

from __future__ import annotations

import pytest

from cli.engine import once
from tests.integration.cut_off import Shop, converges, deployments, engine_of, found, killed, shop

__all__ = ["shop"]

pytestmark = pytest.mark.cluster


@pytest.fixture
def large(shop: Shop) -> Shop:
    """Taken for a large environment; its Namespace is there."""
    shop.run("up", "--yes")
    shop.variables[once.CHOICE] = "once"
    return shop


def test_it_ends_with_the_same_state_and_says_nothing_of_it(large: Shop) -> None:
    large.deployment(0)
    for number in range(5):
        large.want(f"map{number}", "v1", "ConfigMap", named=f"map{number}", data={"a": "b"})
    said = large.run("up", "--yes")
    assert "pending" not in said
    assert (large.pending(), large.recorded()) == ([], large.there())
    large.want("map0", "v1", "ConfigMap", named="map0", data={"a": "c"})
    large.want("map1", "v1", "ConfigMap", named="other", data={"a": "c"})
    large.forget("map2")
    assert "pending" not in large.run("up", "--yes")
    assert (large.pending(), large.recorded()) == ([], large.there())
    large.variables[once.CHOICE] = "each"
    converges(large)


def test_everything_that_a_killed_engine_was_to_do_is_pending_and_settled(large: Shop) -> None:
    """The first map is created and the second changed before the kill, the third is never begun."""
    large.want("old", "v1", "ConfigMap", named="old", data={"a": "b"})
    large.want("gone", "v1", "ConfigMap", named="gone", data={"a": "b"})
    large.run("up", "--yes")
    large.want("old", "v1", "ConfigMap", named="old", data={"a": "c"})
    large.want("new", "v1", "ConfigMap", named="new", data={"a": "b"})
    large.forget("gone")
    large.deployment(1)
    killed(large, engine_of, "up", large.name, "--yes", when=lambda: deployments(large)() and begun(large))
    wanted = {
        ("updating", "ConfigMap"),
        ("creating", "ConfigMap"),
        ("creating", "Deployment"),
        ("deleting", "ConfigMap"),
    }
    assert set(large.pending()) == wanted
    assert f"turnout repair {large.name}" in large.run("up", "--yes", expect=5)
    assert found(large)[f"creating ConfigMap {large.name}/new"][1] == "take the object into the state"
    large.run("repair", "--yes")
    assert large.pending() == []
    large.deployment(0)
    converges(large)


def test_what_was_changed_before_the_kill_is_put_back_when_the_settings_are(large: Shop) -> None:
    """No change in the state would show it: the object's old inputs are what is asked for again."""
    large.want("old", "v1", "ConfigMap", named="old", data={"a": "b"})
    large.run("up", "--yes")
    large.want("old", "v1", "ConfigMap", named="old", data={"a": "c"})
    large.deployment(1)
    killed(large, engine_of, "up", large.name, "--yes", when=lambda: deployments(large)() and changed(large, "c"))
    large.run("repair", "--yes")
    large.want("old", "v1", "ConfigMap", named="old", data={"a": "b"})
    large.deployment(0)
    converges(large)
    assert changed(large, "b")


def test_a_run_that_fails_leaves_nothing_pending_but_what_it_had_under_way(large: Shop) -> None:
    large.want("bad", "v1", "ConfigMap", named="Not_A_Name", data={"a": "b"})
    large.want("good", "v1", "ConfigMap", named="good", data={"a": "b"})
    large.run("up", "--yes", expect=1)
    assert large.pending() == []
    large.forget("bad")
    converges(large)


def test_a_run_that_never_begins_leaves_the_state_as_it_was(large: Shop) -> None:
    large.want("new", "v1", "ConfigMap", named="new", data={"a": "b"})
    before = large.state_file.read_bytes()
    large.variables["PULUMI_CONFIG_PASSPHRASE"] = "wrong"
    large.run("up", "--yes", expect=2)
    assert large.state_file.read_bytes() == before


def begun(shop: Shop) -> bool:
    """The maps are made and changed beside the Deployment, in no certain order."""
    return "ConfigMap/new" in shop.there() and changed(shop, "c")


def changed(shop: Shop, value: str) -> bool:
    there = shop.kube.find("v1", "ConfigMap", "old", shop.name)
    return there is not None and there["data"] == {"a": value}
