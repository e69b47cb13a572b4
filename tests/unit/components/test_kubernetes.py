"""The one small resource class reaches the engine exactly as pulumi_kubernetes's generated ones do."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.engine.graph import Resource, ResourceGraph
from cli.engine.render import render
from components.environment import Environment, Namespaces
from components.kubernetes import apply
from components.manifest import Manifest, outlives_release, resource_name, stamped, type_token
from components.secret import Secret

ROOT = Path(__file__).parents[3]
RBAC = "rbac.authorization.k8s.io/v1"
REFERENCE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"}
SUBJECTS = [{"kind": "ServiceAccount", "name": "a"}]
CONTAINER = {"name": "c", "image": "i", "env": [{"name": "A", "value": "1"}]}
TEMPLATE = {"metadata": {"labels": {"x": "y"}}, "spec": {"containers": [CONTAINER]}}
CHOSEN = {"selector": {"matchLabels": {"x": "y"}}, "template": TEMPLATE}
CRON = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": TEMPLATE}}}


def an_object(api_version: str, kind: str, *, namespaced: bool = True, **fields: Any) -> Manifest:
    metadata: dict[str, Any] = {"name": "a", "labels": {"x": "y"}}
    if namespaced:
        metadata["namespace"] = "dev"
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


NAMESPACE = an_object("v1", "Namespace", namespaced=False)
ACCOUNT = an_object("v1", "ServiceAccount", automountServiceAccountToken=False)
OBJECTS = (
    NAMESPACE,
    ACCOUNT,
    an_object("v1", "ConfigMap", data={"k": "v"}, immutable=True),
    an_object("v1", "Secret", data={"k": Secret("dg==")}, type="Opaque"),
    an_object("v1", "Service", spec={"ports": [{"port": 80, "targetPort": "http"}]}),
    an_object("apps/v1", "Deployment", spec=CHOSEN),
    an_object("apps/v1", "StatefulSet", spec={**CHOSEN, "serviceName": "a"}),
    an_object("apps/v1", "DaemonSet", spec=CHOSEN),
    an_object("batch/v1", "Job", spec={"template": TEMPLATE, "backoffLimit": 2}),
    an_object("batch/v1", "CronJob", spec=CRON),
    an_object("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, "policyTypes": ["Ingress"]}),
    an_object("policy/v1", "PodDisruptionBudget", spec={"maxUnavailable": 1}),
    an_object("autoscaling/v2", "HorizontalPodAutoscaler", spec={"maxReplicas": 3, "scaleTargetRef": SUBJECTS[0]}),
    an_object(RBAC, "Role", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
    an_object(RBAC, "ClusterRole", namespaced=False, rules=[{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]),
    an_object(RBAC, "RoleBinding", roleRef=REFERENCE, subjects=SUBJECTS),
    an_object(RBAC, "ClusterRoleBinding", namespaced=False, roleRef={**REFERENCE, "kind": "ClusterRole"}),
)


def graph(tmp_path: Path, program: Callable[[], object]) -> ResourceGraph:
    (tmp_path / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    return render(tmp_path, "dev", program=program)


def ours() -> None:
    environment = _environment()
    for manifest in OBJECTS:
        apply(manifest, environment=environment)


def theirs() -> None:
    import pulumi

    environment = _environment()
    for manifest in OBJECTS:
        ignored = ["spec.selector"] if manifest["kind"] == "Service" else None
        options = pulumi.ResourceOptions(provider=environment.cluster, ignore_changes=ignored)
        _official_class(manifest)(resource_name(manifest), opts=options, **_official_inputs(manifest))


def _official_class(manifest: Manifest) -> Any:
    module, kind = type_token(manifest).removeprefix("kubernetes:").rsplit(":", 1)
    group, version = module.split("/")
    package = group.removesuffix(".k8s.io").removesuffix(".authorization")
    return getattr(importlib.import_module(f"pulumi_kubernetes.{package}.{version}"), kind)


def _official_inputs(manifest: Manifest) -> dict[str, Any]:
    fixed = ("apiVersion", "kind")
    return {_snake(key): _opened(value) for key, value in stamped(manifest).items() if key not in fixed}


def test_every_kind_is_registered_as_the_official_class_does(tmp_path: Path) -> None:
    registered = [_compared(graph(tmp_path, program)) for program in (ours, theirs)]
    assert len(registered[0]) == len(OBJECTS)
    for name, mine in registered[0].items():
        assert mine == registered[1][name], name


def test_secrets_reach_the_engine_as_such(tmp_path: Path) -> None:
    [found] = [item for item in graph(tmp_path, ours).resources if item.kind == "Secret"]
    assert found.secret_paths
    assert "dg==" not in str(found.inputs)


def test_configuration_outlives_its_release(tmp_path: Path) -> None:
    labels = {"turnout.dev/content": "0123456789"}
    kept: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "api-config-0123456789", "namespace": "dev", "labels": labels},
        "immutable": True,
    }
    assert outlives_release(kept) and resource_name(kept) == "dev/api-config"
    made = graph(tmp_path, lambda: apply(kept, environment=_environment()))
    [found] = [item for item in made.resources if item.kind == "ConfigMap"]
    assert found.options.retain_on_delete
    assert "::adopting::" in found.provider


def test_a_services_selector_is_left_alone_and_not_waited_for(tmp_path: Path) -> None:
    [found] = [item for item in graph(tmp_path, ours).resources if item.kind == "Service"]
    assert found.options.ignore_changes == ("spec.selector",)
    assert found.inputs["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"


def test_everything_has_one_field_manager(tmp_path: Path) -> None:
    found = [item.inputs["metadata"]["annotations"] for item in graph(tmp_path, ours).resources if item.is_kubernetes]
    assert {each["pulumi.com/patchFieldManager"] for each in found} == {"turnout"}


def test_objects_wait_for_their_namespace(tmp_path: Path) -> None:
    def program() -> None:
        from dataclasses import replace

        environment = _environment()
        namespace = apply(NAMESPACE, environment=environment)
        apply(ACCOUNT, environment=replace(environment, declared={"dev": namespace}))

    found = {item.kind: item for item in graph(tmp_path, program).resources}
    assert found["ServiceAccount"].dependencies == (found["Namespace"].urn,)


def _environment() -> Environment:
    import pulumi

    own, adopting = (pulumi.ProviderResource("kubernetes", name, {}) for name in ("cluster", "adopting"))
    return Environment(
        name="dev",
        tier="dev",
        namespaces=Namespaces.of("dev"),
        image=str,
        registry=False,
        cluster=own,
        adopting=adopting,
    )


def _compared(found: ResourceGraph) -> dict[str, Any]:
    """What the engine acts on. Aliases from before apps/v1 are left out: no state of turnout's is that old."""

    def essence(item: Resource) -> dict[str, Any]:
        options = {name: value for name, value in vars(item.options).items() if name != "aliases"}
        return {"inputs": item.reveal(), "secrets": item.secret_paths, "options": options}

    return {f"{item.type} {item.name}": essence(item) for item in found.resources if item.is_kubernetes}


def _snake(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def _opened(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    return {key: _opened(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("manifest", "token"),
    [
        ({"apiVersion": "v1", "kind": "Service"}, "kubernetes:core/v1:Service"),
        ({"apiVersion": "apps/v1", "kind": "Deployment"}, "kubernetes:apps/v1:Deployment"),
        ({"apiVersion": RBAC, "kind": "Role"}, "kubernetes:rbac.authorization.k8s.io/v1:Role"),
    ],
)
def test_type_tokens(manifest: Manifest, token: str) -> None:
    assert type_token(manifest) == token
