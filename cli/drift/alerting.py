"""Drift as an alert in the environment's Alertmanager, which then routes it as any other.

The scheduled check is the only one who knows of drift, and it runs outside the cluster: so it posts the alert itself
(Alertmanager's API, version 2) and says how long it holds. A check that no longer runs lets it end by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cli.drift.model import Report
from cli.errors import TurnoutError
from cli.kube.requests import Request
from cli.rollout.control import moment, stamp
from components.alertmanager.config import PORT
from components.environment import Namespaces, Tier
from components.prometheus.runbooks import links

if TYPE_CHECKING:
    from cli.kube.client import Kube

NAME: Final = "ConfigDrift"
SEVERITIES: Final[Mapping[Tier, str]] = {"dev": "info", "staging": "ticket", "prod": "ticket"}
"""It never pages: what others changed serves, and what of it breaks a promise has an alert of its own."""

_POD: Final = "app.kubernetes.io/name=alertmanager"
_LONGER: Final = 2.5
"""Times the interval that an alert holds: a single check that fails does not end it."""
_NAMED: Final = 5


def alert(report: Report, tier: Tier, every: timedelta, now: datetime, runbooks: str = "") -> dict[str, Any]:
    """What is posted: firing while there is drift, else ended this moment; nothing is where that is not known.

    `every`: the time between two checks. `runbooks`: where they are published, if anywhere.
    """
    ends = now + every * _LONGER if report.drifted else now
    return {
        "labels": {"alertname": NAME, "environment": report.environment, "severity": SEVERITIES[tier]},
        "annotations": {
            "summary": f"{report.environment}: {report.summary}",
            "description": _described(report),
            "count": str(len(report.drifted)),
            **links(NAME, runbooks),
        },
        "startsAt": stamp(_began(report, now)),
        "endsAt": stamp(ends),
    }


def post(kube: Kube, environment: str, document: dict[str, Any]) -> int:
    """Hand it to each Alertmanager, for they do not tell each other; returns how many there are.

    Raises KubeError, and TurnoutError where there is none.
    """
    space = Namespaces.of(environment).monitoring
    pods = [row["metadata"]["name"] for row in kube.list("v1", "Pod", space, labels=_POD)]
    if not pods:
        raise TurnoutError(
            f"{environment} has no Alertmanager that could raise the alert",
            why=f"no pod in {space} has the label {_POD}",
            next=f"enable turnout:alertmanager in Pulumi.{environment}.yaml, or use the exit code: --exit-code",
        )
    for pod in pods:
        kube.request(_request(space, pod, document))
    return len(pods)


def _request(space: str, pod: str, document: dict[str, Any]) -> Request:
    """Through the API server. Posting twice does what posting once does."""
    path = f"/api/v1/namespaces/{space}/pods/{pod}:{PORT}/proxy/api/v2/alerts"
    return Request("POST", path, f"tell {space}/{pod} of drift", body=json.dumps([document]).encode(), accept="*/*")


def _described(report: Report) -> str:
    """The objects by name, never a value: an alert goes to people and places that secrets do not."""
    names = [one.place.address for one in report.drifted]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    listed = f"{', '.join(names[:_NAMED])}{more}. " if names else ""
    return f"{listed}Which fields, who and when: turnout drift {report.environment}"


def _began(report: Report, now: datetime) -> datetime:
    """When the first of it was changed, as far as the API server knows; never later than now."""
    times = [author.at for one in report.drifted for field in one.fields for author in field.by if author.at]
    return min([now, *map(moment, times)])
