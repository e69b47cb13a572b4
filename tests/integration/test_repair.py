"""`turnout repair` after real runs were killed in the middle, against a real API server."""

from __future__ import annotations

import json
import re
import threading
import uuid
from base64 import b64encode

import pytest

from tests.harness import eventually
from tests.integration.cut_off import HUSH, Shop, converges, deployments, engine_of, found, killed, shop

__all__ = ["shop"]

pytestmark = pytest.mark.cluster


def test_a_create_that_was_cut_off_is_taken_into_the_state(shop: Shop) -> None:
    shop.deployment(1)
    shop.want("token", "v1", "Secret", named="token", stringData={"token": HUSH})
    killed(shop, engine_of, "up", shop.name, "--yes", when=deployments(shop))
    assert f"turnout repair {shop.name}" in shop.run("up", "--yes", expect=5)
    before = shop.state()
    assert found(shop)[f"creating Deployment {shop.name}/never"] == (
        "it is in the cluster, made by that run",
        "take the object into the state",
    )
    assert shop.state() == before, "only showing changes nothing"
    shop.run("repair", "--yes")
    assert (shop.pending(), shop.recorded()) == ([], shop.there())
    assert found(shop, expect=0) == {}
    shop.deployment(0)
    converges(shop)
    written = [file for file in shop.folder.rglob("*") if file.is_file() and file.name != "asked.json"]
    assert not [file for file in written if HUSH.encode() in file.read_bytes()]


def test_an_engine_whose_turnout_was_killed_ends_by_itself(shop: Shop) -> None:
    shop.deployment(1)
    killed(shop, lambda turnout: turnout, "up", shop.name, "--yes", when=deployments(shop))
    shop.run("repair", "--yes")
    assert (shop.pending(), shop.recorded()) == ([], shop.there())
    shop.deployment(0)
    converges(shop)


def test_a_create_that_is_not_in_the_cluster_is_forgotten_and_a_strangers_object_is_kept(shop: Shop) -> None:
    shop.deployment(1)
    killed(shop, engine_of, "up", shop.name, "--yes", when=deployments(shop))
    shop.kube.delete("apps/v1", "Deployment", "never", shop.name)
    eventually(lambda: not shop.kube.find("apps/v1", "Deployment", "never", shop.name), "the Deployment is gone")
    manifest = shop.objects["never"]["manifest"]
    other = {**manifest, "metadata": {"name": "never", "namespace": shop.name}}
    shop.kube.create(other, "kubectl-create")
    [(what, action)] = found(shop).values()
    assert ("not made by that run" in what, action) == (True, "")
    said = shop.run("repair", "--yes", expect=1)
    assert "pulumi import" in said
    assert shop.pending() == [("creating", "Deployment")]
    shop.kube.delete("apps/v1", "Deployment", "never", shop.name)
    eventually(lambda: not shop.kube.find("apps/v1", "Deployment", "never", shop.name), "the stranger's is gone")
    assert found(shop).popitem()[1][1] == "forget the operation"
    shop.run("repair", "--yes")
    shop.deployment(0)
    converges(shop)


@pytest.mark.parametrize("drifts", [False, True])
def test_an_update_that_was_cut_off_is_read_back(shop: Shop, drifts: bool) -> None:
    shop.deployment(0)
    shop.run("up", "--yes")
    old = shop.objects["never"]["manifest"]
    shop.deployment(1)
    killed(shop, engine_of, "up", shop.name, "--yes", when=deployments(shop))
    assert shop.pending() == [("updating", "Deployment")]
    assert found(shop).popitem()[1][0] == "the update is in the cluster"
    if drifts:
        shop.kube.apply(old, "turnout", force=True)
        assert found(shop).popitem()[1][0].startswith("the update is not in the cluster")
        shop.kube.apply({**old, "spec": {**old["spec"], "replicas": 5}}, "turnout", force=True)
        assert found(shop).popitem()[1][0].startswith("the cluster holds neither")
    shop.run("repair", "--yes")
    shop.deployment(0)
    converges(shop)


@pytest.mark.parametrize("named", ["", "never"])
def test_a_replacement_that_was_cut_off_ends_with_one_object(shop: Shop, named: str) -> None:
    """Without a name of its own the new object comes first, with one the old object goes first."""
    shop.deployment(0, named=named)
    shop.run("up", "--yes")
    shop.deployment(1, named=named, app="other")
    killed(shop, engine_of, "up", shop.name, "--yes", when=deployments(shop))
    shop.run("repair", "--yes")
    assert shop.recorded() == shop.there()
    shop.deployment(0, named=named, app="other")
    converges(shop)
    assert len([name for name in shop.there() if name.startswith("Deployment/")]) == 1


@pytest.mark.parametrize(("verb", "gone"), [("up", True), ("up", False), ("destroy", False)])
def test_a_deletion_that_was_cut_off_is_seen_to_its_end(shop: Shop, verb: str, gone: bool) -> None:
    held = {"kubernetes.io/finalizer-of-a-test": None}
    shop.want("held", "v1", "ConfigMap", named="held", data={"a": "b"})
    shop.run("up", "--yes")
    shop.kube.patch("v1", "ConfigMap", "held", shop.name, {"metadata": {"finalizers": list(held)}}, "test")
    if verb == "up":
        shop.forget("held")
    place = ("v1", "ConfigMap", "held", shop.name)
    killed(
        shop, engine_of, verb, shop.name, "--yes", when=lambda: "deletionTimestamp" in shop.kube.get(*place)["metadata"]
    )
    assert ("deleting", "ConfigMap") in shop.pending()
    if gone:
        shop.kube.patch(*place, {"metadata": {"finalizers": None}}, "test")
    said = found(shop)[f"deleting ConfigMap {shop.name}/held"][0]
    assert said.startswith("it is gone" if gone else "it is being deleted")
    letting_go = threading.Timer(4, lambda: shop.kube.patch(*place, {"metadata": {"finalizers": None}}, "test"))
    if not gone:
        letting_go.start()
    shop.run("repair", "--yes")
    assert (shop.pending(), shop.recorded()) == ([], shop.there())
    if verb == "up":
        converges(shop)
    else:
        shop.run("destroy", "--yes")
        assert shop.recorded() == set()


def test_what_lies_in_the_way_of_the_state_is_told_or_removed(shop: Shop) -> None:
    shop.run("up", "--yes")
    assert shop.run("repair").endswith("nothing to repair\n")
    sidecar = shop.state_file.with_name(f"{shop.state_file.name}.attrs")
    sidecar.write_text("")
    assert str(sidecar) in shop.run("repair", expect=3)
    shop.run("repair", "--yes")
    assert not sidecar.exists()
    lock = shop.state_file.parents[2] / f"locks/organization/shop/{shop.name}/{uuid.uuid4()}.json"
    lock.write_text(json.dumps({"pid": 7, "username": "ann", "hostname": "b-3", "timestamp": "2026-01-01T00:00:00Z"}))
    said = shop.run("repair", "--yes", expect=5)
    assert "ann@b-3" in said
    assert "--unlock" in said
    shop.run("repair", "--yes", "--unlock")
    assert not lock.exists()
    shop.state_file.write_bytes(shop.state_file.read_bytes()[:-50])
    said = shop.run("repair", "--yes", expect=1)
    assert f"turnout state restore {shop.name}" in said
    assert "backup 1" in said


def test_without_the_cluster_it_says_what_could_not_be_looked_at(shop: Shop) -> None:
    shop.deployment(1)
    killed(shop, engine_of, "up", shop.name, "--yes", when=deployments(shop))
    before, alive = shop.state(), shop.reach.read_text()
    shop.reach.write_text(re.sub(r"https://[^\s\"']+", "https://127.0.0.1:9", alive))
    said = shop.json("repair", "--yes", expect=1)
    assert said["unreachable"]
    assert [row["kind"] for row in said["settled"]] == ["state lock"]
    [left] = said["left"]
    assert left["found"].startswith("nobody could look")
    assert shop.state() == before
    shop.reach.write_text(alive)
    shop.run("repair", "--yes")
    assert shop.recorded() == shop.there()


def test_a_secret_that_is_known_by_its_name_alone_stays_closed(shop: Shop) -> None:
    """A provider that died in the middle leaves only what the engine's events tell, which is nothing secret."""
    shop.want("token", "v1", "Secret", named="token", stringData={"token": HUSH})
    shop.run("up", "--yes")
    whole = json.loads(shop.state_file.read_text())
    latest = whole["checkpoint"]["latest"]
    [token] = [row for row in latest["resources"] if row["type"].endswith(":Secret")]
    latest["resources"].remove(token)
    kept = {key: token[key] for key in ("urn", "custom", "type", "parent", "provider")}
    named = {key: token["inputs"][key] for key in ("apiVersion", "kind", "metadata")}
    latest["pending_operations"] = [{"type": "creating", "resource": {**kept, "inputs": named}}]
    shop.state_file.write_text(json.dumps(whole))
    shop.run("repair", "--yes")
    assert shop.recorded() == shop.there()
    written = [file.read_bytes() for file in (shop.folder / "state").rglob("*") if file.is_file()]
    assert not [data for data in written for text in (HUSH.encode(), b64encode(HUSH.encode())) if text in data]
    converges(shop)
    written = [file.read_bytes() for file in (shop.folder / "state").rglob("*") if file.is_file()]
    assert not [data for data in written for text in (HUSH.encode(), b64encode(HUSH.encode())) if text in data]


def test_a_replacement_cut_off_between_deletion_and_creation_and_taken_back_loses_nothing(shop: Shop) -> None:
    """The engine alone creates the object again and then deletes it, as the old one that it was to replace."""
    shop.want("held", "v1", "ConfigMap", named="held", data={"a": "b"})
    shop.run("up", "--yes")
    whole = json.loads(shop.state_file.read_text())
    [row] = [one for one in whole["checkpoint"]["latest"]["resources"] if one["type"].endswith(":ConfigMap")]
    row["pendingReplacement"] = True
    shop.state_file.write_text(json.dumps(whole))
    shop.kube.delete("v1", "ConfigMap", "held", shop.name)
    converges(shop)
    assert "ConfigMap/held" in shop.there()
