"""The alert as it is posted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.drift import alerting, notice
from cli.drift.model import Author, Drifted, Field, Place, Report, What
from cli.errors import TurnoutError
from cli.kube.requests import Request

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIELD = Field("spec.replicas", What.CHANGED, 2, 5, (Author("kubectl", "2026-11-21T09:00:00Z"),))
ONE = Drifted(Place("apps/v1", "Deployment", "prod", "api-a"), "urn", "app/api", fields=(FIELD,))
FOUND = Report("prod", (ONE,), looked=55)


def test_it_fires_for_a_little_longer_than_until_the_next_check() -> None:
    assert alerting.alert(FOUND, "prod", HOUR, NOW, "https://wiki.example.com/") == {
        "labels": {"alertname": "ConfigDrift", "environment": "prod", "severity": "ticket"},
        "annotations": {
            "summary": "prod: 1 of 55 objects was changed by others",
            "description": "Deployment/prod/api-a. Which fields, who and when: turnout drift prod",
            "count": "1",
            "runbook": "runbooks/ConfigDrift.md",
            "runbook_url": "https://wiki.example.com/ConfigDrift.md",
        },
        "startsAt": "2026-11-21T09:00:00.000000Z",
        "endsAt": "2026-11-21T14:30:00.000000Z",
    }


def test_it_ends_at_once_where_there_is_no_drift_any_more() -> None:
    passed = replace(FOUND, objects=(replace(ONE, ignored="for now"),))
    for calm in (Report("prod", looked=55), passed):
        made = alerting.alert(calm, "prod", HOUR, NOW)
        assert made["startsAt"] == made["endsAt"] == "2026-11-21T12:00:00.000000Z"
        assert "runbook_url" not in made["annotations"]


def test_nobody_is_called_for_dev_and_the_labels_are_the_same_for_any_drift() -> None:
    assert alerting.alert(FOUND, "dev", HOUR, NOW)["labels"]["severity"] == "info"
    other = Report("prod", (ONE, replace(ONE, urn="other")), looked=55)
    assert alerting.alert(other, "prod", HOUR, NOW)["labels"] == alerting.alert(FOUND, "prod", HOUR, NOW)["labels"]


def test_many_objects_are_counted_and_a_few_named() -> None:
    rows = tuple(replace(ONE, place=replace(ONE.place, name=f"api-{at}")) for at in range(7))
    text = alerting.alert(Report("prod", rows, looked=55), "prod", HOUR, NOW)["annotations"]["description"]
    assert text.startswith("Deployment/prod/api-0, ")
    assert " and 2 more. " in text


class Cluster:
    def __init__(self, *pods: str) -> None:
        self.pods, self.asked = pods, list[Request]()

    def list(self, *_: str, labels: str) -> list[dict[str, Any]]:
        assert labels == "app.kubernetes.io/name=alertmanager"
        return [{"metadata": {"name": name}} for name in self.pods]

    def request(self, request: Request) -> None:
        self.asked.append(request)


def test_every_alertmanager_is_told_for_they_do_not_tell_each_other() -> None:
    kube: Any = Cluster("alertmanager-0", "alertmanager-1")
    assert alerting.post(kube, "prod", {"labels": {}}) == 2
    assert [one.path for one in kube.asked] == [
        f"/api/v1/namespaces/prod-monitoring/pods/alertmanager-{at}:9093/proxy/api/v2/alerts" for at in range(2)
    ]
    assert {one.body for one in kube.asked} == {b'[{"labels": {}}]'}
    nobody: Any = Cluster()
    with pytest.raises(TurnoutError, match="prod has no Alertmanager"):
        alerting.post(nobody, "prod", {})


def test_a_preview_says_it_in_one_line_or_not_at_all() -> None:
    assert notice.said(Report("prod", looked=55)) == ""
    assert notice.said(Report("prod", looked=54, missed=1)) == (
        "not known whether there is drift: 1 object could not be read; none in 54 others"
    )
    assert notice.said(FOUND) == (
        "1 of 55 objects was changed by others since the last apply, which a plan does not show: turnout drift prod"
    )
