from __future__ import annotations

import copy
from typing import Any

import pytest

from cli.engine.settle import settle

PREFIX = "urn:pulumi:dev::turnout::"
ROOT = f"{PREFIX}pulumi:pulumi:Stack::turnout-dev"
WORKLOAD = f"{PREFIX}turnout:workload:Workload::api"
CIPHER = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:a:b"}
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CONFIG = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"
SERVICE = "kubernetes:core/v1:Service"


def urn(token: str, name: str) -> str:
    return f"{PREFIX}turnout:workload:Workload${token}::{name}"


def manifest(kind: str, name: str, **body: Any) -> dict[str, Any]:
    version = "apps/v1" if kind == "Deployment" else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "dev"}, **body}


def deployment(image: str, secret: str = "api-secret-0000000001") -> dict[str, Any]:
    volumes = [{"name": "secret", "secret": {"secretName": secret}}]
    return manifest("Deployment", "api-a", spec={"template": {"spec": {"image": image, "volumes": volumes}}})


def entry(token: str, name: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    live = {**inputs, "metadata": {"uid": "u", **inputs["metadata"]}, "__fieldManager": "turnout", "__inputs": inputs}
    return {
        "urn": urn(token, name),
        "type": token,
        "custom": True,
        "id": f"dev/{inputs['metadata']['name']}",
        "parent": WORKLOAD,
        "inputs": inputs,
        "outputs": live,
        **more,
    }


def state(*resources: dict[str, Any], salt: str = "s") -> dict[str, Any]:
    around = [
        {"urn": ROOT, "type": "pulumi:pulumi:Stack", "custom": False},
        {"urn": WORKLOAD, "type": "turnout:workload:Workload", "custom": False, "parent": ROOT},
    ]
    provider = {"type": "passphrase", "state": {"salt": salt}}
    return {"version": 3, "deployment": {"secrets_providers": provider, "resources": [*around, *resources]}}


def record(*objects: dict[str, Any]) -> dict[str, Any]:
    names = {f"dev/{entry['kind']}/{entry['metadata']['name']}": _pulumi_name(entry) for entry in objects}
    return {"name": "release-1", "environment": "dev", "objects": list(objects), "pulumi": names}


def _pulumi_name(entry: dict[str, Any]) -> str:
    return f"dev/{entry['metadata']['name'].removesuffix('-0000000001')}"


def found(settled: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in settled["deployment"]["resources"] if entry["urn"].endswith(f"::{name}"))


def secret(name: str) -> dict[str, Any]:
    return entry(SECRET, "dev/api-secret", manifest("Secret", name, stringData=CIPHER), retainOnDelete=True)


def config(name: str, **more: Any) -> dict[str, Any]:
    return entry(CONFIG, "dev/api-config", manifest("ConfigMap", name, data={"a": name}), retainOnDelete=True, **more)


def test_the_recorded_manifest_becomes_inputs_and_outputs() -> None:
    old, new = deployment("a:1"), deployment("a:2")
    settled = found(settle(state(entry(DEPLOYMENT, "dev/api-a", new)), record(old)), "dev/api-a")
    assert settled["inputs"] == old
    assert settled["outputs"]["__inputs"] == old
    assert settled["outputs"]["spec"] == old["spec"]
    assert settled["outputs"]["metadata"]["uid"] == "u"
    assert settled["outputs"]["__fieldManager"] == "turnout"


def test_nothing_changes_where_the_state_agrees_already() -> None:
    before = state(secret("api-secret-0000000001"), entry(DEPLOYMENT, "dev/api-a", deployment("a:1")))
    assert settle(before, record(deployment("a:1"))) == before


def test_the_given_state_is_left_alone() -> None:
    before = state(entry(DEPLOYMENT, "dev/api-a", deployment("a:2")))
    untouched = copy.deepcopy(before)
    settle(before, record(deployment("a:1")))
    assert before == untouched


def test_a_changed_config_gets_its_old_name_and_content_back() -> None:
    old = manifest("ConfigMap", "api-config-0000000001", data={"a": "old"})
    settled = found(settle(state(config("api-config-0000000002")), record(old)), "dev/api-config")
    assert settled["id"] == "dev/api-config-0000000001"
    assert settled["inputs"]["data"] == {"a": "old"}


def test_a_changed_secret_comes_from_an_earlier_checkpoint_still_encrypted() -> None:
    now = state(secret("api-secret-0000000002"), entry(DEPLOYMENT, "dev/api-a", deployment("a:2")))
    earlier = [now["deployment"], state(secret("api-secret-0000000001"))["deployment"]]
    settled = found(settle(now, record(deployment("a:1")), earlier), "dev/api-secret")
    assert settled["id"] == "dev/api-secret-0000000001"
    assert settled["inputs"]["stringData"] == CIPHER


def test_a_checkpoint_of_another_key_is_not_used() -> None:
    now = state(secret("api-secret-0000000002"), entry(DEPLOYMENT, "dev/api-a", deployment("a:2")))
    other = state(secret("api-secret-0000000001"), salt="other")["deployment"]
    assert found(settle(now, record(deployment("a:1")), [other]), "dev/api-secret")["id"] == "dev/api-secret-0000000002"


def test_what_the_bad_release_removed_comes_back_after_what_it_stands_on() -> None:
    base = config("api-config-0000000001")
    removed = entry(DEPLOYMENT, "dev/api-a", deployment("a:1"), dependencies=[base["urn"], "urn:gone"])
    earlier = [state(secret("api-secret-0000000001"), base, removed)["deployment"]]
    settled = settle(state(), record(deployment("a:1"), base["inputs"]), earlier)
    urns = [entry["urn"] for entry in settled["deployment"]["resources"]]
    assert urns.index(base["urn"]) < urns.index(removed["urn"])
    assert found(settled, "dev/api-a")["dependencies"] == [base["urn"]]


def test_configuration_that_only_the_bad_release_had_is_forgotten() -> None:
    extra = config("api-config-0000000002")
    bad = entry(
        DEPLOYMENT,
        "dev/api-a",
        deployment("a:2"),
        dependencies=[extra["urn"]],
        propertyDependencies={"spec": [extra["urn"]]},
    )
    settled = settle(state(extra, bad), record(deployment("a:1")))
    assert extra["urn"] not in {entry["urn"] for entry in settled["deployment"]["resources"]}
    assert found(settled, "dev/api-a")["dependencies"] == []
    assert found(settled, "dev/api-a")["propertyDependencies"] == {"spec": []}


def test_the_record_itself_goes_back_to_the_one_that_was_restored() -> None:
    def kept(name: str) -> dict[str, Any]:
        inputs = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "turnout-dev"},
            "binaryData": {"record": name},
        }
        return {**entry(CONFIG, "turnout-dev/release.0", inputs), "id": f"turnout-dev/{name}"}

    settled = settle(state(kept("release-2")), record(), [state(kept("release-1"))["deployment"]])
    assert found(settled, "turnout-dev/release.0")["id"] == "turnout-dev/release-1"


@pytest.mark.parametrize("kept", [{"delete": True}])
def test_a_resource_that_waits_for_its_deletion_is_not_the_one(kept: dict[str, Any]) -> None:
    old = entry(DEPLOYMENT, "dev/api-a", deployment("a:0"), **kept)
    now = entry(DEPLOYMENT, "dev/api-a", deployment("a:2"))
    settled = settle(state(now, old), record(deployment("a:1")))
    first, second = (item for item in settled["deployment"]["resources"] if item["type"] == DEPLOYMENT)
    assert first["inputs"] == deployment("a:1")
    assert second == old


def test_a_change_that_was_made_but_never_got_ready_is_settled_too() -> None:
    half = entry(DEPLOYMENT, "dev/api-a", deployment("a:1"), initErrors=["not ready"])
    half["outputs"] = entry(DEPLOYMENT, "dev/api-a", deployment("a:2"))["outputs"]
    settled = found(settle(state(half), record(deployment("a:1"))), "dev/api-a")
    assert "initErrors" not in settled
    assert settled["outputs"]["__inputs"] == deployment("a:1")
    assert settled["outputs"]["spec"] == deployment("a:1")["spec"]


def test_an_environment_destroyed_since_does_not_come_back_into_the_state() -> None:
    old = deployment("app:1")
    earlier = state(entry(DEPLOYMENT, _pulumi_name(old), old))["deployment"]
    destroyed = {"version": 3, "deployment": {"secrets_providers": earlier["secrets_providers"]}}
    assert settle(destroyed, record(old), [earlier]) == destroyed


def test_an_operation_that_was_cut_off_on_what_is_restored_is_over() -> None:
    now = entry(DEPLOYMENT, "dev/api-a", deployment("a:2"))
    other = entry(CONFIG, "dev/other", manifest("ConfigMap", "other"))
    before = state(now)
    before["deployment"]["pending_operations"] = [
        {"resource": now, "type": "updating"},
        {"resource": other, "type": "creating"},
    ]
    settled = settle(before, record(deployment("a:1")))
    assert [item["resource"] for item in settled["deployment"]["pending_operations"]] == [other]


def on_track(made: dict[str, Any], letter: str) -> dict[str, Any]:
    """The object as one of a track of service api."""
    labels = {"app.kubernetes.io/name": "api", "turnout.dev/track": letter}
    metadata = {**made["metadata"], "name": f"api-{letter}", "labels": labels}
    return {**made, "metadata": metadata}


def two_tracks(described: str, epoch: int) -> dict[str, Any]:
    """A state whose stack says that api has two tracks, and holds a Deployment of each."""
    old = on_track(deployment("old"), "a")
    old["spec"]["replicas"] = 3
    new = on_track(deployment("new"), "b")
    new["spec"]["replicas"] = 0
    made = state(entry(DEPLOYMENT, "dev/api-a", old), entry(DEPLOYMENT, "dev/api-b", new))
    told = {"api": {"described": described, "epoch": epoch, "two": True, "trying": True, "objects": {"a": ["x"]}}}
    made["deployment"]["resources"][0]["outputs"] = {"tracks": told, "release": "release-9"}
    return made


@pytest.mark.parametrize(("letter", "replicas"), [("a", 3), ("b", 0)])
def test_the_record_goes_to_the_track_that_is_described_now(letter: str, replicas: int) -> None:
    recorded = on_track(deployment("older"), "a")
    recorded["spec"]["replicas"] = 5
    settled = settle(two_tracks("b", 4), record(recorded), tracks={"api": {"described": letter, "epoch": 5}})
    found = {each["urn"].rsplit("/", 1)[-1]: each for each in settled["deployment"]["resources"]}
    [touched, other] = [found[f"api-{letter}"], found["api-a" if letter == "b" else "api-b"]]
    spec = touched["inputs"]["spec"]
    assert (spec["template"]["spec"]["image"], spec["replicas"]) == ("older", replicas)
    assert touched["inputs"]["metadata"]["annotations"] == {"turnout.dev/epoch": "5"}
    assert touched["inputs"] == touched["outputs"]["__inputs"]
    before = {each["urn"]: each for each in two_tracks("b", 4)["deployment"]["resources"]}
    assert other == before[other["urn"]]
    outputs = settled["deployment"]["resources"][0]["outputs"]
    assert outputs["tracks"]["api"] == {"described": letter, "epoch": 5, "two": True, "objects": {"a": ["x"]}}
    assert outputs["release"] == "release-1"


def test_without_word_of_tracks_the_stacks_own_stand() -> None:
    settled = settle(two_tracks("b", 4), record(on_track(deployment("older"), "a")))
    [inputs] = [each["inputs"] for each in settled["deployment"]["resources"] if each["urn"].endswith("api-b")]
    assert inputs["spec"]["template"]["spec"]["image"] == "older"
    assert inputs["metadata"]["annotations"]["turnout.dev/epoch"] == "4"


def added(kind: str, workload: str, **spec: Any) -> dict[str, Any]:
    """A workload of the app that only the bad release had."""
    api = {"Deployment": "apps/v1", "CronJob": "batch/v1"}[kind]
    labels = {"app.kubernetes.io/name": workload, "turnout.dev/component": "app"}
    made = manifest(kind, f"{workload}-a", spec=spec) | {"apiVersion": api}
    made["metadata"]["labels"] = labels
    return entry(f"kubernetes:{api}:{kind}", f"dev/{workload}-a", made)


def told_of(before: dict[str, Any], **tracks: Any) -> dict[str, Any]:
    before["deployment"]["resources"][0]["outputs"] = {"tracks": tracks}
    return before


def test_what_the_rollback_stopped_is_stopped_in_the_state_so_that_the_next_update_starts_it() -> None:
    before = state(
        entry(DEPLOYMENT, "dev/api-a", deployment("a:2")),
        added("Deployment", "worker", replicas=3),
        added("Deployment", "scaled"),
        added("CronJob", "report", schedule="* * * * *"),
    )
    settled = settle(told_of(before, scaled={"objects": {"a": ["x"]}}, api={"objects": {}}), record(deployment("a:1")))
    for name, spec in (
        ("worker", {"replicas": 0}),
        ("scaled", {"replicas": 0}),
        ("report", {"schedule": "* * * * *", "suspend": True}),
    ):
        now = found(settled, f"dev/{name}-a")
        assert (now["inputs"]["spec"], now["outputs"]["spec"], now["outputs"]["__inputs"]["spec"]) == (spec,) * 3
    tracks = settled["deployment"]["resources"][0]["outputs"]["tracks"]
    assert tracks["scaled"] == {"objects": {"a": ["x"]}, "stopped": True}
    assert "stopped" not in tracks["api"]
    again = settle(settled, record(deployment("a:1")))
    assert again == settled


def test_a_release_that_has_it_again_says_no_more_that_it_was_stopped() -> None:
    back = on_track(deployment("a:2"), "a")
    back["metadata"]["labels"]["turnout.dev/component"] = "app"
    before = told_of(state(entry(DEPLOYMENT, "dev/api-a", back)), api={"objects": {}, "stopped": True})
    settled = settle(before, record(back))
    assert settled["deployment"]["resources"][0]["outputs"]["tracks"] == {"api": {"objects": {}}}
    assert found(settled, "dev/api-a")["inputs"] == back


def test_copies_of_a_service_with_two_tracks_and_what_is_not_the_apps_stay_as_they_are() -> None:
    other = added("Deployment", "grafana", replicas=1)
    other["inputs"]["metadata"]["labels"]["turnout.dev/component"] = "grafana"
    two = {"objects": {}, "described": "a", "epoch": 1, "two": True}
    before = told_of(state(added("Deployment", "web", replicas=3), other), web=two)
    assert settle(before, record(), tracks={"web": {"described": "a", "epoch": 1}}) == before


def service(port: int, name: str = "api", track: str = "a") -> dict[str, Any]:
    body = manifest("Service", name, spec={"selector": {"turnout.dev/track": track}, "ports": [{"port": port}]})
    body["metadata"]["labels"] = {"app.kubernetes.io/name": "api"}
    return body


def test_a_service_has_its_ports_back_and_its_selector_as_the_state_had_it() -> None:
    now = state(entry(SERVICE, "dev/api", service(9090, track="b")))
    settled = found(settle(now, {**record(), "entries": [service(8080)]}), "dev/api")
    assert settled["inputs"] == service(8080, track="b")


def test_the_services_of_each_track_have_their_ports_back() -> None:
    now = state(*(entry(SERVICE, f"dev/{name}", service(9090, name)) for name in ("api", "api-a", "api-b")))
    tracks = {"api": {"described": "b", "epoch": 1}}
    settled = settle(now, {**record(), "entries": [service(8080)]}, tracks=tracks)
    ports = [found(settled, f"dev/{name}")["inputs"]["spec"]["ports"] for name in ("api", "api-a", "api-b")]
    assert ports == [[{"port": 8080}]] * 3


def test_a_service_that_the_bad_release_removed_is_in_the_state_again() -> None:
    earlier = [state(entry(SERVICE, "dev/api", service(8080)))["deployment"]]
    settled = settle(state(), {**record(), "entries": [service(8080)]}, earlier)
    assert found(settled, "dev/api")["id"] == "dev/api"
