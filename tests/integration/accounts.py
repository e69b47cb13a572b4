"""Somebody else to the API server: a ServiceAccount with one of turnout's roles, and a kubeconfig that is them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from cli.kube.client import Kube, connect
from cli.kube.errors import Forbidden
from cli.kube.requests import Request
from cli.rollout import rights
from cli.rollout.where import Cluster
from components.access.rights import ROLES, RoleName
from components.access.roles import manifests
from components.environment import Environment, Namespaces
from components.rollout.settings import AccessSettings
from tests.harness import eventually


def environment(name: str) -> Environment:
    """What the roles need to know of an environment."""
    nobody: Any = None
    namespaces = Namespaces.of(name)
    return Environment(
        name=name, tier="dev", namespaces=namespaces, image=str, registry=False, cluster=nobody, adopting=nobody
    )


def with_role(kube: Kube, name: str, role: RoleName, kubeconfig: Path, folder: Path, account: str = "") -> Path:
    """The kubeconfig of an account (named after the role) that has that role in environment `name`."""
    account = account or role
    subject = f"ServiceAccount:{name}/{account}"
    metadata = {"name": account, "namespace": name}
    kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}, "test")
    for manifest in manifests(environment(name), AccessSettings.model_validate({role: [subject]})):
        if manifest["kind"].endswith("Binding"):
            manifest = manifest | {"metadata": manifest["metadata"] | {"name": f"turnout-{name}-{account}"}}
        kube.apply(manifest, "test", force=True)
    file = as_account(kube, name, account, kubeconfig, folder)
    wanted = {right for command in ROLES[role] for right in rights.of(command, name)}
    with connect(Cluster(file, None)) as them:
        eventually(lambda: not rights.missing(them, wanted), f"the API server knows what {account} may")
    return file


def as_account(kube: Kube, namespace: str, account: str, kubeconfig: Path, folder: Path) -> Path:
    """A kubeconfig with that account's token and nothing else of ours."""
    config = yaml.safe_load(kubeconfig.read_text())
    token = _token(kube, namespace, account)
    config["users"] = [{"name": row["name"], "user": {"token": token}} for row in config["users"]]
    file = folder / f"{account}.kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file


def remove_cluster_roles(kube: Kube, name: str) -> None:
    """What outlives the environment's namespaces."""
    for kind in ("ClusterRoleBinding", "ClusterRole"):
        for row in kube.list("rbac.authorization.k8s.io/v1", kind, labels=f"turnout.dev/environment={name}"):
            kube.delete(row["apiVersion"], kind, row["metadata"]["name"])


def refused(work: Callable[[], object]) -> str:
    """What the API server says against it, empty when it has nothing."""
    try:
        work()
    except Forbidden as error:
        return error.message
    return ""


def _token(kube: Kube, namespace: str, account: str) -> str:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    body = b'{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}'
    answer = kube.request(Request("POST", path, "ask for a token", body=body)).json()
    return str(answer["status"]["token"])
