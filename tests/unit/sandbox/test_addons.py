"""What `sandbox up --with` adds."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any

import pytest

from cli.errors import UsageError
from cli.sandbox import addons, certs, gateway
from cli.sandbox.layout import Layout, Settings
from cli.sandbox.parts import MODULES
from components import versions

SETTINGS = Settings("t", "real", "10.77", {"kube-apiserver": 6443})


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("TURNOUT_STATE", str(tmp_path))
    found = Layout("t")
    found.make()
    certs.ensure(found, SETTINGS)
    return found


def _of(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(each for each in manifests if each["kind"] == kind)


@pytest.mark.parametrize("addon", addons.ADDONS, ids=lambda addon: addon.name)
def test_each_runs_as_strictly_as_pod_security_asks_for(addon: addons.Addon, layout: Layout) -> None:
    deployment = _of(addon.manifests(layout, SETTINGS), "Deployment")
    assert deployment["metadata"]["name"] == addon.name
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["image"].startswith("turnout.local/")


@pytest.mark.parametrize("addon", addons.ADDONS, ids=lambda addon: addon.name)
def test_each_service_finds_its_pods(addon: addons.Addon, layout: Layout) -> None:
    manifests = addon.manifests(layout, SETTINGS)
    service, deployment = _of(manifests, "Service")["spec"], _of(manifests, "Deployment")["spec"]
    assert service["selector"] == deployment["template"]["metadata"]["labels"]
    ports = {port["name"] for port in deployment["template"]["spec"]["containers"][0]["ports"]}
    assert {port["targetPort"] for port in service["ports"]} <= ports


def test_the_metrics_api_is_verified_in_both_directions(layout: Layout) -> None:
    manifests = addons.metrics_server(layout, SETTINGS)
    api = _of(manifests, "APIService")["spec"]
    assert api["caBundle"]
    assert "insecureSkipTLSVerify" not in api
    arguments = _of(manifests, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "--kubelet-certificate-authority=/authority/ca.crt" in arguments
    assert not [argument for argument in arguments if "insecure" in argument]


def test_an_unknown_one_is_refused_with_the_names_that_are_known() -> None:
    with pytest.raises(UsageError) as raised:
        addons.find(["gateway", "istio"])
    assert raised.value.what == "no add-on is called istio"
    assert "kube-state-metrics" in raised.value.why


def test_each_is_added_once() -> None:
    assert [addon.name for addon in addons.find(["gateway", "gateway"])] == ["gateway"]


def test_definitions_are_named_after_their_files() -> None:
    name = gateway.definition("gateway.networking.k8s.io_httproutes.yaml")
    assert name == "httproutes.gateway.networking.k8s.io"


def test_the_gateways_kinds_are_those_of_the_page_of_versions() -> None:
    text = (MODULES / "gateway-api" / "go.mod").read_text()
    found = re.search(rf"require {re.escape(gateway.MODULE)} v(\S+)", text)
    assert found and found.group(1) == versions.GATEWAY_API


def test_the_gateways_status_says_where_it_is_reached(layout: Layout) -> None:
    manifests = gateway.manifests(layout, SETTINGS)
    service, made = _of(manifests, "Service")["spec"], _of(manifests, "Gateway")["spec"]
    container = _of(manifests, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert f"--providers.kubernetesgateway.statusaddress.ip={service['clusterIP']}" in container["args"]
    assert ipaddress.ip_address(service["clusterIP"]) in ipaddress.ip_network(SETTINGS.subnets.services)
    assert [port["port"] for port in service["ports"]] == [listener["port"] for listener in made["listeners"]]
