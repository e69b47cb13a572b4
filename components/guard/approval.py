"""An approval is given for the rollout that is open, and never by its starter. Pure.

It is a ConfigMap `approval-<id of the rollout>`; that rollout is the ConfigMap `rollout`, which says who started it.
The approval of a single plan (`approval-plan-…`) is no rollout's: what applies to it is in `control.py` alone.
Who may approve, and in whose name, is in `control.py`: a policy whose parameters are missing refuses nothing, or all.
"""

from __future__ import annotations

from typing import Final

from components.environment import Placement
from components.guard.policy import Check, Rule, policy
from components.manifest import Manifest
from components.names import ROLLOUT

NAME: Final = "approvals"
PREFIX: Final = "approval-"
PLANS: Final = f"{PREFIX}plan-"

_VARIABLES: Final = {
    "starter": "has(params.data) && 'starter' in params.data ? params.data.starter : ''",
    "id": "has(params.data) && 'id' in params.data ? params.data.id : ''",
    "open": "has(params.data) && 'open' in params.data && params.data.open == 'true'",
}


def manifests(place: Placement) -> list[Manifest]:
    """The policy and its binding."""
    return policy(
        NAME,
        place,
        namespace=place.namespaces.control,
        rules=[Rule(group="", resources=("configmaps",), operations=("CREATE",))],
        conditions={
            "approves": f"object.metadata.name.startsWith('{PREFIX}') && !object.metadata.name.startsWith('{PLANS}')"
        },
        variables=_VARIABLES,
        checks=[
            Check(
                expression=f"variables.open && object.metadata.name == '{PREFIX}' + variables.id",
                message=f"'no rollout of {place.environment} is open that ' + object.metadata.name + ' would be for'",
            ),
            Check(
                expression="variables.starter != '' && variables.starter != request.userInfo.username",
                message="variables.starter + ' started this rollout, so somebody else has to approve it'",
            ),
        ],
        params=ROLLOUT,
    )
