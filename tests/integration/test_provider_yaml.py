"""ConfigFile and ConfigGroup through the engine: what they are made of is registered, ordered and kept."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest

from cli.engine.run import Engine
from cli.errors import TurnoutError
from cli.kube.client import Kube
from cli.progress import Silent
from cli.provider import VERSION

pytestmark = pytest.mark.cluster
HUSH = "hush-7c1e90"


class Group:
    """A project whose program declares components over manifests."""

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        self.folder, self.kubeconfig = folder, kubeconfig
        self.namespace = f"yaml-{uuid.uuid4().hex[:8]}"
        self.declare: Callable[[pulumi.ResourceOptions], Any] = lambda _: None
        (folder / "Pulumi.yaml").write_text("name: group\nruntime: python\n")
        (folder / "Pulumi.dev.yaml").write_text("config: {}\n")

    def engine(self) -> Engine:
        return Engine(self.folder, "dev", Silent(), program=self.program)

    def program(self) -> None:
        settings = {"kubeconfig": str(self.kubeconfig), "namespace": self.namespace}
        provider = pulumi.ProviderResource("kubernetes", "cluster", settings, pulumi.ResourceOptions(version=VERSION))
        self.declare(pulumi.ResourceOptions(provider=provider, version=VERSION))

    def state(self) -> dict[str, dict[str, Any]]:
        rows = self.engine().export_state()["deployment"]["resources"]
        return {row["urn"].rpartition("::")[2]: row for row in rows}

    def text(self, colour: str = "red") -> str:
        """Out of order, with a list, a custom kind and its definition, and a reference."""
        group = f"{self.namespace}.example.com"
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        version = {"name": "v1", "served": True, "storage": True, "schema": schema}
        names = {"plural": "widgets", "singular": "widget", "kind": "Widget"}
        crd = {"group": group, "scope": "Cluster", "names": names, "versions": [version]}
        after = {"config.kubernetes.io/depends-on": f"/namespaces/{self.namespace}/ConfigMap/first"}
        plain = {"apiVersion": "v1", "kind": "ConfigMap"}
        rows: list[dict[str, Any]] = [
            {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"colour": colour}},
            {
                "apiVersion": "v1",
                "kind": "ConfigMapList",
                "items": [
                    {**plain, "metadata": {"name": "last", "annotations": after}, "data": {"b": "2"}},
                    {**plain, "metadata": {"name": "first"}, "data": {"a": "1"}},
                ],
            },
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"p": HUSH}},
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": f"widgets.{group}"},
                "spec": crd,
            },
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}},
        ]
        return "\n---\n".join(map(json.dumps, rows))


@pytest.fixture
def group(tmp_path: Path, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Group]:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "right")
    monkeypatch.setenv("TURNOUT_PROVIDER", "own")
    found = Group(tmp_path, kubeconfig)
    yield found
    found.engine().destroy()


def test_a_group_registers_its_objects_in_order_under_their_names(group: Group, kube: Kube) -> None:
    from pulumi_kubernetes.yaml.v2 import ConfigGroup

    colour = ["red"]
    group.declare = lambda options: ConfigGroup("all", yaml=group.text(colour[0]), opts=options)
    engine = group.engine()
    assert engine.preview().counts == {"create": 8}
    assert engine.up().ok
    state, space = group.state(), group.namespace
    assert {name for name in state if name.startswith("all:")} == {
        "all:w",
        f"all:{space}",
        f"all:widgets.{space}.example.com",
        *(f"all:{space}/{name}" for name in ("first", "last", "key")),
    }
    waits = {name: {urn.rpartition("::")[2] for urn in row.get("dependencies", [])} for name, row in state.items()}
    assert waits[f"all:{space}/last"] == {f"all:{space}", f"all:{space}/first"}
    assert waits["all:w"] == {f"all:widgets.{space}.example.com"}
    assert all(state[name]["parent"].endswith("yaml/v2:ConfigGroup::all") for name in state if name.startswith("all:"))
    assert HUSH not in json.dumps(state)
    assert engine.preview().empty
    colour[0] = "blue"
    assert [change.name for change in engine.preview().changes] == ["all:w"]
    assert engine.up().ok
    assert kube.get(f"{space}.example.com/v1", "Widget", "w")["spec"] == {"colour": "blue"}


def test_files_patterns_objects_and_their_options(group: Group, kube: Kube) -> None:
    from pulumi_kubernetes.yaml.v2 import ConfigFile, ConfigGroup

    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": group.namespace}}
    never = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "claim"}}
    request = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": ""}
    for name in ("a", "b"):
        row = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"day": "2026-11-21"}}
        (group.folder / f"{name}.yaml").write_text(json.dumps(row))
    outputs: dict[str, Any] = {}

    def declare(options: pulumi.ResourceOptions) -> None:
        pattern = [str(group.folder / "[ab].yaml")]
        first = ConfigFile("space", file=str(group.folder / "space.yaml"), resource_prefix="", opts=options)
        more = pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[first]))
        hidden = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "c"}}
        objects: list[Any] = [{**hidden, "data": {"p": pulumi.Output.secret(HUSH)}}, {**never, "spec": request}]
        made = ConfigGroup("rest", files=pattern, objs=objects, skip_await=True, resource_prefix="p", opts=more)
        outputs["count"] = made.resources.apply(lambda found: len(found or []))
        pulumi.export("count", outputs["count"])

    (group.folder / "space.yaml").write_text(json.dumps(space))
    group.declare = declare
    done = group.engine().up()
    assert done.ok and done.outputs == {"count": 4}
    state = group.state()
    assert {group.namespace, f"p:{group.namespace}/a", f"p:{group.namespace}/claim"} <= set(state)
    claim = kube.get("v1", "PersistentVolumeClaim", "claim", group.namespace)
    assert claim["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"
    assert HUSH not in json.dumps(state) and group.engine().preview().empty


def test_version_1_reads_its_manifests_through_the_provider(group: Group) -> None:
    from pulumi_kubernetes.yaml import ConfigGroup

    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": group.namespace}}
    row = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "old"}, "data": {"day": "2026-11-21"}}
    texts = [json.dumps(row), json.dumps({"apiVersion": "v1", "kind": "List", "items": [space]})]
    group.declare = lambda options: ConfigGroup("v1", yaml=texts, opts=options)
    engine = group.engine()
    assert engine.up().ok and engine.preview().empty
    rows = [name for name, row in group.state().items() if row["type"].startswith("kubernetes:core")]
    assert sorted(rows) == sorted([group.namespace, "old"])


def test_what_cannot_be_read_is_named(group: Group) -> None:
    from pulumi_kubernetes.yaml.v2 import ConfigFile

    group.declare = lambda options: ConfigFile("lost", file=str(group.folder / "none.yaml"), opts=options)
    with pytest.raises(TurnoutError, match=r"'lost' has a problem: the manifests cannot be read: .*none\.yaml"):
        group.engine().up()
