"""Nobody writes to a track that the rollout has moved on from, and during one nothing else than what it brings. Pure.

The ConfigMap `cursor` says for each service with two tracks which one is described, its epoch, and while a rollout is
open the only template that may be written to it. A stale checkout, a lost state and a half-done apply meet this policy.
"""

from __future__ import annotations

from typing import Final

from components.environment import Placement
from components.guard.policy import Check, Rule, policy
from components.manifest import Manifest
from components.names import CURSOR, WORKLOAD
from components.tracks import EPOCH, TEMPLATE, TRACK_LABEL

NAME: Final = CURSOR
"""Names the policy, and the ConfigMap of the control namespace that it reads."""


def _label(name: str) -> str:
    labels = "object.metadata.labels"
    return f"has({labels}) && '{name}' in {labels} ? {labels}['{name}'] : ''"


def _annotation(of: str, name: str, default: str) -> str:
    notes = f"{of}.metadata.annotations"
    return f"has({notes}) && '{name}' in {notes} ? {notes}['{name}'] : '{default}'"


def _key(field: str, default: str) -> str:
    key = f"variables.service + '.{field}'"
    return f"has(params.data) && ({key}) in params.data ? params.data[{key}] : '{default}'"


def _number(text: str) -> str:
    return f"{text}.matches('^[0-9]+$') ? int({text}) : 0"


_VARIABLES: Final = {
    "moves": "request.operation == 'CREATE' || object.spec.template != oldObject.spec.template",
    "service": _label(WORKLOAD),
    "track": _label(TRACK_LABEL),
    "knownText": _annotation("object", EPOCH, "0"),
    "known": _number("variables.knownText"),
    "epochText": _key("epoch", "0"),
    "epoch": _number("variables.epochText"),
    "described": _key("described", "a"),
    "only": _key("template", ""),
    "template": _annotation("object", TEMPLATE, ""),
    "before": f"request.operation == 'CREATE' ? '' : ({_annotation('oldObject', TEMPLATE, '')})",
    "locked": "variables.only != '' && variables.track == variables.described",
}


def manifests(place: Placement) -> list[Manifest]:
    """The policy and its binding, for the environment's services."""
    environment = place.environment
    stale = (
        f"object.metadata.name + ' of {environment} has moved on: this was written for epoch '"
        " + string(variables.known) + ', and it is at ' + string(variables.epoch)"
        f" + '; what you work with is older than the last rollout or rollback: turnout repair {environment}'"
    )
    other = (
        f"object.metadata.name + ' of {environment} is in a rollout that brings another template: to see it,"
        f" turnout rollout status {environment}; to end it, turnout rollout abort {environment};"
        f" if your settings are older than it, turnout repair {environment}'"
    )
    return policy(
        NAME,
        place,
        namespace=place.namespaces.app,
        rules=[Rule(group="apps", resources=("deployments",), operations=("CREATE", "UPDATE"))],
        conditions={"stays": "!has(object.metadata.deletionTimestamp)"},
        variables=_VARIABLES,
        checks=[
            Check(expression="!variables.moves || variables.known >= variables.epoch", message=stale),
            Check(
                expression="!variables.moves || !variables.locked"
                " || (variables.template == variables.only && variables.before != variables.only)",
                message=other,
            ),
        ],
        params=NAME,
    )
