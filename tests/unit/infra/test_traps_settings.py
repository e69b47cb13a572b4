"""Each trap in the settings: a file that walks into it is warned, and the same file without it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from infra import document
from infra.settings import load
from infra.traps import Trap, of_settings

ROOT = Path(__file__).parents[3]
Walks = dict[str, Any]
"""Dotted keys of the service, job or section to what they are set to."""

CANARY = {"rollout.strategy": "canary"}
ROUTE = {"public": True, "route": {"gateway": "turnout", "namespace": "kube-system"}}

SERVICES: dict[str, tuple[Walks, str, Walks]] = {
    "single-copy": ({"replicas": 1}, "replicas", {"replicas": 2}),
    "replicas-with-autoscale": (
        {"replicas": 3, "autoscale": {"minimum": 2, "maximum": 4}},
        "replicas",
        {"autoscale": {"minimum": 2, "maximum": 4}},
    ),
    "no-pause": ({"drain.pause": 0}, "drain.pause", {"drain.pause": 5}),
    "pause-under-gateway": (
        ROUTE | {"drain.pause": 2, "ready_every": 1},
        "drain.pause",
        ROUTE | {"drain.pause": 3, "ready_every": 1},
    ),
    "no-time-to-finish": ({"drain.longest_request": 0}, "drain.longest_request", {"drain.longest_request": 1}),
    "probe-longer-than-pause": (
        {"drain.pause": 5, "ready_every": 6, "settle": 6},
        "ready_every",
        {"drain.pause": 6, "ready_every": 6, "settle": 6},
    ),
    "settle-under-probe": ({"settle": 4, "ready_every": 5}, "settle", {"settle": 5, "ready_every": 5}),
    "ready-is-alive": ({"ready": "/up", "alive": "/up"}, "ready", {"ready": "/ready", "alive": "/up"}),
    "deadline-under-start": (
        {"deadline": 60, "slow_start": 55, "settle": 5},
        "deadline",
        {"deadline": 61, "slow_start": 55, "settle": 5},
    ),
    "canary-rounded": (CANARY | {"replicas": 8}, "rollout.steps", CANARY | {"replicas": 9}),
    "warm-under-drain": (
        {"rollout.strategy": "blue-green", "rollout.warm": 34},
        "rollout.warm",
        {"rollout.strategy": "blue-green", "rollout.warm": 35},
    ),
    "soak-under-interval": (
        {"rollout.strategy": "blue-green", "rollout.soak": 9},
        "rollout.soak",
        {"rollout.strategy": "blue-green", "rollout.soak": 10},
    ),
    "deadline-under-soak": (
        CANARY | {"replicas": 9, "rollout.soak": 900},
        "rollout.soak",
        CANARY | {"replicas": 9, "rollout.soak": 899},
    ),
}


def found(folder: Path, service: Walks, *, job: Walks | None = None, sections: Walks | None = None) -> list[Trap]:
    """The traps of a staging environment with one service, `api`, and what else is asked for."""
    tier = (sections or {}).pop("tier", "staging")
    app: Walks = {"image": "agents", "version": "1", "services": {"api": nested(service)}}
    if job is not None:
        app["jobs"] = {"migrate": nested(job)}
    config = {"cluster": {"sandbox": "main", "tier": tier}, "app": app, **nested(sections or {})}
    if tier == "prod":
        config["alertmanager"] = {"heartbeat": {"url": "https://heartbeat.invalid/"}}
    file = folder / "Pulumi.staging.yaml"
    YAML().dump({"config": {f"turnout:{name}": content for name, content in config.items()}}, file)
    settings = load(file, "staging", placeholders=True)
    return of_settings(settings, document.read(file).sections)


def nested(keys: Walks) -> Walks:
    made: Walks = {}
    for key, value in keys.items():
        *around, last = key.split(".")
        place = made
        for name in around:
            place = place.setdefault(name, {})
        place[last] = value
    return made


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_walks_in_is_warned_at_its_key(name: str, tmp_path: Path) -> None:
    walks, key, _ = SERVICES[name]
    (trap,) = found(tmp_path, walks)
    assert (trap.name, trap.where) == (name, f"app.services.api.{key}")
    assert trap.why
    assert trap.fix


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_just_beside_it_is_not(name: str, tmp_path: Path) -> None:
    assert found(tmp_path, SERVICES[name][2]) == []


def test_exact_weights_need_no_number_of_pods(tmp_path: Path) -> None:
    assert found(tmp_path, CANARY | ROUTE | {"replicas": 2}) == []


def test_a_rolling_service_has_neither_steps_nor_a_warm_track(tmp_path: Path) -> None:
    assert found(tmp_path, {"rollout.soak": 0, "rollout.warm": 0, "rollout.steps": [1]}) == []


def test_a_job_that_cannot_be_taken_back_is_named(tmp_path: Path) -> None:
    (trap,) = found(tmp_path, {}, job={"reversible": False})
    assert (trap.name, trap.where) == ("irreversible-job", "app.jobs.migrate.reversible")
    assert found(tmp_path, {}, job={"reversible": True}) == []
    assert found(tmp_path, {}, job={"reversible": False, "schedule": "0 3 * * *"}) == []


def test_gates_that_let_pass_what_they_cannot_ask_are_a_trap_of_prod_alone(tmp_path: Path) -> None:
    blind = {"rollout.no_data": "go-on"}
    (trap,) = found(tmp_path, {}, sections={"tier": "prod", **blind})
    assert (trap.name, trap.where) == ("blind-gates", "rollout.no_data")
    assert found(tmp_path, {}, sections={"tier": "prod", "rollout.no_data": "pause"}) == []
    assert found(tmp_path, {}, sections=dict(blind)) == []


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_the_settings_of_this_repository_walk_into_none(environment: str) -> None:
    file = ROOT / f"Pulumi.{environment}.yaml"
    settings = load(file, environment, placeholders=True)
    assert of_settings(settings, document.read(file).sections) == []
