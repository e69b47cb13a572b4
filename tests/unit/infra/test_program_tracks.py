"""The program wherever tracks stand: which resources it declares, which it freezes, and what it tells the next run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cli.engine.graph import Resource, ResourceGraph
from cli.engine.render import render
from components.record import decode
from components.tracks import Tracks
from infra.last import Last
from infra.program import build, program
from infra.settings import from_pulumi

OFF = ("postgres", "redis", "prometheus", "alertmanager", "grafana", "loki", "collector", "node-exporter")
SERVICES = (
    "      api: { calls: [tools], rollout: { strategy: blue-green }, route: { gateway: public, namespace: gw } }\n"
    "      tools: { autoscale: { minimum: 2, maximum: 4 } }\n"
)
JOBS = "    jobs:\n      migrate: { reversible: false }\n      warm: { when: after }\n"
ONE: dict[str, Tracks] = {}
TWO = {"api": Tracks(described="b", epoch=1, two=True, trying=True), "tools": Tracks(held=True)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("program")


def rendered(
    folder: Path, tracks: dict[str, Tracks] | None, outputs: Any = None, *, version: str = "1", services: str = SERVICES
) -> ResourceGraph:
    """The program after an update that left `outputs`."""
    (folder / "Pulumi.yaml").write_text("name: turnout\nruntime: python\n")
    off = "".join(f"  turnout:{name}: {{ enabled: false }}\n" for name in OFF)
    app = f"  turnout:app:\n    image: agents\n    version: {version!r}\n    services:\n{services}{JOBS}"
    text = f"config:\n  turnout:cluster: {{ sandbox: main }}\n{app}{off}"
    (folder / "Pulumi.dev.yaml").write_text(text)
    run = partial(_build, outputs or {}, tracks)
    return render(folder, "dev", program=run)


def _build(outputs: Any, tracks: dict[str, Tracks] | None) -> None:
    build(from_pulumi("dev"), Last.of(outputs), tracks)


@pytest.fixture(scope="module")
def first(folder: Path) -> ResourceGraph:
    return rendered(folder, ONE)


@pytest.fixture(scope="module")
def second(folder: Path, first: ResourceGraph) -> ResourceGraph:
    return rendered(folder, TWO, first.outputs, version="2")


def objects(graph: ResourceGraph, *, frozen: bool | None = None) -> dict[str, Resource]:
    found = {f"{each.kind} {each.name}": each for each in graph.resources if each.is_kubernetes}
    if frozen is None:
        return found
    return {name: each for name, each in found.items() if (each.options.ignore_changes == ("*",)) == frozen}


def of(service: str, found: dict[str, Resource]) -> set[str]:
    return {name for name in found if name.split("/")[-1].removesuffix("-a").removesuffix("-b") == service}


def test_with_one_track_nothing_is_frozen(first: ResourceGraph) -> None:
    assert objects(first, frozen=True) == {}
    assert "Deployment dev/api-a" in objects(first) and "Service dev/api-a" not in objects(first)


def test_the_other_track_is_named_alone_and_left_as_it_is(second: ResourceGraph) -> None:
    frozen = objects(second, frozen=True)
    assert of("api", frozen) == {
        f"{kind} dev/api-a" for kind in ("ServiceAccount", "NetworkPolicy", "Deployment", "PodDisruptionBudget")
    }
    inputs = frozen["Deployment dev/api-a"].inputs
    metadata = {"name": "api-a", "namespace": "dev"}
    assert inputs == {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}


def test_the_described_track_comes_from_the_settings(second: ResourceGraph) -> None:
    made = objects(second, frozen=False)["Deployment dev/api-b"]
    assert made.inputs["spec"]["replicas"] == 0 and made.options.ignore_changes == ("spec.replicas",)
    assert made.inputs["metadata"]["annotations"]["turnout.dev/epoch"] == "1"
    [container] = made.inputs["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(":2")


def test_a_held_service_is_frozen_whole(first: ResourceGraph, second: ResourceGraph) -> None:
    assert of("tools", objects(second, frozen=True)) == of("tools", objects(first))
    assert of("tools", objects(second, frozen=False)) == set()
    assert second.outputs["tracks"]["tools"] == first.outputs["tracks"]["tools"]


def test_a_frozen_object_is_where_it_was(first: ResourceGraph, second: ResourceGraph) -> None:
    """Else the engine would take it for another one."""
    before = objects(first)
    for name, resource in objects(second, frozen=True).items():
        assert resource.urn == before[name].urn
        assert resource.provider.split("::")[:-1] == before[name].provider.split("::")[:-1]
        assert resource.options.retain_on_delete == before[name].options.retain_on_delete


def test_while_a_rollout_is_under_way_there_is_no_new_release(first: ResourceGraph, second: ResourceGraph) -> None:
    kept = "ConfigMap turnout-dev/release.0"
    assert kept in objects(second, frozen=True)
    assert second.outputs["release"] == first.outputs["release"]
    assert second.outputs["record"] == first.outputs["record"]
    assert {name for name in objects(second, frozen=True) if name.startswith("Job")} == {"Job dev/warm"}


def test_afterwards_there_is_one_and_the_last_jobs_run(folder: Path, second: ResourceGraph) -> None:
    ended = {"api": Tracks(described="b", epoch=1, two=True)}
    last = rendered(folder, ended, second.outputs, version="2")
    assert last.outputs["release"] != second.outputs["release"]
    assert not [name for name in objects(last, frozen=True) if name.startswith(("Job", "ConfigMap"))]
    release = objects(last)["ConfigMap turnout-dev/release.0"]
    content = decode([release.reveal()])
    assert {each["kind"] + each["metadata"]["name"] for each in content["objects"]} >= {"Deploymentapi-a"}
    assert [(step["name"], step["when"], step["reversible"]) for step in content["steps"]] == [
        ("migrate", "before", False),
        ("warm", "after", True),
    ]


def test_the_same_release_on_either_track_is_the_same_record(folder: Path, first: ResourceGraph) -> None:
    places = [Tracks(two=True), Tracks(described="b", epoch=1, two=True), Tracks(epoch=2, two=True)]
    names = {rendered(folder, {"api": place}, first.outputs).outputs["release"] for place in places}
    assert names == {first.outputs["release"]}


def test_last_jobs_wait_until_everything_serves(first: ResourceGraph) -> None:
    found = objects(first)
    after = found["Job dev/warm"].dependencies
    assert {found[f"Deployment dev/{name}-a"].urn for name in ("api", "tools")} <= set(after)
    assert found["Job dev/migrate"].urn in found["Deployment dev/api-a"].dependencies
    assert found["Job dev/warm"].urn not in found["Deployment dev/api-a"].dependencies


def test_a_service_that_the_settings_dropped_is_held_while_asked(folder: Path, first: ResourceGraph) -> None:
    alone = "      api: {}\n"
    assert of("tools", objects(rendered(folder, ONE, first.outputs, services=alone))) == set()
    held = rendered(folder, {"tools": Tracks(held=True)}, first.outputs, services=alone)
    assert of("tools", objects(held, frozen=True)) == of("tools", objects(first))
    assert held.outputs["tracks"]["tools"]["objects"] == first.outputs["tracks"]["tools"]["objects"]


def test_a_route_leads_to_the_service_until_a_rollout_says_otherwise(first: ResourceGraph) -> None:
    route = objects(first)["HTTPRoute dev/api"]
    assert route.options.ignore_changes == ("spec.rules",)
    assert route.inputs["spec"]["parentRefs"] == [{"name": "public", "namespace": "gw"}]
    [rule] = route.inputs["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "api", "port": 8080}]
    policy = objects(first)["NetworkPolicy dev/api-a"].inputs["spec"]
    assert {"ipBlock": {"cidr": "0.0.0.0/0"}} in policy["ingress"][0]["from"]


def test_a_changed_number_of_copies_waits_for_whoever_knows_the_tracks(folder: Path, first: ResourceGraph) -> None:
    """Plain Pulumi warns of it each time, until turnout has seen to it."""
    told = {**first.outputs["tracks"], "api": {**first.outputs["tracks"]["api"], "two": True}}
    before, more = {**first.outputs, "tracks": told}, SERVICES.replace("calls", "replicas: 5, calls")
    plain = rendered(folder, None, before, services=more)
    assert plain.outputs["tracks"]["api"]["copies"] == 2
    known = rendered(folder, {"api": Tracks(two=True)}, before, services=more)
    assert known.outputs["tracks"]["api"]["copies"] == 5


def test_without_a_cursor_the_stacks_own_outputs_count(folder: Path) -> None:
    """In a render there are none, so every service has its first track."""
    graph = render(folder, "dev", program=program)
    assert "Deployment dev/api-a" in objects(graph)
    assert graph.outputs["tracks"]["api"]["described"] == "a"
