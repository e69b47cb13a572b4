"""Copies of services with two tracks, where the settings say another number than runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cli.engine.model import Change, FieldChange, Operation, Outcome, Plan
from cli.errors import Refused
from cli.rollout import consent, reviewing
from cli.rollout.changed import templates
from cli.rollout.counts import Count, differences, told
from cli.rollout.cursor import Cursor
from components.app.settings import AppSettings
from infra.review import ReviewSettings
from tests.unit.review import builder

AT = Cursor().serving("api", "b")


def app(**service: Any) -> AppSettings:
    resources = {"cpu": 25, "memory": "32Mi", "memory_limit": "128Mi"}
    services = {"api": {"replicas": 3, "resources": resources, **service}}
    return AppSettings.model_validate({"image": "agents", "version": "1", "services": services})


def deployment(name: str, replicas: int) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"replicas": replicas}}


def scaler(name: str, least: int, most: int) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"minReplicas": least, "maxReplicas": most}}


def test_only_the_track_that_serves_has_the_number_of_the_settings() -> None:
    live = [deployment("api-a", 0), deployment("api-b", 2)]
    assert list(differences(app(), AT, live, [])) == [Count("api", "b", (2,), (3,))]
    assert list(differences(app(), AT, [deployment("api-a", 0), deployment("api-b", 3)], [])) == []


def test_one_track_is_the_engines_business() -> None:
    assert list(differences(app(), Cursor(), [deployment("api-a", 2)], [])) == []


def test_an_autoscaler_owns_the_number_within_its_bounds() -> None:
    wanted = app(autoscale={"minimum": 3, "maximum": 12})
    live = [deployment("api-b", 7)]
    assert list(differences(wanted, AT, live, [scaler("api-b", 3, 12)])) == []
    assert list(differences(wanted, AT, live, [scaler("api-b", 1, 1)])) == [Count("api", "b", (1, 1), (3, 12))]


def test_an_autoscaler_does_not_start_what_has_no_copies() -> None:
    wanted = app(autoscale={"minimum": 3, "maximum": 12})
    assert list(differences(wanted, AT, [deployment("api-b", 0)], [])) == [Count("api", "b", (0,), (3,))]


def test_a_service_that_the_settings_no_longer_have_is_left_alone() -> None:
    gone = Cursor().serving("old", "b")
    assert list(differences(app(), gone, [deployment("old-b", 2)], [])) == []


def resource(kind: str, spec: dict[str, Any], *fields: FieldChange) -> Change:
    """Track b of the service, as the engine tells it: without `fields` it stays as it is."""
    api = {"Deployment": "apps/v1", "HorizontalPodAutoscaler": "autoscaling/v2"}[kind]
    made = {"apiVersion": api, "kind": kind, "metadata": {"name": "api-b", "namespace": "prod"}, "spec": spec}
    kind = f"kubernetes:{api}:{kind}"
    done = Operation.UPDATE if fields else Operation.SAME
    return Change(f"urn::{kind}", kind, "prod/api-b", done, "app/api", fields, before=made, after=made)


def plan(*still: Change, changes: tuple[Change, ...] = ()) -> Plan:
    tally = {"same": 2, **({"update": len(changes)} if changes else {})}
    return Plan("prod", changes, tally, 0.1, "pulumi", "own", still=still)


RUNNING = resource("Deployment", {"replicas": 0, "template": builder.pods()})
SCALED = resource("HorizontalPodAutoscaler", {"minReplicas": 1, "maxReplicas": 1})
FEWER = Count("api", "b", (10,), (2,))


def test_copies_are_an_update_of_what_the_engine_leaves_as_it_is() -> None:
    found = told(plan(SCALED, RUNNING), [FEWER])
    [change] = found.changes
    assert (change.urn, change.operation, change.component) == (RUNNING.urn, Operation.UPDATE, "app/api")
    assert change.fields == (FieldChange("spec.replicas", 10, 2),)
    assert (change.before["spec"]["replicas"], change.after["spec"]["replicas"]) == (10, 2)
    assert (found.counts, found.still, found.empty) == ({"same": 1, "update": 1}, (SCALED,), False)
    assert not templates(found), "no new release"


def test_bounds_of_an_autoscaler_are_told_as_far_as_they_differ() -> None:
    [change] = told(plan(SCALED, RUNNING), [Count("api", "b", (1, 5), (3, 5))]).changes
    assert (change.kind, change.fields) == ("HorizontalPodAutoscaler", (FieldChange("spec.minReplicas", 1, 3),))


def test_what_the_engine_changes_too_is_told_once() -> None:
    label = FieldChange("metadata.labels.x", "1", "2")
    touched = replace(resource("Deployment", {"replicas": 0}, label))
    found = told(plan(SCALED, changes=(touched,)), [FEWER])
    [change] = found.changes
    assert change.fields == (label, FieldChange("spec.replicas", 10, 2))
    assert found.counts == {"same": 2, "update": 1}


def test_a_track_that_the_program_does_not_speak_of_is_told_too() -> None:
    found = told(plan(SCALED), [FEWER])
    assert [(change.kind, change.name, change.component) for change in found.changes] == [
        ("Deployment", "prod/api-b", "app/api")
    ]
    assert found.counts == {"same": 2, "update": 1}


def test_an_outcome_tells_the_same() -> None:
    done = Outcome("prod", True, (), {"same": 2}, {}, (), (), 0.1, "pulumi", "own", still=(SCALED, RUNNING))
    assert told(done, [FEWER]).changes == told(plan(SCALED, RUNNING), [FEWER]).changes


def test_thresholds_and_approvals_see_the_copies() -> None:
    strict = builder.prod().model_copy(update={"review": ReviewSettings(thresholds={"fewer-copies": "refuse"})})
    reviewed = reviewing.judged(told(plan(RUNNING), [FEWER]), strict)
    with pytest.raises(Refused) as refused:
        reviewing.must_not_be_refused(reviewed)
    assert "fewer-copies: Deployment prod/api-b has 2 copies instead of 10" in refused.value.why
    assert reviewed.blast.capacity["pods"].to_json() == {"before": 10.0, "after": 2.0}
    other = reviewing.judged(told(plan(RUNNING), [replace(FEWER, after=(3,))]), strict)
    assert consent.name(reviewed.plan) != consent.name(other.plan)
