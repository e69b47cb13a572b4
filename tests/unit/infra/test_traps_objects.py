"""Each trap in what a program declares: the object that walks into it is warned, and the sound one is not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.engine.render import render
from infra.program import hermetic
from infra.traps import of_objects, version

ROOT = Path(__file__).parents[3]
Manifest = dict[str, Any]
LABELS = {"app": "api"}


def sound() -> dict[str, Manifest]:
    """A service as it should be, by kind."""
    container = {
        "name": "api",
        "env": [{"name": "DRAIN_SECONDS", "value": "20"}],
        "envFrom": [{"configMapRef": {"name": "settings-1a2b"}}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}},
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
    }
    pod = {"terminationGracePeriodSeconds": 25, "containers": [container]}
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    deployment = {
        "replicas": 3,
        "minReadySeconds": 1,
        "strategy": strategy,
        "template": {"metadata": {"labels": LABELS}, "spec": pod},
    }
    return {
        "Deployment": made("apps/v1", "Deployment", deployment),
        "Service": made("v1", "Service", {"selector": LABELS}),
        "PodDisruptionBudget": made(
            "policy/v1", "PodDisruptionBudget", {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}}
        ),
        "ConfigMap": {**made("v1", "ConfigMap", {}, "settings-1a2b"), "immutable": True},
    }


def made(api_version: str, kind: str, spec: Manifest, name: str = "api") -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "dev"}, "spec": spec}


def spec(objects: dict[str, Manifest]) -> Manifest:
    found: Manifest = objects["Deployment"]["spec"]
    return found


def pod(objects: dict[str, Manifest]) -> Manifest:
    found: Manifest = spec(objects)["template"]["spec"]
    return found


def container(objects: dict[str, Manifest]) -> Manifest:
    found: Manifest = pod(objects)["containers"][0]
    return found


Edit = Callable[[dict[str, Manifest]], Any]
WALKS: dict[str, tuple[str, Edit]] = {
    "told to drain for longer": ("short-grace", lambda o: container(o)["env"].append(_drains("21"))),
    "killed after the default of 30 s": ("short-grace", lambda o: spec(o)["template"].update(spec=_slow())),
    "no preStop": ("no-pause", lambda o: container(o).pop("lifecycle")),
    "a quarter may go": ("max-unavailable", lambda o: spec(o).pop("strategy")),
    "one may go": ("max-unavailable", lambda o: spec(o)["strategy"]["rollingUpdate"].update(maxUnavailable=1.0)),
    "all go first": ("max-unavailable", lambda o: spec(o).update(strategy={"type": "Recreate"})),
    "never settles": ("min-ready", lambda o: spec(o).pop("minReadySeconds")),
    "sleep of the image": ("exec-sleep", lambda o: container(o).update(lifecycle=_executed())),
    "configuration that changes": ("configuration-in-place", lambda o: o["ConfigMap"].pop("immutable")),
    "a version of old": ("old-version", lambda o: o["PodDisruptionBudget"].update(apiVersion="policy/v1beta1")),
}


def _drains(seconds: str) -> Manifest:
    return {"name": "DRAIN_SECONDS", "value": seconds}


def _slow() -> Manifest:
    slow = copy.deepcopy(container(sound()))
    return {"containers": [{**slow, "env": [_drains("26")]}]}


def _executed() -> Manifest:
    return {"preStop": {"exec": {"command": ["sh", "-c", "sleep 5"]}}}


def names(objects: dict[str, Manifest], server: str = "v1.36.3") -> list[str]:
    return [trap.name for trap in of_objects(objects.values(), version(server))]


def test_what_is_sound_is_not_warned_of() -> None:
    assert names(sound()) == []


@pytest.mark.parametrize("walk", WALKS)
def test_what_walks_in_is_warned_of(walk: str) -> None:
    objects = sound()
    expected, edit = WALKS[walk]
    edit(objects)
    assert names(objects) == [expected]


def test_a_deployment_that_nobody_calls_may_do_without_what_traffic_needs() -> None:
    objects = sound()
    del objects["Service"]
    container(objects).pop("lifecycle")
    spec(objects).pop("minReadySeconds")
    spec(objects).pop("strategy")
    assert names(objects) == []


def test_a_service_of_another_namespace_sends_nothing() -> None:
    objects = sound()
    objects["Service"]["metadata"]["namespace"] = "other"
    container(objects).pop("lifecycle")
    assert names(objects) == []


@pytest.mark.parametrize(
    ("server", "said"), [("v1.29.4", "is not known to"), ("v1.33.1+k3s1", "can be switched off on"), ("v1.34.0", "")]
)
def test_the_native_sleep_depends_on_the_server(server: str, said: str) -> None:
    found = of_objects(sound().values(), version(server))
    assert [trap.name for trap in found] == (["native-sleep"] if said else [])
    assert all(said in trap.why for trap in found)


def test_where_the_native_sleep_may_be_missing_the_images_own_is_the_way_out() -> None:
    objects = sound()
    container(objects)["lifecycle"] = _executed()
    assert names(objects, "v1.33.0") == []


def test_a_server_that_cannot_be_asked_is_taken_for_a_new_one() -> None:
    assert of_objects(sound().values(), None) == []


def test_a_version_that_still_is_served_is_warned_of_for_the_rollback_to_come() -> None:
    objects = sound()
    objects["PodDisruptionBudget"]["apiVersion"] = "policy/v1beta1"
    (trap,) = [trap for trap in of_objects(objects.values(), (1, 24)) if trap.name == "old-version"]
    assert "no longer served since Kubernetes 1.25" in trap.why


def test_a_frozen_track_of_which_only_the_name_is_said_is_left_alone() -> None:
    objects = sound()
    for kind in ("Deployment", "Service", "PodDisruptionBudget"):
        del objects[kind]["spec"]
    assert names(objects) == []


def test_what_only_an_apply_can_tell_is_no_trap() -> None:
    objects = sound()
    pod(objects)["terminationGracePeriodSeconds"] = "[known after the apply]"
    container(objects)["env"] = [_drains("[secret]")]
    assert names(objects) == []


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_the_components_walk_into_none(environment: str) -> None:
    graph = render(ROOT, environment, program=hermetic)
    objects = [resource.reveal() for resource in graph.resources if resource.is_kubernetes]
    assert len(objects) > 50
    assert of_objects(objects, (1, 36)) == []


@pytest.mark.parametrize(
    "hide",
    [
        lambda found: pod(found).update(containers="[secret]"),
        lambda found: container(found).update(lifecycle="[secret]"),
    ],
)
def test_what_a_plan_hides_is_passed_over(hide: Callable[[dict[str, Manifest]], None]) -> None:
    objects = sound()
    hide(objects)
    assert names(objects) == []


def test_a_hidden_variable_hides_no_trap() -> None:
    objects = sound()
    container(objects)["env"].append({"name": "TOKEN", "value": "[secret]"})
    pod(objects)["terminationGracePeriodSeconds"] = 1
    assert "short-grace" in names(objects)
