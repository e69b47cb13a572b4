"""What was pinned out may not appear again: not by kubectl, not by Pulumi, not in a preview. Pure.

The ConfigMap `pins` holds one entry a pin: `p<release>` (or `p<release>.<n>`) = `WORKLOADS|WHAT|WHO|WHEN|REASON`.
WORKLOADS is `*` or names with commas; WHAT is images with commas, or `template:<hash>`.

Refused is a *new appearance* only: an object that is created with it, an update that brings it in, a start from zero.
So a scale-down, a deletion, a drain and whatever did not change pass.
"""

from __future__ import annotations

from typing import Final

from components.environment import Placement
from components.guard.policy import Check, Rule, policy
from components.manifest import Manifest
from components.names import PINS
from components.tracks import TEMPLATE

NAME: Final = PINS
"""Names the policy, and the ConfigMap of the control namespace that it reads."""

_RULES: Final = (
    Rule(group="apps", resources=("deployments", "statefulsets", "daemonsets"), operations=("CREATE", "UPDATE")),
    Rule(group="apps", resources=("replicasets",), operations=("UPDATE",)),
    Rule(group="batch", resources=("cronjobs",), operations=("CREATE", "UPDATE")),
    Rule(group="batch", resources=("jobs",), operations=("CREATE",)),
)


def _pod(spec: str) -> str:
    return f"has({spec}.jobTemplate) ? {spec}.jobTemplate.spec.template.spec : {spec}.template.spec"


def _images(pod: str) -> str:
    inits = f"(has({pod}.initContainers) ? {pod}.initContainers : [])"
    return f"({pod}.containers + {inits}).filter(c, has(c.image)).map(c, string(c.image))"


def _annotation(of: str) -> str:
    notes = f"dyn({of}).metadata.annotations"
    return f"has({notes}) && '{TEMPLATE}' in {notes} ? string({notes}['{TEMPLATE}']) : ''"


_STARTS = (
    "!variables.creates && ("
    "has(variables.spec.suspend) && has(dyn(oldObject).spec.suspend)"
    " ? dyn(oldObject).spec.suspend && !variables.spec.suspend"
    " : has(variables.spec.replicas) && has(dyn(oldObject).spec.replicas)"
    " && dyn(oldObject).spec.replicas == 0 && variables.spec.replicas > 0)"
)
_SAME_IMAGE = "i == p || (p.contains('@') && i.endsWith(p.substring(p.indexOf('@'))))"
_HIT = (
    "r[2].startsWith('template:')"
    " ? variables.newTemplate != '' && variables.newTemplate == r[2].substring(9)"
    f" : variables.newImages.exists(i, r[2].split(',').exists(p, {_SAME_IMAGE}))"
)
_VARIABLES: Final = {
    "creates": "request.operation == 'CREATE'",
    "spec": "dyn(object).spec",
    "starts": _STARTS,
    "workload": (
        "has(object.metadata.labels) && 'app.kubernetes.io/name' in object.metadata.labels"
        " ? object.metadata.labels['app.kubernetes.io/name'] : ''"
    ),
    "pod": _pod("variables.spec"),
    "images": _images("variables.pod"),
    "known": f"variables.creates || variables.starts ? [] : [dyn(oldObject).spec].map(s, {_pod('s')})"
    f".map(p, {_images('p')})[0]",
    "newImages": "object.kind == 'ReplicaSet' && !variables.starts ? []"
    " : variables.images.filter(i, !(i in variables.known))",
    "template": _annotation("object"),
    "knownTemplate": f"variables.creates || variables.starts ? '' : ({_annotation('oldObject')})",
    "newTemplate": "(object.kind == 'ReplicaSet' && !variables.starts) || variables.template == variables.knownTemplate"
    " ? '' : variables.template",
    "pins": "has(params.data) ? params.data.map(k, k.matches('^p[0-9]'), [k] + params.data[k].split('|'))"
    ".filter(r, size(r) >= 6 && (r[1] == '*' || r[1].split(',').exists(w, w == variables.workload))) : []",
    "hits": f"variables.pins.filter(r, {_HIT})",
    "hit": "variables.hits[0]",
    "number": "variables.hit[0].substring(1).split('.')[0]",
    "what": "variables.hit[2].startsWith('template:') ? 'this template' : 'image ' + variables.hit[2]",
    "reason": "variables.hit[5] == '' ? '' : ' because: ' + variables.hit[5]",
}


def manifests(place: Placement) -> list[Manifest]:
    """The policy and its binding, for the environment's app."""
    said = (
        "object.metadata.name + ': ' + variables.what + ' is pinned out of"
        f" {place.environment} (pin ' + variables.number + '): ' + variables.hit[3] + ' took it back at '"
        " + variables.hit[4] + variables.reason + '; to let it in again: turnout unpin"
        f" {place.environment} ' + variables.number"
    )
    return policy(
        NAME,
        place,
        namespace=place.namespaces.app,
        rules=_RULES,
        conditions={
            "stays": "!has(object.metadata.deletionTimestamp)",
            "by-itself": "request.resource.resource != 'jobs' || !has(object.metadata.ownerReferences)",
        },
        variables=_VARIABLES,
        checks=[Check(expression="size(variables.hits) == 0", message=said)],
        params=NAME,
    )
