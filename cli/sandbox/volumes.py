"""Volumes for claims of the StorageClass `local`: a folder each, made when a pod that needs it has a node, and deleted
with the claim. What to do is a pure function; doing it is apart."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.sandbox.manifests import MANAGER, PROVISIONER, STORAGE_CLASS

if TYPE_CHECKING:
    from cli.kube.client import Kube

Object = Mapping[str, Any]
SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"


@dataclass(frozen=True)
class Make:
    """A volume to make for a claim."""

    claim: Object
    node: str

    @property
    def volume(self) -> str:
        return f"pvc-{self.claim['metadata']['uid']}"


@dataclass(frozen=True)
class Delete:
    """A volume whose claim is gone."""

    volume: str


def plan(claims: Iterable[Object], volumes: Sequence[Object]) -> list[Make | Delete]:
    """What brings volumes in line with claims. Doing it twice does no harm."""
    there = {volume["metadata"]["name"] for volume in volumes}
    wanted = [Make(claim, node) for claim in claims if _waits(claim) and (node := _node(claim))]
    made: list[Make | Delete] = [make for make in wanted if make.volume not in there]
    return made + [Delete(volume["metadata"]["name"]) for volume in volumes if _released(volume)]


def manifest(make: Make, folder: Path) -> dict[str, Any]:
    """The PersistentVolume, bound to its claim. `local` rather than `hostPath`: it honours a pod's fsGroup."""
    claim = make.claim
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [make.node]}]}]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": make.volume, "annotations": {PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "storageClassName": STORAGE_CLASS,
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": claim["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": "Delete",
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": claim["metadata"]["namespace"],
                "name": claim["metadata"]["name"],
                "uid": claim["metadata"]["uid"],
            },
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
        },
    }


def carry_out(kube: Kube, root: Path, steps: Iterable[Make | Delete]) -> None:
    for step in steps:
        folder = root / step.volume
        if isinstance(step, Make):
            _make_folder(folder)
            kube.apply(manifest(step, folder), MANAGER, force=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            kube.delete("v1", "PersistentVolume", step.volume)


def _make_folder(folder: Path) -> None:
    """Writable by whatever user the pod runs as; the sandbox's own folder, closed to others, is around it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)


def _waits(claim: Object) -> bool:
    spec, phase = claim["spec"], claim.get("status", {}).get("phase")
    ours = spec.get("storageClassName") == STORAGE_CLASS and spec.get("volumeMode", "Filesystem") == "Filesystem"
    return ours and phase == "Pending" and not spec.get("volumeName")


def _node(claim: Object) -> str | None:
    annotations: Mapping[str, str] = claim["metadata"].get("annotations") or {}
    return annotations.get(SELECTED_NODE)


def _released(volume: Object) -> bool:
    metadata = volume["metadata"]
    ours = (metadata.get("annotations") or {}).get(PROVISIONED_BY) == PROVISIONER
    free = volume.get("status", {}).get("phase") == "Released"
    return ours and free and "deletionTimestamp" not in metadata
