"""What simulated nodes and pods do, as stages for kwok (kwok.sigs.k8s.io, "Stages"): each says for which state of an
object it is meant, and what its status is then set to."""

from __future__ import annotations

import json
from typing import Any

Stage = dict[str, Any]
_READY = '.status.conditions.[] | select( .type == "Ready" ) | .status'
_NODE_STATUS = """\
{{ $now := Now }}
phase: Running
conditions:
{{ range NodeConditions }}
- {type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }},
   message: {{ .message | Quote }}, lastHeartbeatTime: {{ $now | Quote }}, lastTransitionTime: {{ $now | Quote }}}
{{ end }}
addresses:
- {type: InternalIP, address: {{ NodeIP | Quote }}}
- {type: Hostname, address: {{ .metadata.name | Quote }}}
allocatable:
{{ YAML .status.allocatable 1 }}
capacity:
{{ YAML .status.capacity 1 }}
nodeInfo:
  architecture: amd64
  operatingSystem: linux
  osImage: simulated
  kernelVersion: simulated
  containerRuntimeVersion: simulated
  kubeletVersion: simulated
  kubeProxyVersion: ""
  bootID: simulated
  machineID: simulated
  systemUUID: simulated
"""
_POD_STATUS = """\
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: {{ .image | Quote }}
  ready: true
  started: true
  restartCount: 0
  state: {running: {startedAt: {{ $now | Quote }}}}
{{ end }}
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: {{ .image | Quote }}
  ready: true
  restartCount: 0
  state:
  {{ if eq .restartPolicy "Always" }}
    running: {startedAt: {{ $now | Quote }}}
  {{ else }}
    terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}
  {{ end }}
{{ end }}
{{ $host := or .spec.hostNetwork false }}
{{ $ips := PodIPsWith .spec.nodeName $host .metadata.uid .metadata.name .metadata.namespace }}
{{ with $ips }}
podIP: {{ index . 0 | Quote }}
podIPs: [{ip: {{ index . 0 | Quote }}}]
{{ end }}
{{ with NodeIPsWith .spec.nodeName }}
hostIP: {{ index . 0 | Quote }}
hostIPs: [{ip: {{ index . 0 | Quote }}}]
{{ end }}
"""
_DONE_STATUS = """\
{{ $now := Now }}
phase: Succeeded
conditions:
- {type: Ready, status: "False", reason: PodCompleted, lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: {{ .image | Quote }}
  ready: false
  started: false
  restartCount: 0
  state:
    terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}
{{ end }}
"""


def config() -> str:
    """The file that kwok reads: one JSON document a stage."""
    return "\n---\n".join(json.dumps(stage) for stage in stages()) + "\n"


def stages() -> list[Stage]:
    alive = _when(".metadata.deletionTimestamp", "DoesNotExist")
    of_a_job = _when(".metadata.ownerReferences.[].kind", "In", "Job")
    return [
        _stage("node-ready", "Node", [_when(_READY, "NotIn", "True")], {"statusTemplate": _NODE_STATUS}),
        _stage(
            "pod-ready",
            "Pod",
            [alive, _when(".status.phase", "In", "Pending"), _when(_READY, "NotIn", "True")],
            {"statusTemplate": _POD_STATUS},
        ),
        _stage(
            "pod-complete",
            "Pod",
            [alive, _when(".status.phase", "In", "Running"), of_a_job],
            {"statusTemplate": _DONE_STATUS},
        ),
        _stage("pod-delete", "Pod", [_when(".metadata.deletionTimestamp", "Exists")], {"delete": True}),
    ]


def _stage(name: str, kind: str, conditions: list[Stage], following: Stage) -> Stage:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": conditions},
            "next": following,
        },
    }


def _when(key: str, operator: str, *values: str) -> Stage:
    return {"key": key, "operator": operator, **({"values": [*values]} if values else {})}
