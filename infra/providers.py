"""The two Kubernetes providers of an environment."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

import pulumi

from infra.cluster import Cluster, ClusterSettings, portable

_PACKAGE: Final = "kubernetes"


class KubernetesProvider(pulumi.ProviderResource):
    """As `pulumi_kubernetes.Provider`, but for $KUBECONFIG, which is this machine's affair and not the state's."""

    def __init__(self, name: str, inputs: dict[str, str]) -> None:
        options = pulumi.ResourceOptions(version=version("pulumi-kubernetes"))
        super().__init__(_PACKAGE, name, inputs, options)


def providers(cluster: Cluster, settings: ClusterSettings) -> tuple[KubernetesProvider, KubernetesProvider]:
    """The provider of what the environment owns, and the one that takes over what exists already."""
    own = _inputs(cluster, settings)
    adopting = {**own, "upsertExistingObjects": "true"}
    return KubernetesProvider("cluster", own), KubernetesProvider("adopting", adopting)


def _inputs(cluster: Cluster, settings: ClusterSettings) -> dict[str, str]:
    named = settings.sandbox or settings.kubeconfig
    path = {"kubeconfig": portable(cluster.kubeconfig)} if named else {}
    context = {"context": cluster.context} if cluster.context else {}
    return {**path, **context, "clusterIdentifier": cluster.identity}
