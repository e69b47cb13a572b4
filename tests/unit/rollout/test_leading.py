"""What leads to services comes back with a release: Services and HTTPRoutes, before the callers do."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cli.progress import Silent
from cli.rollout import aside, cursor, notify, plan, possible, releases, rollback, show, wait
from cli.rollout.cursor import Cursor, Place
from cli.rollout.lock import environment_lock
from cli.rollout.moves import ROUTE
from components import record
from components.manifest import stamped
from components.names import ENVIRONMENT, TRACK
from components.tracks import lettered

Object = dict[str, Any]


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is up at once, and nobody is told."""
    monkeypatch.setattr(wait, "rolled_out", lambda *_, **__: {})
    monkeypatch.setattr(notify, "_send", lambda *_: None)
    monkeypatch.setattr(aside, "begin", lambda kube, work, _: work(kube))
    monkeypatch.setattr(possible, "_kinds", lambda *_: None)


def service(make: Any, name: str, *, port: int = 8080, track: str = "a") -> Object:
    metadata = {"name": name, "namespace": "dev", "labels": make.labels(name)}
    ports = [{"name": "http", "port": port, "targetPort": "http", "protocol": "TCP"}]
    spec = {"selector": {"app.kubernetes.io/name": name, TRACK: track}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def route(make: Any, name: str, host: str = "tools.example") -> Object:
    metadata = {"name": name, "namespace": "dev", "labels": make.labels(name)}
    rules = [{"backendRefs": [{"name": name, "port": 8080}]}]
    spec = {"parentRefs": [{"name": "edge"}], "hostnames": [host], "rules": rules}
    return {"apiVersion": ROUTE, "kind": "HTTPRoute", "metadata": metadata, "spec": spec}


def deployment(make: Any, name: str, version: str) -> Object:
    made: Object = copy.deepcopy(make.deployment(name, version))
    for labels in (made["metadata"]["labels"], made["spec"]["template"]["metadata"]["labels"]):
        labels[TRACK] = "a"
    return made


def kept(cluster: Any, minute: int, *objects: Object) -> None:
    """A release of these objects, as the program records it."""
    cluster.now = f"2026-01-01T00:0{minute}:00Z"
    for piece in record.encode("dev", "turnout-dev", objects, {ENVIRONMENT: "dev"}).manifests:
        cluster.put(piece, "configmaps")


@pytest.fixture
def removed(cluster: Any, kube: Any, make: Any) -> Any:
    """Release 1 has `api`, and `tools` with its entries; release 2, which runs, has `api` alone."""
    tools = (service(make, "tools"), route(make, "tools"), deployment(make, "tools", "1"))
    kept(cluster, 1, service(make, "api"), deployment(make, "api", "1"), *tools)
    kept(cluster, 2, service(make, "api"), deployment(make, "api", "2"))
    cluster.put(make.ready(deployment(make, "api", "2")), "deployments")
    cluster.put(stamped(service(make, "api")), "services")
    releases.load(kube, "dev")
    return cluster


def go_back(kube: Any, *only: str) -> rollback.Done:
    order = rollback.Order("turnout rollback dev")
    with environment_lock(kube, "dev", command=order.command) as held:
        wanted = rollback.prepare(kube, "dev", only=only)
        rollback.check(kube, wanted)
        return rollback.carry_out(kube, wanted, order, held, Silent())


def writes(cluster: Any) -> list[str]:
    kinds = ("services/", "httproutes/", "deployments/")
    return [line for line in cluster.log if line.split()[1].startswith(kinds)]


def test_a_service_that_was_removed_has_its_entries_again_before_anything_else(removed: Any, kube: Any) -> None:
    go_back(kube)
    assert set(writes(removed)[:2]) == {"apply services/tools", "apply httproutes/tools"}
    assert removed.find("services", "tools")["spec"]["ports"][0]["port"] == 8080
    assert removed.find("services", "tools")["spec"]["selector"][TRACK] == "a"
    assert removed.find("httproutes", "tools")["spec"]["hostnames"] == ["tools.example"]


def test_it_is_tried_before_it_is_done_and_told_in_the_plan(removed: Any, kube: Any) -> None:
    wanted = rollback.prepare(kube, "dev")
    rollback.check(kube, wanted)
    assert "services/tools" in removed.dry
    assert "  create again Service dev/tools" in list(show.plan(wanted, kube.endpoint))


def test_one_with_two_tracks_leads_to_the_track_that_comes_back(removed: Any, kube: Any) -> None:
    cursor.change(kube, "dev", lambda now: Cursor({"tools": Place("b", "b", 3, two=True)}, now.source))
    assert go_back(kube).release.restores == 1
    found = {name: removed.find("services", name) for name in ("tools", "tools-a", "tools-b")}
    assert {name: one["spec"]["selector"][TRACK] for name, one in found.items()} == {
        "tools": "b",
        "tools-a": "a",
        "tools-b": "b",
    }
    assert removed.find("deployments", "tools-b")["spec"]["template"]["spec"]["containers"][0]["image"] == "tools:1"


def test_a_changed_port_comes_back_and_the_traffic_stays_where_it_is(cluster: Any, kube: Any, make: Any) -> None:
    kept(cluster, 1, service(make, "tools"), deployment(make, "tools", "1"))
    kept(cluster, 2, service(make, "tools", port=9090), deployment(make, "tools", "2"))
    for letter in ("a", "b"):
        cluster.put(make.ready(lettered(deployment(make, "tools", "2"), letter)), "deployments")
    for name, track in (("tools", "b"), ("tools-a", "a"), ("tools-b", "b")):
        made = service(make, name, port=9090, track=track)
        made["metadata"]["labels"] = make.labels("tools")
        cluster.put(made, "services")
    cursor.change(kube, "dev", lambda now: Cursor({"tools": Place("b", "b", 3, two=True)}, now.source))
    wanted = rollback.prepare(kube, "dev")
    entries = {one.key[2]: one.manifest["spec"] for one in wanted.actions if one.key[0] == "Service"}
    assert {name: (spec["ports"][0]["port"], spec["selector"][TRACK]) for name, spec in entries.items()} == {
        "tools": (8080, "b"),
        "tools-a": (8080, "a"),
        "tools-b": (8080, "b"),
    }
    go_back(kube)
    assert set(writes(cluster)[:3]) == {f"apply services/{name}" for name in ("tools", "tools-a", "tools-b")}


def test_of_a_route_all_but_its_weights_comes_back(cluster: Any, kube: Any, make: Any) -> None:
    kept(cluster, 1, route(make, "tools"), deployment(make, "tools", "1"))
    kept(cluster, 2, route(make, "tools", "wrong.example"), deployment(make, "tools", "2"))
    live = route(make, "tools", "wrong.example")
    live["spec"]["rules"][0]["backendRefs"][0]["weight"] = 7
    cluster.put(live, "httproutes")
    go_back(kube)
    spec = cluster.find("httproutes", "tools")["spec"]
    assert (spec["hostnames"], spec["rules"]) == (["tools.example"], live["spec"]["rules"])


@pytest.mark.usefixtures("removed")
def test_entries_that_are_right_are_not_touched(kube: Any) -> None:
    assert "Service dev/api" not in {one.title for one in rollback.prepare(kube, "dev").actions}


def test_of_some_services_only_their_entries_come_back_and_are_recorded(removed: Any, kube: Any, make: Any) -> None:
    del removed.objects["dev", "services", "api"]
    wanted = rollback.prepare(kube, "dev", only=("tools",))
    assert {one.title for one in wanted.actions if one.key[0] != "Deployment"} == {
        "Service dev/tools",
        "HTTPRoute dev/tools",
    }
    assert sorted(map(plan.key, wanted.kept.entries)) == sorted(
        map(plan.key, (service(make, "api"), service(make, "tools"), route(make, "tools")))
    )


def test_a_record_too_old_to_hold_them_says_which_are_gone(cluster: Any, kube: Any, make: Any) -> None:
    for minute, version in enumerate(("1", "2")):
        cluster.now = f"2026-01-01T00:0{minute}:00Z"
        cluster.put(make.record(f"release-{version}", [deployment(make, "tools", version)])[0], "configmaps")
    cluster.put(make.ready(lettered(deployment(make, "tools", "2"), "b")), "deployments")
    cursor.change(kube, "dev", lambda now: Cursor({"tools": Place("b", "b", 3, two=True)}, now.source))
    said = "Service dev/tools is gone and stays so, the record is too old to hold it: only turnout up brings it back"
    assert said in list(show.warnings(rollback.prepare(kube, "dev")))
    assert said in possible.ask(kube, "dev", 1)[0].notes
    go_back(kube)
    assert cluster.find("deployments", "tools-b")["spec"]["template"]["spec"]["containers"][0]["image"] == "tools:1"
