"""What workloads run, read from their manifests: live ones, recorded ones, rendered ones. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cli.rollout.control import Manifest
from cli.rollout.pins import Content
from cli.rollout.plan import WORKLOADS
from components.names import APP, COMPONENT, WORKLOAD
from components.tracks import TEMPLATE


def of(manifests: Iterable[Manifest]) -> dict[str, Content]:
    """Workload of the app → what its objects run, all of them together."""
    found: dict[str, Content] = {}
    for manifest in manifests:
        if is_workload(manifest):
            name, content = workload(manifest), _content(manifest)
            known = found.get(name, Content())
            found[name] = Content(known.images | content.images, content.template or known.template)
    return found


def is_workload(manifest: Manifest) -> bool:
    return manifest["kind"] in WORKLOADS and label(manifest, COMPONENT) == APP


def workload(manifest: Manifest) -> str:
    """The name by which the settings call it."""
    return label(manifest, WORKLOAD)


def label(manifest: Manifest, name: str) -> str:
    return str((manifest["metadata"].get("labels") or {}).get(name, ""))


def runs(manifest: Manifest) -> bool:
    """Whether it is to have pods: no replicas and a suspended schedule are none."""
    spec: Mapping[str, Any] = manifest.get("spec") or {}
    return spec.get("replicas", 1) != 0 and not spec.get("suspend")


def template_hash(manifest: Manifest) -> str:
    return str((manifest["metadata"].get("annotations") or {}).get(TEMPLATE, ""))


def _content(manifest: Manifest) -> Content:
    spec = manifest["spec"]["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else manifest["spec"]
    pod = spec["template"]["spec"]
    containers = (*pod["containers"], *(pod.get("initContainers") or []))
    images = frozenset(str(container["image"]) for container in containers if container.get("image"))
    return Content(images, template_hash(manifest))
