from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from cli.engine import cutoff, pending
from cli.engine.cutoff import Ledger
from cli.engine.events import Done, Failed, Message, Started, State, Step

URN = "urn:pulumi:dev::shop::kubernetes:core/v1:{}::{}"
LOST = "error reading from server: EOF"


def step(operation: str, kind: str = "ConfigMap", name: str = "colours", **inputs: Any) -> Step:
    urn, type_ = URN.format(kind, name), f"kubernetes:core/v1:{kind}"
    metadata = {"metadata": {"name": name, "namespace": "shop"}}
    side = State("urn:parent", metadata | inputs, {}, False, f"shop/{name}", "urn:provider::id")
    if operation == "create":
        return Step(operation, urn, type_, None, side, (), None)
    return Step(operation, urn, type_, side, side, (), None)


def ledger(*events: Any) -> Ledger:
    made = Ledger()
    for event in events:
        made.take(event)
    return made


def test_what_began_and_did_not_end_was_cut_off() -> None:
    begun, done = step("create"), step("create", name="done")
    found = ledger(Started(begun), Started(done), Done(done), Started(step("same", name="other"))).cut_off()
    assert found == [begun]


def test_a_failure_was_cut_off_only_when_nobody_answered() -> None:
    refused, lost = step("create", name="refused"), step("update", name="lost")
    events = [
        Started(refused),
        Started(lost),
        Message("error", "it exists already", refused.urn, False),
        Failed(refused),
        Message("error", LOST, lost.urn, False),
        Failed(lost),
    ]
    assert ledger(*events).cut_off() == [lost]


def test_a_replacement_is_a_create_and_a_delete_of_one_name() -> None:
    made, deleted = step("create-replacement"), step("delete-replaced")
    found = ledger(Started(made), Done(made), Started(deleted)).cut_off()
    assert found == [deleted]


def test_a_new_object_is_recorded_by_its_inputs_and_never_with_a_secret() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
    new = cutoff.recorded({}, [step("create", "Secret", "token", data=secret, type="Opaque", args=["[secret]", "x"])])
    (entry,) = new["pending_operations"]
    assert entry["type"] == "creating"
    assert entry["resource"] == {
        "urn": URN.format("Secret", "token"),
        "custom": True,
        "type": "kubernetes:core/v1:Secret",
        "inputs": {"metadata": {"name": "token", "namespace": "shop"}, "type": "Opaque", "args": ["x"]},
        "parent": "urn:parent",
        "provider": "urn:provider::id",
    }


def test_a_known_object_is_recorded_as_the_state_has_it_and_each_operation_once() -> None:
    leftover = {"urn": step("update").urn, "id": "shop/colours-old", "delete": True}
    live = {"urn": step("update").urn, "id": "shop/colours", "type": "kubernetes:core/v1:ConfigMap", "inputs": {"a": 1}}
    deployment = {"resources": [leftover, live]}
    before = copy.deepcopy(deployment)
    once = cutoff.recorded(deployment, [step("update")])
    assert once["pending_operations"] == [{"resource": live, "type": "updating"}]
    assert cutoff.recorded(once, [step("update")]) == once
    assert deployment == before, "the deployment that was given is not changed"


@pytest.mark.parametrize("end", ["", ".gz"])
def test_it_is_written_where_repair_looks_for_it(tmp_path: Path, end: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    file = tmp_path / f".turnout/state/.pulumi/stacks/shop/dev.json{end}"
    file.parent.mkdir(parents=True)
    text = json.dumps({"version": 3, "checkpoint": {"latest": {"resources": []}}}).encode()
    file.write_bytes(gzip.compress(text) if end else text)
    error = cutoff.by_provider(tmp_path, "dev", -9, [step("create")])
    assert "signal 9" in error.why
    assert "creating ConfigMap shop/colours" in error.why
    assert error.next.startswith("turnout repair dev")
    (found,) = pending.of_state(tmp_path, "dev", {}) or []
    assert (found.operation, found.place) == ("creating", "shop/colours")
    assert [each.name for each in file.parent.iterdir()] == [file.name], "nothing half written is left"


def test_where_the_state_is_elsewhere_the_error_says_what_to_look_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "https://cloud.invalid")
    assert "look for" in cutoff.by_provider(tmp_path, "dev", 1, [step("create")]).next


def test_an_engine_that_was_ended_is_told_with_what_it_had_under_way(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    file = tmp_path / ".turnout/state/.pulumi/stacks/shop/dev.json"
    file.parent.mkdir(parents=True)
    latest = cutoff.recorded({"manifest": {"time": "2026-01-01T00:00:00Z"}}, [step("create")])
    file.write_text(json.dumps({"checkpoint": {"latest": latest}}))
    error = cutoff.by_engine(tmp_path, "dev", -9)
    assert "creating ConfigMap shop/colours" in error.why
    file.write_text("{")
    assert "signal 9" in cutoff.by_engine(tmp_path, "dev", -9).why
