from __future__ import annotations

import random
import re
import string
import subprocess
import sys
from typing import Any

import pytest

from components import record
from components.manifest import Manifest
from components.record import Record, decode, encode
from components.workload import Schedule
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
    assert (content["schema"], content["environment"]) == (1, "dev")
    assert {item["kind"] for item in content["objects"]} == {
        "ServiceAccount",
        "ConfigMap",
        "NetworkPolicy",
        "Deployment",
        "PodDisruptionBudget",
        "CronJob",
    }
    assert content["pulumi"]["dev/Deployment/api-a"] == "dev/api-a"
    assert set(content["pulumi"]) == {record.key(item) for item in content["objects"]}


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
    assert all(name.startswith(("api-secret-", "nightly-secret-")) for name in content["secrets"])


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
    monkeypatch.setattr(record, "SCHEMA", 2)
    newer = made().manifests
    monkeypatch.undo()
    with pytest.raises(ValueError, match="schema 2"):
        decode(newer)


def test_loads_without_pulumi() -> None:
    code = "import sys, components.record; sys.exit('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _config_map(text: str) -> Manifest:
    metadata = {"name": "noise", "namespace": "dev", "labels": {}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"noise": text}}
