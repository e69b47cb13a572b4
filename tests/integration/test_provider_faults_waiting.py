"""Faults while a provider waits, faults of whole connections, and outcomes that stay unknown for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cli.kube.config import endpoint
from cli.sandbox.certs import Wish, issue
from cli.sandbox.layout import Layout
from tests.harness import eventually
from tests.integration.fault_proxy import FOREVER, Fault, fault_proxy, status
from tests.integration.faulty import CONFIG_MAP, Scene
from tests.integration.provider import Failed, Provider, Resource, provider
from tests.integration.provider_fixtures import MANAGED, Live, config_map, deployment

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
WATCH = "watch=true"
pytestmark = pytest.mark.cluster


def awaited(scene: Scene) -> dict[str, Any]:
    """An object that is ready once somebody writes `ready` into it."""
    wanted = config_map(scene.name, a="1")
    notes = {**MANAGED, "pulumi.com/waitFor": "jsonpath={.data.ready}=yes"}
    return {**wanted, "metadata": {**wanted["metadata"], "annotations": notes}}


def created_when_watched(scene: Scene, watches: int) -> Resource:
    """Create it, and let it become ready once the proxy has seen so many watches."""

    def get_ready() -> None:
        eventually(lambda: scene.proxy.count("GET", WATCH) >= watches, every=0.05)
        scene.live.patch("ConfigMap", scene.name, {"data": {"ready": "yes"}}, "somebody")

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(get_ready)
        made = scene.engine.create(CONFIG_MAP, scene.name, awaited(scene))
        done.result()
    return made


@pytest.mark.parametrize(
    ("kind", "watches"),
    [("old watch", 2), ("ended watch", 3), ("garbled watch", 2), ("reset", 2), ("answer", 2)],
)
def test_a_watch_that_ends_badly_is_opened_again(scene: Scene, kind: Any, watches: int) -> None:
    scene.proxy.fail(Fault(kind, "GET", WATCH, times=watches - 1, status=410 if kind == "answer" else 503))
    made = created_when_watched(scene, watches)
    assert made.outputs["data"] == {"a": "1", "ready": "yes"}
    lists = scene.proxy.count("GET", "?limit=")
    assert lists == (1 if kind == "ended watch" else watches), "an expired watch lists again, one that ended goes on"


@pytest.fixture(scope="module")
def strange(kubeconfig: Path) -> Iterator[Provider]:
    """A provider whose clock is an hour off, and that looks for itself after a second without news."""
    program = (
        "import time; right = time.time; time.time = lambda: right() + 3600\n"
        "from cli.provider import watches; watches.STALE = 1.0\n"
        "from cli.provider.__main__ import main; main()"
    )
    with provider(kubeconfig, program) as process:
        yield process


def test_a_watch_that_never_tells_anything_does_not_hide_the_change(scene: Scene, strange: Provider) -> None:
    scene.provider = strange
    scene.engine = scene.attached()
    scene.proxy.fail(Fault("silent watch", "GET", WATCH, times=FOREVER))
    assert created_when_watched(scene, 1).outputs["data"]["ready"] == "yes"


def test_a_clock_that_is_an_hour_off_changes_no_deadline(scene: Scene, strange: Provider) -> None:
    scene.provider = strange
    scene.engine = scene.attached()
    scene.proxy.fail(Fault("answer", "POST", status=429, headers={"retry-after": "date+2"}))
    assert created_when_watched(scene, 1).outputs["data"]["ready"] == "yes"
    assert scene.proxy.gap("POST") >= 1
    with pytest.raises(Failed) as caught:
        wanted = {**awaited(scene), "metadata": {**awaited(scene)["metadata"], "name": f"{scene.name}-2"}}
        scene.engine.create(CONFIG_MAP, f"{scene.name}-2", wanted, seconds=2)
    assert "timed out" in caught.value.reasons[0], "by then, and neither at once nor never"


@pytest.mark.parametrize(("refusal", "words"), [("answer", "does not accept our credentials"), ("as nobody", "can-i")])
def test_a_right_lost_while_waiting_ends_the_wait_and_loses_no_object(scene: Scene, refusal: Any, words: str) -> None:
    scene.proxy.fail(Fault(refusal, "GET", times=FOREVER, status=401))
    with pytest.raises(Failed) as caught:
        scene.engine.create(CONFIG_MAP, scene.name, awaited(scene))
    assert words in "\n".join(caught.value.reasons), "and says which"
    assert caught.value.id == f"{scene.live.namespace}/{scene.name}", "the engine records what was made"
    assert caught.value.outputs["metadata"]["uid"] == scene.object()["metadata"]["uid"]
    asked = scene.proxy.count("GET")
    assert asked <= 2, "once by the one that waits, once by the watch"


def test_a_right_lost_while_a_deletion_is_waited_for_ends_it(scene: Scene) -> None:
    wanted = config_map(scene.name, a="1")
    wanted["metadata"]["finalizers"] = ["turnout.dev/test"]
    made = scene.engine.create(CONFIG_MAP, scene.name, wanted)
    scene.proxy.fail(Fault("answer", "GET", times=FOREVER, status=401))
    try:
        with pytest.raises(Failed, match="does not accept our credentials"):
            scene.engine.delete(made)
        assert scene.proxy.count("DELETE") == 1 and scene.proxy.count("GET") <= 2
    finally:
        scene.live.patch("ConfigMap", scene.name, {"metadata": {"finalizers": None}}, "somebody")


@pytest.mark.parametrize("arrived", [True, False], ids=["made", "not made"])
def test_a_create_of_unknown_outcome_is_recorded_and_read_back_by_the_next_update(scene: Scene, arrived: bool) -> None:
    scene.proxy.fail(
        Fault("reset after" if arrived else "reset", "POST"), Fault("answer", "GET", times=FOREVER, status=401)
    )
    with pytest.raises(Failed) as caught:
        scene.create()
    assert "may have been created" in "".join(caught.value.reasons), caught.value
    scene.proxy.fail()
    recorded = Resource(made_urn(scene), caught.value.id, scene.wanted(), caught.value.outputs)
    assert scene.is_there() is arrived
    mended = scene.engine.update(recorded, scene.wanted())
    assert mended.outputs["metadata"]["uid"] == scene.object()["metadata"]["uid"]
    assert scene.proxy.count("POST") == (0 if arrived else 1)
    scene.engine.delete(mended)


def made_urn(scene: Scene) -> str:
    return f"urn:pulumi:test::turnout::{CONFIG_MAP}::{scene.name}"


def test_what_the_server_spells_otherwise_is_recognised_as_ours(scene: Scene) -> None:
    wanted = deployment(scene.name, replicas=0)
    container = wanted["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"limits": {"memory": "1024Mi", "cpu": "1000m"}}
    scene.proxy.fail(Fault("reset after", "POST"))
    made = scene.engine.create(DEPLOYMENT, scene.name, wanted)
    live = scene.live.get("Deployment", scene.name, "apps/v1")
    assert made.outputs["metadata"]["uid"] == live["metadata"]["uid"] and scene.proxy.count("POST") == 1


def test_somebody_elses_object_is_not_taken_for_a_lost_create(scene: Scene) -> None:
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}}
    metadata = {"name": scene.name, "namespace": scene.live.namespace}
    scene.live.kube.create({**theirs, "metadata": metadata}, "somebody")
    scene.proxy.fail(Fault("reset", "POST"))
    with pytest.raises(Failed, match="another writer made it"):
        scene.create()


def test_a_field_that_another_manager_owns_is_a_conflict_that_says_what_to_do(scene: Scene) -> None:
    made = scene.create()
    scene.live.patch("ConfigMap", scene.name, {"metadata": {"labels": {"x": "theirs"}}}, "somebody")
    scene.proxy.fail()
    with pytest.raises(Failed, match=r"somebody owns \.metadata\.labels\.x") as caught:
        scene.engine.update(made, scene.wanted(x="ours"))
    assert "ignoreChanges" in str(caught.value) and "pulumi.com/patchForce" in str(caught.value)
    assert scene.proxy.count("PATCH") == 2, "the hand-over and one apply: an owner is not asked twice"
    assert scene.object()["metadata"]["labels"] == {"x": "theirs"}


@pytest.mark.parametrize("kind", ["reset after", "answer"])
def test_a_replacement_of_a_definition_survives_a_lost_answer_and_a_race(scene: Scene, kind: Any) -> None:
    plural = f"{scene.name}s"
    wanted = definition(plural)
    made = scene.engine.create(DEFINITION, plural, wanted)
    scene.proxy.fail(Fault(kind, "PUT", status=409, body=status(409, "modified", "Conflict")))
    try:
        changed = {**wanted, "metadata": {**wanted["metadata"], "labels": {"x": "y"}}}
        scene.engine.update(made, changed)
        live = scene.live.kube.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.faults.example")
        assert live["metadata"]["labels"] == {"x": "y"} and scene.proxy.count("PUT") == 2
    finally:
        scene.proxy.fail()
        scene.engine.delete(made)


def definition(plural: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": {"type": "object"}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": plural, "singular": plural[:-1], "kind": plural.capitalize()}
    spec = {"group": "faults.example", "scope": "Namespaced", "names": names, "versions": [version]}
    return {"metadata": {"name": f"{plural}.faults.example", "annotations": MANAGED}, "spec": spec}


def test_a_patch_resource_survives_a_lost_answer(scene: Scene) -> None:
    scene.live.kube.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": scene.name, "namespace": scene.live.namespace}},
        "somebody",
    )
    scene.proxy.fail(Fault("reset after", "PATCH"))
    scene.engine.create("kubernetes:core/v1:ConfigMapPatch", scene.name, config_map(scene.name, a="1"))
    assert scene.object()["data"] == {"a": "1"} and scene.proxy.count("PATCH") == 2


def test_a_server_that_restarts_is_waited_for(scene: Scene) -> None:
    scene.create()
    scene.proxy.fail()
    scene.proxy.down_for(7)
    made = scene.engine.create(CONFIG_MAP, f"{scene.name}-2", config_map(f"{scene.name}-2", a="1"))
    assert made.id.endswith("-2") and scene.proxy.count("POST") == 1


def test_a_handshake_that_fails_is_tried_again(kubeconfig: Path, running: Provider, live: Live, tmp_path: Path) -> None:
    with fault_proxy(endpoint(kubeconfig), pki(tmp_path)) as proxy:
        engine = running.engine(proxy.kubeconfig(live.namespace))
        proxy.fail(Fault("no handshake", "HANDSHAKE", times=2))
        engine.create(CONFIG_MAP, "handshake", config_map("handshake", a="1"))
        assert proxy.count("HANDSHAKE") == 3 and proxy.count("POST") == 1


def pki(folder: Path) -> Path:
    """An authority, and a certificate for the loopback."""
    layout = Layout("faults")
    layout.pki = folder
    issue(layout, Wish("server", "ca", "proxy", hosts=("127.0.0.1",)))
    return folder


def test_the_engines_cancel_ends_the_waiting_for_a_busy_server(scene: Scene) -> None:
    scene.proxy.fail(Fault("answer", "POST", status=429, times=FOREVER, headers={"retry-after": "30"}))
    cancelling = threading.Thread(target=cancel_when_asked, args=(scene,))
    cancelling.start()
    began = time.monotonic()
    with pytest.raises(Failed, match="answered 429"):
        scene.create()
    cancelling.join()
    assert scene.proxy.count("POST") == 1 and time.monotonic() - began < 20, "not the 30 s that the server asked for"


def cancel_when_asked(scene: Scene) -> None:
    eventually(lambda: scene.proxy.count("POST"), every=0.05)
    scene.engine.cancel()


def test_many_waits_share_one_watch(scene: Scene) -> None:
    names = [f"{scene.name}-{number}" for number in range(3)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda name: scene.engine.create(DEPLOYMENT, name, deployment(name)), names))
    assert all(one.outputs["status"]["availableReplicas"] == 1 for one in made)
    assert scene.proxy.count("GET", f"deployments?{WATCH}") == 1


def test_an_instance_that_was_never_configured_touches_nothing(running: Provider) -> None:
    stranger = running.engine()
    stranger.channel.close()
    stranger.connect(running.port)
    with pytest.raises(Failed, match="never configured"):
        stranger.create(CONFIG_MAP, "stray", config_map("stray", a="1"))


def test_no_cluster_at_all_is_told_with_the_next_command(running: Provider) -> None:
    nowhere = running.engine(
        '{"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": ""}}], '
        '"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}], "users": []}'
    )
    wanted = config_map("nowhere", a="1")
    assert nowhere.check(CONFIG_MAP, "nowhere", wanted)["metadata"]["namespace"] == "default"
    with pytest.raises(Failed, match="no answer from the API server") as caught:
        nowhere.create(CONFIG_MAP, "nowhere", wanted)
    assert "turnout sandbox up" in str(caught.value)
