"""The app's parts as workloads: what each finds, whom it may call, and who may call it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from components.app import parts
from components.app.parts import Surroundings
from components.app.settings import AppSettings, defaults
from components.backing import Backing
from components.environment import Namespaces, Placement
from components.postgres import component as postgres
from components.postgres.settings import PostgresSettings
from components.redis import component as redis
from components.redis.settings import RedisSettings
from components.workload import Accepts, Calls, Outside, Port, Workloads, WorkloadSpec
from components.workload.component import Address, address
from components.workload.kubernetes import manifests
from infra.model import merged
from tests.unit.components.workloads import one

TELEMETRY = Backing(target=Workloads(name="collector", stack="agents"), port=4318, env={"OTLP": "http://collector"})
DATABASE = PostgresSettings.model_validate(
    {"password": "hunter2", "storage": "1Gi", "resources": {"cpu": 50, "memory": "128Mi"}}
)
CACHE = RedisSettings.model_validate(
    {"password": 'a"b', "storage": "512Mi", "resources": {"cpu": 20, "memory": "100Mi"}}
)
PARTS = {
    "services": {"api": {"public": True, "calls": ["tools", "postgres"]}, "tools": {"port": 8081}},
    "workers": {"runner": {"calls": ["tools", "postgres", "internet"]}},
    "jobs": {"migrate": {"calls": ["postgres"]}, "sweep": {"schedule": "0 * * * *"}},
}


def app(tier: str = "dev", **changes: Any) -> AppSettings:
    given = {"image": "agents", "version": "1.0.0", **PARTS, **changes}
    return AppSettings.model_validate(merged(defaults(tier), given), context={"tier": tier})


def workloads(**changes: Any) -> dict[str, WorkloadSpec]:
    backing = postgres.backing(DATABASE, Address("postgres", "dev", 5432))
    around = Surroundings(image="i:1", namespace="dev", backings={"postgres": backing}, telemetry=TELEMETRY)
    return {spec.name: spec for spec in parts.specs(app(**changes), around)}


def test_jobs_of_the_release_come_first_and_scheduled_ones_last() -> None:
    assert list(workloads()) == ["migrate", "api", "tools", "runner", "sweep"]
    assert [spec.runs for spec in workloads().values()] == ["once", *["replicated"] * 3, "scheduled"]


def test_only_services_and_workers_have_tracks() -> None:
    assert [name for name, spec in workloads().items() if spec.tracked] == ["api", "tools", "runner"]


def test_a_part_finds_what_it_calls_and_nothing_else() -> None:
    api, tools = workloads()["api"], workloads()["tools"]
    assert api.env["TOOLS_URL"] == "http://tools.dev.svc:8081"
    assert api.env["PGHOST"] == "postgres.dev.svc"
    assert [files.path for files in api.secrets] == ["/etc/secrets/postgres"]
    assert "PGHOST" not in tools.env and not tools.secrets


def test_a_part_may_call_what_it_says_and_the_collector() -> None:
    assert workloads()["runner"].calls == (
        Calls(target=Workloads(name="tools"), ports=(8081,)),
        Calls(target=Workloads(name="postgres"), ports=(5432,)),
        Calls(target=Workloads(name="collector", stack="agents"), ports=(4318,)),
        Calls(target=Outside(), ports=(80, 443)),
    )


def test_who_is_called_lets_its_callers_in() -> None:
    accepted = workloads()["tools"].accepts
    assert [opening.source for opening in accepted if opening.ports == ("http",)] == [
        Workloads(name="api"),
        Workloads(name="runner"),
    ]
    assert Accepts(source=Outside(excluding=()), ports=("http",)) in workloads()["api"].accepts


def test_a_worker_serves_nothing_but_its_metrics() -> None:
    runner = workloads()["runner"]
    assert runner.ports == (Port(name="metrics", number=9090, served=False),)
    assert runner.drain.pause == 0
    assert runner.probes.readiness and runner.probes.readiness.port == "metrics"


def test_a_parts_own_variables_win() -> None:
    services = {"api": {"env": {"LOG_LEVEL": "debug"}}}
    changed = workloads(env={"LOG_LEVEL": "warn", "REGION": "x"}, services=services, workers={}, jobs={})
    assert (changed["api"].env["LOG_LEVEL"], changed["api"].env["REGION"]) == ("debug", "x")


def test_the_arguments_are_the_parts_name_unless_given() -> None:
    given = workloads(services={"api": {"args": ["serve", "--fast"]}, "tools": {}})
    assert (given["api"].args, given["tools"].args) == (("serve", "--fast"), ("tools",))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"services": {"runner": {}, "tools": {}}}, "runner: the name is used twice"),
        ({"services": {"postgres": {}, "tools": {}}}, "postgres: the name is used twice"),
        ({"workers": {"runner": {"calls": ["nobody"]}}}, "there is no 'nobody'; there are: api, internet"),
        ({"services": {"api": {"autoscale": {"minimum": 3, "maximum": 2}}, "tools": {}}}, "less than minimum"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        app(**changes)


def test_prod_has_three_of_each() -> None:
    assert {part.replicas for part in app("prod").services.values()} == {3}
    with pytest.raises(ValidationError, match="at least 3 in prod"):
        app("prod", services={"api": {"replicas": 1}, "tools": {}})


def test_postgres_is_opened_to_its_callers_only() -> None:
    spec = postgres.spec(DATABASE, "postgres:15", parts.callers(app(), "postgres"))
    policy = one(manifests(spec, PLACEMENT), "NetworkPolicy")["spec"]
    names = [rule["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for rule in policy["ingress"]]
    assert names == ["api", "migrate", "runner"]
    assert "egress" not in policy


def test_postgres_reads_its_password_from_a_file() -> None:
    spec = postgres.spec(DATABASE, "postgres:15", [])
    [files] = spec.secrets
    assert spec.env["POSTGRES_PASSWORD_FILE"] == f"{files.path}/password"
    assert "hunter2" not in str(manifests(spec, PLACEMENT))


def test_redis_keeps_its_password_out_of_its_configuration() -> None:
    spec = redis.spec(CACHE, "redis:7", [])
    [config], [files] = spec.config, spec.secrets
    text = config.files["redis.conf"]
    assert f"include {files.path}/auth.conf" in text and "maxmemory 60mb" in text
    assert files.files["auth.conf"].reveal() == 'requirepass "a\\"b"\n'


def test_addresses_are_the_services() -> None:
    spec = workloads()["tools"]
    assert address(spec, PLACEMENT).url == "http://tools.dev.svc:8081"
    with pytest.raises(ValueError, match="serves no port metrics"):
        address(spec, PLACEMENT, "metrics")


PLACEMENT = Placement(environment="dev", tier="dev", namespaces=Namespaces.of("dev"), stack="app", component="app")
