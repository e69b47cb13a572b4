"""Pods whose address is told before their status shows it."""

from __future__ import annotations

import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from cli.sandbox import policy_plugin
from cli.sandbox.newcomers import Newcomers, merged, settled

RESULT = {"cniVersion": "1.0.0", "ips": [{"address": "10.1.0.9/20"}]}
ARGUMENTS = "IgnoreUnknown=1;K8S_POD_NAMESPACE=dev;K8S_POD_NAME=api-1;K8S_POD_UID=u"
TOLD = {"namespace": "dev", "name": "api-1", "ip": "10.1.0.9"}


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "dev", "name": "api-1"}, "status": {"phase": "Pending", **status}}


def test_a_told_address_counts_until_the_status_has_one() -> None:
    known = {("dev", "api-1"): "10.1.0.9"}
    assert merged([pod()], known)[0]["status"]["podIP"] == "10.1.0.9"
    assert merged([pod(podIP="10.1.0.8")], known)[0]["status"]["podIP"] == "10.1.0.8"
    assert merged([pod()], {}) == [pod()]
    assert settled([pod()], known) == set()
    assert settled([pod(podIP="10.1.0.9")], known) == {("dev", "api-1")}
    assert settled([pod(phase="Failed")], known) == {("dev", "api-1")}


def test_the_plugin_is_answered_after_the_rules_are_in_force(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Path(f"/tmp/newcomers-{os.getpid()}.sock")  # pytest's folders are too deep for a socket's path
    enforced = threading.Event()
    try:
        keeper = Newcomers(place, enforced.set)
        monkeypatch.setattr(policy_plugin, "SOCKET", str(place))
        assert run(monkeypatch, capsys, "ADD") == RESULT
        assert enforced.is_set()
        assert keeper.known() == {("dev", "api-1"): "10.1.0.9"}
        keeper.forget({("dev", "api-1")})
        assert keeper.known() == {}
    finally:
        place.unlink(missing_ok=True)


def test_without_a_keeper_the_pod_starts_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(policy_plugin, "SOCKET", str(tmp_path / "none"))
    assert run(monkeypatch, capsys, "ADD") == RESULT


def test_other_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, capsys, "DEL") is None
    assert "1.0.0" in run(monkeypatch, capsys, "VERSION")["supportedVersions"]


def test_who_has_got_which_address() -> None:
    assert policy_plugin.announcement(ARGUMENTS, RESULT) == TOLD


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str) -> Any:
    monkeypatch.setenv("CNI_COMMAND", command)
    monkeypatch.setenv("CNI_ARGS", ARGUMENTS)
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"name": "sandbox", "prevResult": RESULT})))
    policy_plugin.main()
    said = capsys.readouterr().out
    return json.loads(said) if said else None
