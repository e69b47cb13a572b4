"""What a rollout moves, read from a plan, the settings, the cursor and what runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cli.engine.model import ABSENT, Change, FieldChange, Operation, Plan
from cli.errors import UsageError
from cli.rollout import applying
from cli.rollout.changed import created, irreversible, templates
from cli.rollout.cursor import Cursor
from cli.rollout.step import Step, Target
from cli.rollout.targets import Wish, held, targets
from components.app.settings import AppSettings

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
TEMPLATE = 'metadata.annotations["turnout.dev/template"]'
IMAGE = FieldChange("spec.template.spec.containers.api.image", "1", "2")


class Settings:
    """As much of an environment's settings as is looked at."""

    def __init__(self, **services: Any) -> None:
        resources = {"cpu": 25, "memory": "32Mi", "memory_limit": "128Mi"}
        rows = {name: {"replicas": 3, "resources": resources, **part} for name, part in services.items()}
        jobs = {
            "sweep": {"schedule": "0 1 * * *", "resources": resources},
            "migrate": {"resources": resources},
            "warm-up": {"when": "after", "resources": resources},
        }
        workers = {"runner": {"replicas": 1, "resources": resources}}
        document = {"image": "agents", "version": "1", "services": rows, "workers": workers, "jobs": jobs}
        self.app = AppSettings.model_validate(document)


def plan(*changes: Change) -> Plan:
    return Plan("dev", changes, {}, 0.1, "pulumi", "own")


def change(name: str, *fields: FieldChange, operation: Operation = Operation.UPDATE, kind: str = DEPLOYMENT) -> Change:
    return Change(f"urn::{name}", kind, f"dev/{name}-a", operation, f"app/{name}", fields)


def test_a_changed_template_is_a_new_release_and_nothing_else_is() -> None:
    found = plan(
        change("api", IMAGE, FieldChange(TEMPLATE, "old", "new")),
        change("tools", FieldChange(TEMPLATE, ABSENT, "first")),
        change("mail", FieldChange("spec.progressDeadlineSeconds", 1, 2)),
        change("web", IMAGE, kind="kubernetes:networking.k8s.io/v1:NetworkPolicy"),
    )
    assert templates(found) == {"api": "new"}
    assert created(found) == set()


def test_jobs_that_cannot_be_undone_are_known_by_their_runs(make: Any) -> None:
    app = Settings().app
    final = {name: job.model_copy(update={"reversible": False}) for name, job in app.jobs.items()}
    declared = (make.job("migrate", "1"), make.job("warm-up", "1"), make.deployment("api", "1"))
    found = replace(plan(), declared=declared)
    assert irreversible(found, app) == []
    assert irreversible(found, app.model_copy(update={"jobs": final})) == [
        {"name": "migrate", "run": "migrate-1", "when": "before"},
        {"name": "warm-up", "run": "warm-up-1", "when": "after"},
    ]


def test_what_is_not_there_yet_is_created_with_its_template() -> None:
    whole = FieldChange("metadata", ABSENT, {"annotations": {"turnout.dev/template": "new"}})
    found = plan(change("api", whole, operation=Operation.CREATE))
    assert (templates(found), created(found)) == ({"api": "new"}, {"api"})


def test_a_deployment_of_the_monitoring_is_no_service() -> None:
    other = Change("urn", DEPLOYMENT, "dev-monitoring/grafana", Operation.UPDATE, "grafana/grafana", (IMAGE,))
    assert templates(plan(other)) == {}


def one(settings: Settings, cursor: Cursor, copies: dict[str, int], wish: Wish | None = None) -> Target:
    [found] = targets(settings, cursor, {"api": "new", "runner": "new"}, copies, wish or Wish())  # type: ignore[arg-type]
    return found


CANARY = {"rollout": {"strategy": "canary", "steps": [20], "soak": 5, "warm": 7}}


def test_it_goes_from_the_track_that_serves_to_the_other() -> None:
    found = one(Settings(api=CANARY), Cursor().serving("api", "b"), {"api-a": 0, "api-b": 5})
    assert (found.strategy, found.old, found.new, found.two, found.copies, found.wanted) == (
        "canary",
        "b",
        "a",
        True,
        5,
        3,
    )
    assert (found.shares, found.soak, found.warm, found.preview, found.template) == ((20,), 5.0, 7.0, "/readyz", "new")


def test_a_wish_wins_over_the_settings_for_whom_it_names() -> None:
    settings, copies = Settings(api=CANARY), {"api-a": 3}
    assert one(settings, Cursor(), copies, Wish("blue-green")).strategy == "blue-green"
    assert one(settings, Cursor(), copies, Wish("blue-green", ("tools",))).strategy == "canary"
    assert one(settings, Cursor(), copies, Wish("rolling")).new == "a"


def test_a_service_that_is_not_there_yet_just_comes() -> None:
    assert one(Settings(api=CANARY), Cursor(), {}).strategy == "rolling"


def test_nobody_shares_with_a_track_that_has_no_copies() -> None:
    assert one(Settings(api=CANARY), Cursor(), {"api-a": 0}).strategy == "blue-green"
    assert one(Settings(api=CANARY), Cursor().serving("api", "b"), {"api-a": 3, "api-b": 0}).strategy == "blue-green"
    assert one(Settings(api={}), Cursor(), {"api-a": 0}).strategy == "rolling"


def test_an_autoscalers_number_is_kept_within_its_bounds() -> None:
    scaled = Settings(api={**CANARY, "autoscale": {"minimum": 2, "maximum": 6}})
    assert [one(scaled, Cursor(), {"api-a": now}).wanted for now in (1, 4, 9)] == [2, 4, 6]
    assert one(scaled, Cursor(), {"api-a": 4}).bounds == (2, 6)


def test_a_stage_holds_everybody_else_but_jobs_that_come_before() -> None:
    found = held(Settings(api={}, tools={}).app, Step("bring", ("tools",)))
    assert found == {"api", "runner", "sweep", "warm-up"}


def test_up_leaves_a_new_release_of_a_canary_to_a_rollout() -> None:
    settings: Any = Settings(api=CANARY, tools={})
    settings.environment = "dev"
    assert applying.may_need_a_rollout(settings.app)
    applying.must_be_no_rollout(plan(change("tools", IMAGE)), settings)
    applying.must_be_no_rollout(plan(change("api", operation=Operation.CREATE)), settings)
    with pytest.raises(UsageError, match="turnout rollout start dev") as refused:
        applying.must_be_no_rollout(plan(change("api", IMAGE), change("tools", IMAGE)), settings)
    assert refused.value.exit_code == 2
    assert "api (canary)" in refused.value.why
