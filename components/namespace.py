"""The environment's namespaces: how strict each is with its pods, and closed to the network until a workload opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi

from components.environment import AGENTS_REASON, Environment, Stack
from components.kubernetes import apply
from components.manifest import Manifest
from components.workload.network import default_deny

_POD_SECURITY: Final[Mapping[Stack, str]] = {"app": "restricted", "monitoring": "restricted", "agents": "privileged"}


class EnvironmentNamespaces(pulumi.ComponentResource):
    """The four namespaces. The one for control is adopted when it exists and stays when the environment goes."""

    declared: Mapping[str, pulumi.Resource]
    """Namespace name to its resource, for `Environment.declared`."""

    def __init__(self, name: str, environment: Environment, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("turnout:environment:Namespaces", name, None, opts)
        kept = pulumi.ResourceOptions(parent=self, provider=environment.adopting, retain_on_delete=True)
        control = apply(namespace("control", environment), environment=environment, opts=kept)
        declared: dict[str, pulumi.Resource] = {environment.namespaces.control: control}
        for stack in _POD_SECURITY:
            own = pulumi.ResourceOptions(parent=self)
            made = apply(namespace(stack, environment), environment=environment, opts=own)
            closed = pulumi.ResourceOptions(parent=self, depends_on=[made])
            apply(_closed(stack, environment), environment=environment, opts=closed)
            declared[environment.namespaces.of_stack(stack)] = made
        self.declared = declared
        self.register_outputs({})


def namespace(stack: Stack, environment: Environment) -> Manifest:
    metadata: dict[str, Any] = {
        "name": environment.namespaces.of_stack(stack),
        "labels": _labels(stack, environment),
    }
    if _POD_SECURITY.get(stack) == "privileged":
        metadata["annotations"] = {"turnout.dev/pod-security-exception": AGENTS_REASON}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _closed(stack: Stack, environment: Environment) -> Manifest:
    labels = environment.place(stack, stack).labels("default-deny")
    return default_deny(environment.namespaces.of_stack(stack), labels)


def _labels(stack: Stack, environment: Environment) -> dict[str, str]:
    namespaced = environment.place(stack, stack).labels(environment.namespaces.of_stack(stack))
    level = _POD_SECURITY.get(stack, "restricted")
    return namespaced | {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
