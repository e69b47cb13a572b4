"""Pending operations are read from the state's file, whatever shape it has."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.engine import failures, pending
from cli.engine.pending import Pending

URN = "urn:pulumi:dev::shop::kubernetes:apps/v1:Deployment::dev/api"
SINCE = "2026-01-01T10:00:00Z"
NOW = datetime(2026, 1, 1, 10, 3, tzinfo=UTC)
WANTED = Pending("creating", URN, "kubernetes:apps/v1:Deployment", "dev/api-a", SINCE)
RESOURCE = {
    "urn": URN,
    "type": "kubernetes:apps/v1:Deployment",
    "custom": True,
    "inputs": {"metadata": {"namespace": "dev", "name": "api-a"}},
}


def checkpoint(*operations: str, **latest: Any) -> bytes:
    ops = [{"resource": RESOURCE, "type": operation} for operation in operations]
    found = {"manifest": {"time": SINCE}, "resources": [], **({"pending_operations": ops} if ops else {}), **latest}
    return json.dumps({"version": 3, "checkpoint": {"stack": "organization/shop/dev", "latest": found}}).encode()


def project(folder: Path, files: dict[str, bytes], url: str = "") -> dict[str, str]:
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    stacks = folder / "state/.pulumi/stacks/shop"
    stacks.mkdir(parents=True, exist_ok=True)
    for number, (name, data) in enumerate(files.items()):
        (stacks / name).write_bytes(data)
        os.utime(stacks / name, (1000 + number, 1000 + number))
    return {"PULUMI_BACKEND_URL": url or f"file://{folder}/state"}


def test_each_pending_operation_is_named_by_its_object(tmp_path: Path) -> None:
    variables = project(tmp_path, {"dev.json": checkpoint("creating")})
    assert pending.of_state(tmp_path, "dev", variables) == [WANTED]
    assert WANTED.line(NOW) == "creating Deployment dev/api-a, 3 min ago"


@pytest.mark.parametrize("data", [checkpoint(), b'{"version":0,"checkpoint":{"stack":"organization/shop/dev"}}\n'])
def test_a_whole_state_has_none(tmp_path: Path, data: bytes) -> None:
    assert pending.of_state(tmp_path, "dev", project(tmp_path, {"dev.json": data})) == []


def test_an_environment_without_state_has_none(tmp_path: Path) -> None:
    assert pending.of_state(tmp_path, "dev", project(tmp_path, {})) == []


def test_the_variant_that_was_written_last_counts(tmp_path: Path) -> None:
    both = {"dev.json": checkpoint(), "dev.json.gz": gzip.compress(checkpoint("creating"))}
    assert pending.of_state(tmp_path, "dev", project(tmp_path, both)) == [WANTED]
    turned = dict(reversed(both.items()))
    assert pending.of_state(tmp_path, "dev", project(tmp_path, turned)) == []


def test_a_state_of_a_service_or_in_another_compression_is_unknown(tmp_path: Path) -> None:
    assert pending.of_state(tmp_path, "dev", project(tmp_path, {}, url="https://cloud.invalid")) is None
    assert pending.of_state(tmp_path, "dev", project(tmp_path, {"dev.json.zst": b"\x28\xb5\x2f\xfd"})) is None


@pytest.mark.parametrize(
    "data", [b"", checkpoint()[:-10], gzip.compress(checkpoint("creating"))[:-9], b'{"pending_operations": }']
)
def test_a_state_cut_short_is_told_as_such(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(failures.StateUnreadable) as caught:
        pending.of_state(tmp_path, "dev", project(tmp_path, {"dev.json": data}))
    assert caught.value.next == "turnout repair dev"


def test_a_resource_that_is_no_kubernetes_object_is_named_as_in_the_program() -> None:
    entry = {"urn": "urn:pulumi:dev::shop::docker:index/network:Network::net", "type": "docker:index/network:Network"}
    deployment = {"pending_operations": [{"resource": entry, "type": "updating"}]}
    [found] = pending.of_deployment(deployment)
    assert (found.kind, found.place) == ("Network", "net")


def test_the_error_lists_what_was_under_way_and_names_the_command() -> None:
    error = pending.error("dev", [WANTED] * 12)
    assert error.exit_code == 1
    assert "12 operations" in error.what
    assert "creating Deployment dev/api-a" in error.why
    assert error.why.endswith("and 2 more")
    assert error.next.startswith("turnout repair dev")
