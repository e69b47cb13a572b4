from __future__ import annotations

import random
import re
import string
import subprocess
import sys
from typing import Any

import pytest

from components import record
from components.manifest import CONTENT_LABEL, Manifest, lasting, lasting_name
from components.record import Record, decode, encode
from components.tracks import TRACK_LABEL
from components.workload import Route, Schedule
from components.workload.kubernetes import manifests
from tests.unit.components.workloads import PLACEMENT, service


def app(**changes: Any) -> list[Manifest]:
    nightly = service(
        name="nightly", runs="scheduled", tracked=False, schedule=Schedule(cron="0 3 * * *"), ports=(), accepts=()
    )
    return [*manifests(service(**changes), PLACEMENT), *manifests(nightly, PLACEMENT)]


def made(**changes: Any) -> Record:
    return encode("dev", "turnout-dev", app(**changes), {"turnout.dev/environment": "dev"})


def test_what_goes_in_comes_out() -> None:
    content = decode(made().manifests)
    assert (content["schema"], content["environment"]) == (3, "dev")
    assert {item["kind"] for item in content["objects"]} == {
        "ServiceAccount",
        "ConfigMap",
        "NetworkPolicy",
        "Deployment",
        "PodDisruptionBudget",
        "CronJob",
    }
    assert content["pulumi"]["dev/Deployment/api-a"] == "dev/api-a"
    assert set(content["pulumi"]) == {record.key(item) for item in (*content["objects"], *content["entries"])}


def test_what_leads_to_a_service_is_held_apart() -> None:
    route = Route(gateway="edge", hostnames=("api.example",))
    content = decode(made(route=route).manifests)
    entry, way = content["entries"]
    assert (entry["kind"], entry["spec"]["selector"][TRACK_LABEL]) == ("Service", "a")
    assert (way["kind"], way["spec"]["hostnames"]) == ("HTTPRoute", ["api.example"])
    assert content["pulumi"]["dev/HTTPRoute/api"] == content["pulumi"]["dev/Service/api"] == "dev/api"


def test_objects_are_as_applied() -> None:
    annotations = [item["metadata"]["annotations"] for item in decode(made().manifests)["objects"]]
    assert all(each["pulumi.com/patchFieldManager"] == "turnout" for each in annotations)


def test_workloads_are_named_with_their_images() -> None:
    workloads = {each["name"]: each for each in decode(made().manifests)["workloads"]}
    assert workloads["api"]["object"] == "api-a"
    assert workloads["api"]["images"] == workloads["nightly"]["images"] == ["example/api:1"]


def test_the_name_stands_for_the_content() -> None:
    first, again, other = made(), made(), made(image="example/api:2")
    assert first == again
    assert re.fullmatch(r"release-[0-9a-f]{12}", first.name)
    assert other.name != first.name


def test_of_secrets_only_the_names() -> None:
    content = decode(made().manifests)
    assert "hunter2" not in str(content) and "aHVudGVyMg" not in str(content)
    assert content["secrets"] == [item["metadata"]["name"] for item in app() if item["kind"] == "Secret"]
    assert [name.rpartition("-")[0] for name in content["secrets"]] == ["api-secret", "nightly-secret"]


def test_a_large_record_comes_in_pieces() -> None:
    noise = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=2_000_000))
    large = encode("dev", "turnout-dev", [*app(), _config_map(noise)], {})
    names = [piece["metadata"]["name"] for piece in large.manifests]
    assert names == [f"{large.name}.{at}" for at in range(len(names))] and len(names) > 1
    assert all(len(piece["binaryData"]["record"]) < 1024 * 1024 for piece in large.manifests)
    assert decode(reversed(large.manifests))["objects"][-1]["data"]["noise"] == noise
    with pytest.raises(ValueError, match="pieces, of which"):
        decode(large.manifests[1:])


def test_an_unknown_schema_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "SCHEMA", 4)
    newer = made().manifests
    monkeypatch.undo()
    with pytest.raises(ValueError, match="schema 4"):
        decode(newer)


def test_loads_without_pulumi() -> None:
    code = "import sys, components.record; sys.exit('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _config_map(text: str) -> Manifest:
    metadata = {"name": "noise", "namespace": "dev", "labels": {}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"noise": text}}


def test_a_name_outlasts_its_content() -> None:
    named = {"metadata": {"name": "api-config-0123456789", "labels": {CONTENT_LABEL: "0123456789"}}}
    plain = {"metadata": {"name": "api-config-0123456789"}}
    assert [lasting_name(each) for each in (named, plain)] == ["api-config", "api-config-0123456789"]
    assert [lasting(name) for name in ("api-0123456789", "api-01234567", "api-a")] == ["api", "api-01234567", "api-a"]
