"""A workload's files as immutable ConfigMaps and Secrets named by their content. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from components.environment import Placement
from components.manifest import Manifest
from components.secret import Secret
from components.workload.naming import named_by_content
from components.workload.spec import ConfigFiles, SecretFiles, WorkloadSpec


def config_map(spec: WorkloadSpec, placement: Placement, files: ConfigFiles) -> Manifest:
    data = dict(sorted(files.files.items()))
    return named_by_content(_held("ConfigMap", spec, placement, data), f"{spec.name}-{files.name}", data)


def secret(spec: WorkloadSpec, placement: Placement, files: SecretFiles) -> Manifest:
    data = {key: _encoded(value) for key, value in sorted(files.files.items())}
    made = {**_held("Secret", spec, placement, data), "type": "Opaque"}
    return named_by_content(made, f"{spec.name}-{files.name}", data)


def _held(kind: str, spec: WorkloadSpec, placement: Placement, data: Mapping[str, str | Secret]) -> Manifest:
    # No track among the labels: tracks with the same content share the object.
    metadata = {"namespace": placement.namespace, "labels": placement.labels(spec.name)}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": data, "immutable": True}


def _encoded(value: Secret) -> Secret:
    return Secret(base64.b64encode(value.reveal().encode()).decode())
