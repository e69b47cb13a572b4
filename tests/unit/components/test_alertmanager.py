from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from components.alertmanager import config, workload
from components.alertmanager.settings import AlertmanagerSettings, defaults
from components.manifest import Manifest
from components.workload.kubernetes import manifests
from tests.unit.components.monitoring import (
    HEARTBEAT,
    TIERS,
    accepted,
    alertmanager_settings,
    binary,
    place,
    run,
    write,
)
from tests.unit.components.workloads import one

ONCALL: dict[str, Any] = {
    "name": "oncall",
    "slack": {"channel": "#alerts", "key": "s3cret-slack"},
    "webhook": {"url": "https://pager.example.com/hook", "key": "s3cret-hook"},
    "email": {
        "to": "team@example.com",
        "sender": "alerts@example.com",
        "smarthost": "mail.example.com:587",
        "username": "alerts",
        "password": "s3cret-mail",
    },
}
FULL: dict[str, Any] = {"receivers": [ONCALL], "page": "oncall", "ticket": "oncall", "heartbeat": HEARTBEAT}


def deployed(**changes: Any) -> list[Manifest]:
    placement = place("monitoring", "alertmanager")
    return manifests(workload.workload(alertmanager_settings(**changes), placement, "alertmanager:1"), placement)


def egress(found: list[Manifest]) -> str:
    return str(one(found, "NetworkPolicy")["spec"].get("egress"))


def test_secrets_are_files_and_nowhere_in_the_configuration() -> None:
    settings = alertmanager_settings(**FULL)
    text = config.files(settings)[config.CONFIG_FILE]
    secrets = config.secret_files(settings)

    assert "s3cret" not in text
    assert {name: secret.reveal() for name, secret in secrets.items()} == {
        "heartbeat.webhook": "https://heartbeat.example.com/ping/s3cret-heartbeat",
        "oncall.slack": "https://hooks.slack.com/services/s3cret-slack",
        "oncall.webhook": "https://pager.example.com/hook/s3cret-hook",
        "oncall.email": "s3cret-mail",
    }
    assert all(f"{config.SECRETS_PATH}/{name}" in text for name in secrets)
    assert "s3cret" not in repr(settings)


def test_the_watchdog_goes_to_the_heartbeat_and_comes_back_in_time() -> None:
    [watchdog] = [r for r in config.config(alertmanager_settings(**FULL))["route"]["routes"] if "Watchdog" in str(r)]

    assert watchdog["receiver"] == "heartbeat"
    assert (watchdog["group_interval"], watchdog["repeat_interval"]) == ("1m", "54000ms")


def test_without_receivers_alerts_stay_visible() -> None:
    found = config.config(alertmanager_settings())

    assert found["receivers"] == [{"name": "visible-only"}]
    assert {found["route"]["receiver"], *(route["receiver"] for route in found["route"]["routes"])} == {"visible-only"}


def test_prod_needs_a_heartbeat() -> None:
    with pytest.raises(ValidationError, match="heartbeat: required here"):
        AlertmanagerSettings.model_validate(defaults("prod"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"page": "oncal", "receivers": [ONCALL]}, "there is no receiver 'oncal'; there are: oncall"),
        ({"receivers": [ONCALL, ONCALL]}, "two receivers have the same name"),
        ({"receivers": [{"name": "x"}]}, "needs at least one of slack, webhook, email"),
        ({"receivers": [{**ONCALL, "name": "heartbeat"}]}, "the name heartbeat is taken"),
    ],
)
def test_a_wrong_receiver_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        alertmanager_settings(**changes)


def test_it_reaches_the_internet_only_to_tell_somebody() -> None:
    assert egress(deployed()) == "None"
    assert "0.0.0.0/0" in egress(deployed(**FULL))
    assert "10.1.0.0/16" in egress(deployed(private_ranges=["10.1.0.0/16"]))


def test_one_replica_has_no_cluster_and_several_find_each_other() -> None:
    placement = place("monitoring", "alertmanager")
    alone = one(deployed(), "StatefulSet")["spec"]["template"]["spec"]["containers"][0]
    several = one(deployed(replicas=3), "StatefulSet")["spec"]["template"]["spec"]["containers"][0]

    assert "--cluster.listen-address=" in alone["args"]
    assert "--cluster.peer=alertmanager-peers.dev-monitoring.svc:9094" in several["args"]
    assert workload.peers(alertmanager_settings(), placement) == []
    [peers] = workload.peers(alertmanager_settings(replicas=3), placement)
    assert peers["spec"]["clusterIP"] == "None"
    assert peers["spec"]["publishNotReadyAddresses"]


@pytest.mark.parametrize("tier", TIERS)
def test_amtool_accepts_what_is_rendered(tier: str, tmp_path: Path) -> None:
    settings = alertmanager_settings(tier, **FULL)
    folder = write(tmp_path, config.files(settings))

    assert accepted(run(binary("amtool"), "check-config", str(folder / config.CONFIG_FILE)))


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("severity=page", "alertname=AppDown"), "oncall"),
        (("severity=ticket", "alertname=TargetDown"), "oncall"),
        (("severity=none", "alertname=Watchdog"), "heartbeat"),
        (("severity=none", "alertname=InfoInhibitor"), "visible-only"),
        (("severity=info", "alertname=Anything"), "visible-only"),
    ],
)
def test_amtool_sends_each_kind_where_it_belongs(labels: tuple[str, ...], receiver: str, tmp_path: Path) -> None:
    folder = write(tmp_path, config.files(alertmanager_settings(**FULL)))
    file = str(folder / config.CONFIG_FILE)

    verified = f"--verify.receivers={receiver}"
    assert accepted(run(binary("amtool"), "config", "routes", "test", f"--config.file={file}", verified, *labels))
