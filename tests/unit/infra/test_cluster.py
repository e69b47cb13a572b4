from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from components import versions
from infra.cluster import Cluster, ClusterSettings, app_image, image, portable, resolve

SANDBOX = ClusterSettings(tier="dev", sandbox="main")
ELSEWHERE = ClusterSettings(tier="prod", context="prod")


def test_a_sandboxs_kubeconfig_is_where_the_sandbox_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNOUT_STATE", "/state")
    assert resolve(SANDBOX) == Cluster(Path("/state/sandboxes/main/kubeconfig"), None, "main")


@pytest.mark.parametrize(
    ("stated", "variable", "expected"),
    [
        ("/a/config", "/b/config", Path("/a/config")),
        (None, "/b/config:/c/config", Path("/b/config")),
        (None, "", Path("~/.kube/config").expanduser()),
    ],
)
def test_elsewhere_the_settings_come_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, stated: str | None, variable: str, expected: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", variable)
    found = resolve(ClusterSettings(tier="prod", kubeconfig=stated, context="prod"))
    assert (found.kubeconfig, found.context) == (expected, "prod")


def test_either_a_sandbox_or_a_kubeconfig() -> None:
    with pytest.raises(ValidationError, match="not both"):
        ClusterSettings(tier="dev", sandbox="main", context="prod")


def test_prod_has_to_say_which_cluster() -> None:
    with pytest.raises(ValidationError, match="context: prod has to name one"):
        ClusterSettings(tier="prod", kubeconfig="/srv/kubeconfig")
    assert ClusterSettings(tier="prod", sandbox="rehearsal").context is None


def test_a_path_under_the_home_folder_is_the_same_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert portable(Path("/home/ann/.kube/config")) == "~/.kube/config"
    assert portable(Path("/srv/kubeconfig")) == "/srv/kubeconfig"


@pytest.mark.parametrize(
    ("changes", "pulls"), [({"sandbox": "main"}, False), ({}, True), ({"sandbox": "main", "registry": True}, True)]
)
def test_a_sandbox_pulls_nothing_unless_told_so(changes: dict[str, Any], pulls: bool) -> None:
    assert ClusterSettings(tier="dev", **changes).pulls is pulls


def test_images_come_from_this_machine_in_a_sandbox_and_by_digest_elsewhere() -> None:
    assert image(SANDBOX, "loki") == versions.SANDBOX_IMAGES["loki"]
    assert "@sha256:" in image(ELSEWHERE, "loki")
    assert image(SANDBOX, "grafana") == versions.IMAGES["grafana"]


def test_every_image_that_a_sandbox_builds_for_an_environment_exists_elsewhere_too() -> None:
    environments = {"postgres", "redis", "prometheus", "alertmanager", "loki", "collector", "node-exporter"}
    assert environments <= set(versions.SANDBOX_IMAGES) & set(versions.IMAGES)
    assert all("@sha256:" in reference for reference in versions.IMAGES.values())


def test_the_apps_image() -> None:
    digest = f"sha256:{'1' * 64}"
    assert app_image(SANDBOX, "example/agents", "1.0.0", digest) == "turnout.local/agents:1.0.0"
    assert app_image(ELSEWHERE, "example/agents", "1.0.0", digest) == f"example/agents:1.0.0@{digest}"
