"""Who writes what in the control namespace: few steer or approve, and nobody signs with another's name. Pure."""

from __future__ import annotations

from typing import Final

from components.access.rights import OWN_GROUP
from components.environment import Placement
from components.guard.approval import PREFIX
from components.guard.policy import Check, Rule, policy
from components.manifest import Manifest
from components.names import ROLLOUT

NAME: Final = "control"
AUDIT: Final = "audit-"

_CLUSTERS_OWN: Final = "kube-root-ca.crt"
_VARIABLES: Final = {
    "me": "request.userInfo.username",
    "name": "object.metadata.name",
    "creates": "request.operation == 'CREATE'",
    "data": "has(object.data) ? object.data : {}",
    "before": "!variables.creates && has(oldObject.data) ? oldObject.data : {}",
    "audits": f"variables.name.startsWith('{AUDIT}')",
    "approves": f"variables.creates && variables.name.startsWith('{PREFIX}')",
    "signed": "'by' in variables.data ? variables.data.by : 'who' in variables.data ? variables.data.who : ''",
    "starter": "'starter' in variables.data ? variables.data.starter : ''",
    "known": "'starter' in variables.before ? variables.before.starter : ''",
    "id": "'id' in variables.data ? variables.data.id : ''",
    "same": "!variables.creates && variables.id == ('id' in variables.before ? variables.before.id : '')",
}


def manifests(place: Placement) -> list[Manifest]:
    """The policy and its binding. Deletions are left to roles, as the cluster itself deletes a namespace's objects."""
    return policy(
        NAME,
        place,
        namespace=place.namespaces.control,
        rules=[Rule(group="", resources=("configmaps",), operations=("CREATE", "UPDATE"))],
        conditions={"ours": f"object.metadata.name != '{_CLUSTERS_OWN}'"},
        variables=_VARIABLES,
        checks=[*_rights(place), *_names(), *_constants()],
    )


def _rights(place: Placement) -> tuple[Check, ...]:
    def allowed(resource: str, verb: str) -> str:
        asked = f"authorizer.group('{OWN_GROUP}').resource('{resource}').namespace('{place.namespaces.control}')"
        return f"{asked}.check('{verb}').allowed()"

    return (
        Check(
            expression=f"!variables.approves || {allowed('approvals', 'create')}",
            message=f"variables.me + ' may not approve in {place.environment}: ask for the role approver'",
        ),
        Check(
            expression="variables.approves || (variables.audits && variables.creates)"
            f" || {allowed('rollouts', 'update')}",
            message=f"variables.me + ' may not write ' + variables.name + ' of {place.environment}:"
            " ask for the role on-call or deployer'",
        ),
    )


def _names() -> tuple[Check, ...]:
    return (
        Check(
            expression="!(variables.approves || (variables.audits && variables.creates))"
            " || variables.signed == variables.me",
            message="variables.name + ' is written in one\\'s own name, which is ' + variables.me",
        ),
        Check(
            expression=f"variables.name != '{ROLLOUT}' || variables.same || variables.starter == variables.me",
            message="'whoever starts a rollout is its starter, and that is ' + variables.me",
        ),
    )


def _constants() -> tuple[Check, ...]:
    return (
        Check(
            expression=f"variables.name != '{ROLLOUT}' || !variables.same || variables.starter == variables.known",
            message="'this rollout was started by ' + variables.known + ', and that does not change'",
        ),
        Check(
            expression="!variables.audits || variables.creates || variables.data == variables.before",
            message="'an audit entry does not change'",
        ),
        Check(
            expression="!variables.approves || (has(object.immutable) && object.immutable)",
            message="'an approval does not change: it needs immutable: true'",
        ),
    )
