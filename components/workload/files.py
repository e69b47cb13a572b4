"""A workload's files as immutable ConfigMaps and Secrets named by their content. Pure."""

from __future__ import annotations

import base64

from components.environment import Placement
from components.kubernetes import Manifest
from components.secret import Secret
from components.workload.naming import manifest, named_by_content
from components.workload.spec import ConfigFiles, SecretFiles, WorkloadSpec


def config_map(spec: WorkloadSpec, placement: Placement, files: ConfigFiles) -> Manifest:
    data = dict(sorted(files.files.items()))
    made = manifest("v1", "ConfigMap", spec, placement, data=data, immutable=True)
    return named_by_content(made, f"{spec.name}-{files.name}", data)


def secret(spec: WorkloadSpec, placement: Placement, files: SecretFiles) -> Manifest:
    data = {key: _encoded(value) for key, value in sorted(files.files.items())}
    made = manifest("v1", "Secret", spec, placement, data=data, immutable=True, type="Opaque")
    return named_by_content(made, f"{spec.name}-{files.name}", data)


def _encoded(value: Secret) -> Secret:
    return Secret(base64.b64encode(value.reveal().encode()).decode())
