"""Tracks under the real engine: a second one beside the first, described by turns, the other left as it is."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cli.engine import environ
from cli.engine.model import Change, Plan
from cli.engine.run import Engine
from cli.kube.client import Kube, connect
from cli.kube.health import health
from cli.progress import Silent
from cli.rollout import moves
from cli.rollout.where import from_settings
from components.tracks import Letter, Tracks
from tests.harness import eventually

pytestmark = pytest.mark.cluster

OFF = ("postgres", "redis", "prometheus", "alertmanager", "grafana", "loki", "collector", "node-exporter")
SERVE = "mkdir /tmp/w; for each in readyz healthz; do echo ok > /tmp/w/$each; done; exec httpd -f -p 8080 -h /tmp/w"
FENCE = "1.somebody"
ONE: dict[str, Tracks] = {}
FORTH = {"api": Tracks(described="b", epoch=1, two=True)}
BACK = {"api": Tracks(described="a", epoch=2, two=True)}


class World:
    """A project of one service, driven by the engine in this process."""

    def __init__(self, folder: Path, sandbox: str, kube: Kube) -> None:
        self.folder, self.sandbox, self.kube = folder, sandbox, kube
        self.name = f"t{secrets.token_hex(3)}"
        (folder / "Pulumi.yaml").write_text("name: turnout\nruntime: python\n")
        (folder / "passphrase").write_text(secrets.token_hex(16))
        self.write("red")

    def write(self, colour: str, **changes: Any) -> None:
        """The settings: a service whose templates, budget and autoscaler all depend on them."""
        service = {
            "args": ["-c", SERVE],
            "deadline": 120,
            "env": {"COLOUR": colour},
            "config": {"path": "/etc/api", "files": {"colour": colour}},
            "autoscale": {"minimum": 2, "maximum": 4},
            "drain": {"pause": 0, "longest_request": 1},
            "rollout": {"strategy": "blue-green"},
            **changes,
        }
        app = {"image": "busybox", "version": "1", "services": {"api": service}}
        config: dict[str, Any] = {"turnout:cluster": {"tier": "dev", "sandbox": self.sandbox}, "turnout:app": app}
        config |= {f"turnout:{name}": {"enabled": False} for name in OFF}
        with (self.folder / f"Pulumi.{self.name}.yaml").open("w") as file:
            YAML().dump({"config": config}, file)

    def engine(self, cursor: dict[str, Tracks] | None) -> Engine:
        engine = Engine(self.folder, self.name, Silent())
        engine.cursor = cursor
        return engine

    def up(self, cursor: dict[str, Tracks] | None) -> None:
        outcome = self.engine(cursor).up()
        assert outcome.ok, outcome.failures

    def plan(self, cursor: dict[str, Tracks] | None) -> list[str]:
        return changes(self.engine(cursor).preview())

    def rests(self, cursor: dict[str, Tracks]) -> None:
        """Nothing would change, neither for who knows the cursor nor for who knows only the stack's last outputs."""
        plans = [self.engine(known).preview() for known in (cursor, None)]
        assert [differing(plan) for plan in plans] == [[], []]

    def unready_at_refresh(self, cursor: dict[str, Tracks]) -> list[str]:
        """The resources that a refresh meets not ready. The next update looks at them again."""
        engine = self.engine(cursor)
        engine.refresh()
        resources = engine.export_state()["deployment"]["resources"]
        return [entry["urn"].rpartition("::")[2] for entry in resources if entry.get("initErrors")]

    def deployment(self, letter: str) -> Any:
        return self.kube.get("apps/v1", "Deployment", f"api-{letter}", self.name)

    def template(self, letter: str) -> Any:
        return self.deployment(letter)["spec"]["template"]

    def colour(self, letter: str) -> str:
        [container] = self.template(letter)["spec"]["containers"]
        return str(next(row["value"] for row in container["env"] if row["name"] == "COLOUR"))

    def configured(self, *operations: str) -> list[str]:
        """What a change of the colour does besides: other configuration, and so another release."""
        maps = (f"replace ConfigMap {self.name}/api-config", f"replace ConfigMap turnout-{self.name}/release.0")
        return sorted([*maps, *(f"update Deployment {self.name}/{name}" for name in operations)])


def changes(plan: Plan) -> list[str]:
    return sorted(map(told, plan.changes))


def told(change: Change) -> str:
    return f"{change.operation.value} {change.type.rpartition(':')[2]} {change.name}"


def differing(plan: Plan) -> list[tuple[str, Any]]:
    """Each change with its fields, for whoever reads why a test failed."""
    return [(told(change), change.fields) for change in plan.changes]


@pytest.fixture(scope="module")
def world(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, connect(from_settings({"sandbox": sandbox})) as kube:
        made = World(tmp_path_factory.mktemp("tracks"), sandbox, kube)
        patch.setenv(environ.PASSPHRASE_FILE, str(made.folder / "passphrase"))
        patch.setenv("TURNOUT_PROVIDER", "own")
        try:
            yield made
        finally:
            made.engine(None).destroy()
            for namespace in (made.name, f"turnout-{made.name}"):
                kube.delete("v1", "Namespace", namespace)


def test_two_tracks_are_described_by_turns_and_the_other_rests(world: World) -> None:
    world.up(ONE)
    world.rests(ONE)
    first = world.deployment("a")

    world.write("green")
    world.up(FORTH)
    world.rests(FORTH)
    assert (world.colour("a"), world.colour("b")) == ("red", "green")
    assert (world.template("a"), world.deployment("b")["spec"]["replicas"]) == (first["spec"]["template"], 0)

    _roll(world, "b")
    eventually(lambda: world.unready_at_refresh(FORTH) == [])
    world.rests(FORTH)

    world.write("blue", autoscale={"minimum": 3, "maximum": 9}, drain={"pause": 1, "longest_request": 2})
    assert world.plan(FORTH) == world.plan(None) == world.configured("api-b")
    held = {"api": Tracks(described="b", epoch=1, two=True, held=True)}
    assert world.plan(held) == []
    world.up(None)
    assert (world.colour("a"), world.colour("b"), world.deployment("b")["spec"]["replicas"]) == ("red", "blue", 1)
    assert moves.selected(world.kube.get("v1", "Service", "api", world.name)) == "b"

    world.write("red")
    assert world.plan(BACK) == world.configured("api-a")
    world.up(BACK)
    world.rests(BACK)
    assert world.template("a") == first["spec"]["template"]
    assert (world.colour("b"), world.deployment("b")["spec"]["replicas"]) == ("blue", 1)


def test_a_frozen_track_that_a_refresh_found_not_ready_is_no_obstacle(world: World) -> None:
    [container] = world.template("b")["spec"]["containers"]
    broken = {"containers": [{"name": container["name"], "image": "nowhere.invalid/never:1"}]}
    body = {"spec": {"template": {"spec": broken}}}
    world.kube.patch("apps/v1", "Deployment", "api-b", world.name, body, "somebody", how="strategic")
    eventually(lambda: not health(world.deployment("b")).ready)
    eventually(lambda: world.unready_at_refresh(BACK) == [f"{world.name}/api-b"])
    [change] = world.engine(BACK).preview().changes
    assert (told(change), change.fields, change.again) == (f"update Deployment {world.name}/api-b", (), True)
    world.up(BACK)
    [container] = world.template("b")["spec"]["containers"]
    assert container["image"] == "nowhere.invalid/never:1"


def test_nothing_is_left_when_the_environment_goes(world: World) -> None:
    """Frozen objects are the environment's as much as any other."""
    outcome = world.engine(BACK).destroy()
    assert outcome.ok, outcome.failures
    assert world.kube.list("apps/v1", "Deployment", world.name) == []


def _roll(world: World, letter: Letter) -> None:
    """What a rollout moves: bounds, copies, and the entry."""
    moves.bounds(world.kube, world.name, "api", letter, 1, 1, fence=FENCE)
    moves.scale(world.kube, world.name, "api", letter, 1, fence=FENCE)
    moves.select(world.kube, world.name, "api", letter, fence=FENCE)
    eventually(lambda: all(health(world.deployment(each)).ready for each in ("a", "b")))
