"""The provider's settings, as a program or a stack's configuration gives them."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.provider.replacements import Mutable
from cli.provider.values import UNKNOWN

PREFIX = "kubernetes:config:"
REFUSED = {
    "renderYamlToDirectory": "turnout's kubernetes provider does not render to a folder; use: turnout preview --json",
}
KNOWN = frozenset(
    (
        *("alwaysRender", "cluster", "clusterIdentifier", "context", "deleteUnreachable", "enableConfigMapMutable"),
        *("enablePatchForce", "enableSecretMutable", "enableServerSideApply", "helmReleaseSettings", "kubeconfig"),
        *("kubeClientSettings", "namespace", "rejectUnknownResources", "renderYamlToDirectory", "strictMode"),
        *("skipUpdateUnreachable", "suppressDeprecationWarnings", "suppressHelmHookWarnings", "upsertExistingObjects"),
        *("version", "pluginDownloadURL", "__internal"),
    )
)
"""Every setting of the official provider, and what the engine adds."""


@dataclass(frozen=True)
class Settings:
    """See https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ for their meaning."""

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    namespace: str = ""
    patch_force: bool = False
    upsert: bool = False
    mutable: Mutable = field(default_factory=Mutable)
    delete_unreachable: bool = False
    skip_unreachable: bool = False
    reject_unknown: bool = False
    no_deprecations: bool = False
    timeout: float = 0.0
    accept_secrets: bool = True

    def __repr__(self) -> str:
        return f"Settings(context={self.context!r}, namespace={self.namespace!r})"


def from_variables(variables: Mapping[str, str], *, accept_secrets: bool) -> Settings:
    """From Configure's variables; what they leave open comes from the PULUMI_K8S_* environment."""
    given = {key.removeprefix(PREFIX): value for key, value in variables.items()}

    def flag(name: str, environment: str) -> bool:
        text = given.get(name) or os.environ.get(f"PULUMI_K8S_{environment}", "")
        return text.lower() == "true"

    return Settings(
        kubeconfig=given.get("kubeconfig", ""),
        context=given.get("context", ""),
        cluster=given.get("cluster", ""),
        namespace=given.get("namespace", ""),
        patch_force=flag("enablePatchForce", "ENABLE_PATCH_FORCE"),
        upsert=flag("upsertExistingObjects", "UPSERT_EXISTING_OBJECTS"),
        mutable=Mutable(
            config_maps=flag("enableConfigMapMutable", "ENABLE_CONFIGMAP_MUTABLE"),
            secrets=flag("enableSecretMutable", "ENABLE_SECRET_MUTABLE"),
        ),
        delete_unreachable=flag("deleteUnreachable", "DELETE_UNREACHABLE"),
        skip_unreachable=flag("skipUpdateUnreachable", "SKIP_UPDATE_UNREACHABLE"),
        no_deprecations=flag("suppressDeprecationWarnings", "SUPPRESS_DEPRECATION_WARNINGS"),
        reject_unknown=given.get("rejectUnknownResources") == "true",
        timeout=_timeout(given.get("kubeClientSettings", "")),
        accept_secrets=accept_secrets,
    )


def _timeout(client: str) -> float:
    """`kubeClientSettings.timeout`: seconds for one request; 0 for the default. Raises ValueError."""
    try:
        return float(json.loads(client or "{}").get("timeout") or os.environ.get("PULUMI_K8S_CLIENT_TIMEOUT") or 0)
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"kubeClientSettings cannot be read: {error}") from error


def unknown(given: Mapping[str, Any]) -> list[str]:
    """A line for each setting that there is none of: it would be passed over in silence."""
    return [f"the kubernetes provider has no setting {name!r}{_near(name)}" for name in sorted(set(given) - KNOWN)]


def _near(name: str) -> str:
    near = difflib.get_close_matches(name, KNOWN, 1)
    return f"; is it {near[0]!r}?" if near else ""


def strict(given: Mapping[str, Any], urn: str) -> list[tuple[str, str]]:
    """(setting, reason) for what strict mode wants said, where it is on."""
    if str(given.get("strictMode", "")).lower() != "true":
        return []
    by_default = [("", "strict mode prohibits default provider")] if _is_default(urn) else []
    missing = [name for name in ("kubeconfig", "context") if not given.get(name)]
    return [*by_default, *((name, f'strict mode requires Provider "{name}" argument') for name in missing)]


def _is_default(urn: str) -> bool:
    return urn.rpartition("::")[2].startswith("default")


def refusals(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(setting, reason) for each setting that this provider cannot honour."""
    found = [(name, reason) for name, reason in REFUSED.items() if given.get(name)]
    if str(given.get("enableServerSideApply", "true")).lower() == "false":
        found.append(("enableServerSideApply", "turnout's kubernetes provider works by server-side apply only"))
    return found


def replacing(old: Mapping[str, Any], new: Mapping[str, Any], changed: list[str]) -> list[str]:
    """Which changed settings mean another cluster, so that everything in it is new."""
    identifiers = (old.get("clusterIdentifier"), new.get("clusterIdentifier"))
    if all(identifiers):
        return ["clusterIdentifier"] if identifiers[0] != identifiers[1] else []
    places: list[str] = [key for key in ("kubeconfig", "context", "cluster") if key in changed]
    if any(new.get(key) is UNKNOWN for key in places):
        return places
    before, after = active_cluster(old), active_cluster(new)
    return places if before and after and before != after else []


def active_cluster(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The cluster entry of the kubeconfig that is in use; None where it cannot be told."""
    from cli.kube.config import read_mapping

    whole = read_mapping(given.get("kubeconfig"))
    contexts = {row["name"]: row.get("context") or {} for row in whole.get("contexts") or []}
    clusters = {row["name"]: row.get("cluster") or {} for row in whole.get("clusters") or []}
    context = contexts.get(str(given.get("context") or whole.get("current-context") or ""), {})
    return clusters.get(str(given.get("cluster") or context.get("cluster")))
