"""The whole program, rendered without engine, cluster, passphrase or network."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.engine.graph import ResourceGraph
from cli.engine.render import render
from components.guard.policy import ANCHOR
from components.record import decode
from infra.program import hermetic
from infra.settings import Settings, from_pulumi, load

ROOT = Path(__file__).parents[3]
ENVIRONMENTS = ("dev", "staging", "prod")
RUNNING = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")
_NAME = "app.kubernetes.io/name"
Manifest = dict[str, Any]


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def graph(request: pytest.FixtureRequest) -> ResourceGraph:
    return render(ROOT, request.param, program=hermetic)


@pytest.fixture(scope="module")
def dev() -> ResourceGraph:
    return render(ROOT, "dev", program=hermetic)


def objects(graph: ResourceGraph, *kinds: str) -> list[Manifest]:
    found = [resource.reveal() for resource in graph.resources if resource.is_kubernetes]
    return [item for item in found if not kinds or item["kind"] in kinds]


def pods(graph: ResourceGraph) -> Iterator[tuple[Manifest, Manifest]]:
    """(object that runs pods, its pod template)."""
    for item in objects(graph, *RUNNING):
        spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
        yield item, spec["template"]


def containers(graph: ResourceGraph) -> Iterator[Manifest]:
    return itertools.chain.from_iterable(template["spec"]["containers"] for _, template in pods(graph))


def test_every_object_is_labelled(graph: ResourceGraph) -> None:
    wanted = {"app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by"}
    wanted |= {"turnout.dev/environment", "turnout.dev/component"}
    own = [item["metadata"] for item in objects(graph) if item["metadata"]["name"] != ANCHOR]
    assert not [metadata for metadata in own if not wanted <= set(metadata["labels"])]


def test_every_service_finds_pods_and_ports(graph: ResourceGraph) -> None:
    for service in objects(graph, "Service"):
        chosen = [template for item, template in pods(graph) if _selects(service, item, template)]
        open_ports = [port for template in chosen for port in template["spec"]["containers"][0]["ports"]]
        known = {port["name"] for port in open_ports} | {port["containerPort"] for port in open_ports}
        assert {port.get("targetPort", port["port"]) for port in service["spec"]["ports"]} <= known


def test_every_pod_is_spoken_for_by_a_network_policy(graph: ResourceGraph) -> None:
    policies = objects(graph, "NetworkPolicy")
    for item, template in pods(graph):
        labels = template["metadata"]["labels"]
        own = [
            policy
            for policy in policies
            if policy["metadata"]["namespace"] == item["metadata"]["namespace"]
            and (match := policy["spec"]["podSelector"].get("matchLabels"))
            and match.items() <= labels.items()
        ]
        assert own, item["metadata"]["name"]


def test_every_call_is_let_in_where_it_goes(graph: ResourceGraph) -> None:
    """An opening out without the opening in is a connection that hangs."""
    calls = list(_calls(graph))
    assert len(calls) >= 8
    for caller, port, called in calls:
        assert _accepts(called, caller, port), f"{caller['metadata']['name']} to {called['metadata']['name']}:{port}"


def test_every_mounted_object_is_there(graph: ResourceGraph) -> None:
    there = {(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in objects(graph)}
    for item, template in pods(graph):
        namespace = item["metadata"]["namespace"]
        for volume in template["spec"].get("volumes", []):
            if "configMap" in volume:
                assert ("ConfigMap", namespace, volume["configMap"]["name"]) in there
            if "secret" in volume:
                assert ("Secret", namespace, volume["secret"]["secretName"]) in there
        assert ("ServiceAccount", namespace, template["spec"]["serviceAccountName"]) in there


def test_memory_is_limited_and_something_is_asked_for(graph: ResourceGraph) -> None:
    for container in containers(graph):
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


def test_services_and_workers_are_probed(graph: ResourceGraph) -> None:
    for item, template in pods(graph):
        if item["kind"] != "CronJob":
            assert "readinessProbe" in template["spec"]["containers"][0], item["metadata"]["name"]


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_images_outside_the_sandbox_are_pinned_by_digest(environment: str) -> None:
    found = {container["image"] for container in containers(render(ROOT, environment, program=hermetic))}
    assert len(found) >= 8
    assert all("@sha256:" in image for image in found)


def test_the_sandbox_pulls_nothing(dev: ResourceGraph) -> None:
    assert all(container["image"].startswith("turnout.local/") for container in containers(dev))
    assert not [item for item in dev.resources if item.name == "grafana"]


def test_dev_fits_on_two_cores(dev: ResourceGraph) -> None:
    asked = sum(
        int(container["resources"]["requests"]["cpu"].removesuffix("m")) * item["spec"].get("replicas", 1)
        for item, template in pods(dev)
        for container in template["spec"]["containers"]
    )
    assert asked < 1_600


def test_prod_survives_the_loss_of_a_node() -> None:
    prod = render(ROOT, "prod", program=hermetic)
    budgets = {item["metadata"]["name"] for item in objects(prod, "PodDisruptionBudget")}
    scaled = {item["metadata"]["name"]: item["spec"] for item in objects(prod, "HorizontalPodAutoscaler")}
    for deployment in objects(prod, "Deployment"):
        name = deployment["metadata"]["name"]
        copies = scaled[name]["minReplicas"] if name in scaled else deployment["spec"]["replicas"]
        assert copies >= 3 and name in budgets
        assert "podAntiAffinity" in deployment["spec"]["template"]["spec"]["affinity"]


def test_the_record_speaks_of_the_apps_own_parts(graph: ResourceGraph) -> None:
    [piece] = [item for item in objects(graph, "ConfigMap") if item["metadata"]["name"].startswith("release-")]
    assert graph.outputs["release"] == piece["metadata"]["name"]
    content = decode([piece])
    assert {each["name"] for each in content["workloads"]} == {"api", "tools", "runner", "sweep"}
    rendered = {f"{item.reveal()['kind']} {item.name}" for item in graph.resources if item.is_kubernetes}
    assert {f"{key.split('/')[1]} {name}" for key, name in content["pulumi"].items()} <= rendered


def test_the_record_waits_for_all_workloads(graph: ResourceGraph) -> None:
    [record] = [item for item in graph.resources if item.kind == "ConfigMap" and "/release." in item.name]
    waited = {urn.rsplit("::", 1)[1] for urn in record.dependencies}
    environment = graph.environment
    assert {f"{environment}/{name}" for name in ("api-a", "tools-a", "runner-a", "sweep")} <= waited


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_program_reads_what_the_command_reads(environment: str) -> None:
    read: list[Settings] = []
    render(ROOT, environment, program=lambda: read.append(from_pulumi(environment, placeholders=True)))
    expected = load(ROOT / f"Pulumi.{environment}.yaml", environment, placeholders=True)
    assert [settings.model_dump_json() for settings in read] == [expected.model_dump_json()]


def test_two_renders_are_equal() -> None:
    first, second = (render(ROOT, "dev", program=hermetic) for _ in range(2))
    assert {item.urn: item.reveal() for item in first.resources} == {
        item.urn: item.reveal() for item in second.resources
    }


def _selects(service: Manifest, item: Manifest, template: Manifest) -> bool:
    same = service["metadata"]["namespace"] == item["metadata"]["namespace"]
    return bool(same and service["spec"]["selector"].items() <= template["metadata"]["labels"].items())


def _calls(graph: ResourceGraph) -> Iterator[tuple[Manifest, int, Manifest]]:
    """(policy of the caller, port, policy of the called) for each opening to a workload by name."""
    policies = [policy for policy in objects(graph, "NetworkPolicy") if policy["spec"]["podSelector"]]
    for caller, called in itertools.product(policies, policies):
        for rule in caller["spec"].get("egress", []):
            if any(_is_peer(peer, caller, called) and _NAME in str(peer) for peer in rule["to"]):
                yield from ((caller, port["port"], called) for port in rule.get("ports", []))


def _accepts(called: Manifest, caller: Manifest, port: int) -> bool:
    return any(
        _is_peer(peer, called, caller) and port in {each["port"] for each in rule["ports"]}
        for rule in called["spec"].get("ingress", [])
        for peer in rule["from"]
    )


def _is_peer(peer: Manifest, own: Manifest, other: Manifest) -> bool:
    """Whether a peer in the policy `own` means the pods that the policy `other` speaks for."""
    if "podSelector" not in peer:
        return False
    here = own["metadata"]["namespace"]
    stated = peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name", here)
    match = peer["podSelector"].get("matchLabels", {})
    labels = other["spec"]["podSelector"]["matchLabels"]
    return bool(stated == other["metadata"]["namespace"] and match.items() <= labels.items())
