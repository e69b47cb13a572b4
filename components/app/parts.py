"""The app's parts as workloads: ports, probes, openings and where each finds what it calls. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from components.app.settings import DATABASES, INTERNET, AppSettings, JobSettings, Part, Running, ServiceSettings
from components.backing import Backing
from components.rollout.service import ServiceRoute
from components.workload import (
    Accepts,
    Autoscale,
    Calls,
    ConfigFiles,
    Drain,
    Outside,
    Port,
    Probe,
    Probes,
    Route,
    Schedule,
    Scratch,
    SecretFiles,
    Spread,
    Workloads,
    WorkloadSpec,
)
from components.workload.spec import Runs

HTTP: Final = "http"
METRICS: Final = "metrics"
_SECRETS_PATH: Final = "/etc/secrets/app"
_INTERNET_PORTS: Final = (80, 443)
_PROMETHEUS: Final = Workloads(name="prometheus", stack="monitoring")
_TMP: Final = Scratch(name="tmp", path="/tmp")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the app finds around it."""

    image: str
    namespace: str
    backings: Mapping[str, Backing] = field(default_factory=dict)
    """`postgres` and `redis`, those that there are."""
    telemetry: Backing | None = None
    """The collector, called by every part."""
    spread: Spread = field(default_factory=Spread)


def specs(settings: AppSettings, around: Surroundings) -> list[WorkloadSpec]:
    """Every part, those first that others wait for: jobs of the release, services, workers, scheduled and last jobs."""
    jobs = [_job(name, part, settings, around) for name, part in settings.jobs.items()]
    services = [_service(name, part, settings, around) for name, part in settings.services.items()]
    workers = [_worker(name, part, settings, around) for name, part in settings.workers.items()]
    first = [job for job in jobs if job.runs == "once" and not comes_last(job)]
    scheduled = [job for job in jobs if job.runs == "scheduled"]
    return [*first, *services, *workers, *scheduled, *filter(comes_last, jobs)]


def comes_last(spec: WorkloadSpec) -> bool:
    """Whether it waits until everything else of the release serves."""
    return spec.runs == "once" and spec.when == "after"


def callers(settings: AppSettings, called: str) -> list[str]:
    """Names of the parts that call `called`, sorted."""
    return sorted(name for name, part in settings.parts.items() if called in part.calls)


def _service(name: str, part: ServiceSettings, settings: AppSettings, around: Surroundings) -> WorkloadSpec:
    http = Port(name=HTTP, number=part.port)
    ports = (http, Port(name=METRICS, number=part.metrics_port, served=False))
    listening = {"HTTP_PORT": str(part.port)}
    opened = tuple(_openings(name, part, settings))
    made = _running(name, part, settings, around, ports=ports, env=listening, accepts=opened, pause=part.drain.pause)
    return replace(made, strategy=part.rollout.strategy, route=Route(**_said(part.route)) if part.route else None)


def _said(route: ServiceRoute) -> dict[str, Any]:
    return {key: value for key, value in route.model_dump().items() if value is not None}


def _worker(name: str, part: Running, settings: AppSettings, around: Surroundings) -> WorkloadSpec:
    """No traffic comes to a worker, so it need not serve on while others forget it."""
    ports = (Port(name=METRICS, number=part.metrics_port, served=False),)
    return _running(name, part, settings, around, ports=ports, env={}, accepts=(_scraped(),), pause=0)


def _running(
    name: str,
    part: Running,
    settings: AppSettings,
    around: Surroundings,
    *,
    ports: tuple[Port, ...],
    env: Mapping[str, str],
    accepts: tuple[Accepts, ...],
    pause: int,
) -> WorkloadSpec:
    listening = {**env, "METRICS_PORT": str(part.metrics_port), "DRAIN_SECONDS": str(part.drain.longest_request)}
    return WorkloadSpec(
        name=name,
        image=around.image,
        runs="replicated",
        args=part.args or (name,),
        env=_env(name, part, settings, around, listening),
        env_from_pod={"POD_NAME": "metadata.name"},
        ports=ports,
        config=_config(part),
        secrets=_secrets(part, around),
        scratch=(_TMP,),
        replicas=part.replicas,
        autoscale=Autoscale(**part.autoscale.model_dump()) if part.autoscale else None,
        resources=part.resources.resources(),
        probes=_probes(part, ports[0].name),
        drain=Drain(pause=pause, longest_request=part.drain.longest_request),
        settle=part.settle,
        deadline=part.deadline,
        accepts=accepts,
        calls=_calls(part, settings, around),
        spread=around.spread,
        tracked=True,
    )


def _job(name: str, part: JobSettings, settings: AppSettings, around: Surroundings) -> WorkloadSpec:
    runs: Runs = "scheduled" if part.schedule else "once"
    when = Schedule(cron=part.schedule, time_zone=part.time_zone, overlap=part.overlap) if part.schedule else None
    return WorkloadSpec(
        name=name,
        image=around.image,
        runs=runs,
        args=part.args or (name,),
        env=_env(name, part, settings, around, {}),
        env_from_pod={"POD_NAME": "metadata.name"},
        config=_config(part),
        secrets=_secrets(part, around),
        scratch=(_TMP,),
        resources=part.resources.resources(),
        drain=Drain(pause=0, longest_request=30),
        deadline=part.deadline,
        retries=part.retries,
        schedule=when,
        when=part.when or "before",
        reversible=part.reversible,
        calls=_calls(part, settings, around),
    )


def _probes(part: Running, port: str) -> Probes:
    return Probes(
        startup=Probe(port=port, path=part.alive, period=1, failures=part.slow_start),
        readiness=Probe(port=port, path=part.ready, period=part.ready_every),
        liveness=Probe(port=port, path=part.alive, period=10, timeout=5),
    )


def _env(
    name: str, part: Part, settings: AppSettings, around: Surroundings, listening: Mapping[str, str]
) -> dict[str, str]:
    found = {"OTEL_SERVICE_NAME": name, **listening}
    for backing in _backings(part, around):
        found |= backing.env
    for called in part.calls:
        if called in settings.services:
            host = f"{called}.{around.namespace}.svc"
            found[f"{called.upper().replace('-', '_')}_URL"] = f"http://{host}:{settings.services[called].port}"
    return {**found, **settings.env, **part.env}


def _secrets(part: Part, around: Surroundings) -> tuple[SecretFiles, ...]:
    own = (SecretFiles(path=_SECRETS_PATH, files=part.secrets),) if part.secrets else ()
    return (*own, *(files for backing in _backings(part, around) for files in backing.secrets))


def _config(part: Part) -> tuple[ConfigFiles, ...]:
    return (ConfigFiles(path=part.config.path, files=part.config.files),) if part.config else ()


def _backings(part: Part, around: Surroundings) -> list[Backing]:
    called = [around.backings[name] for name in DATABASES if name in part.calls]
    return [*called, around.telemetry] if around.telemetry else called


def _openings(name: str, part: ServiceSettings, settings: AppSettings) -> Iterator[Accepts]:
    if part.public or part.route:
        yield Accepts(source=Outside(excluding=()), ports=(HTTP,))
    for caller in callers(settings, name):
        yield Accepts(source=Workloads(name=caller), ports=(HTTP,))
    yield _scraped()


def _scraped() -> Accepts:
    return Accepts(source=_PROMETHEUS, ports=(METRICS,))


def _calls(part: Part, settings: AppSettings, around: Surroundings) -> tuple[Calls, ...]:
    services = [
        Calls(target=Workloads(name=called), ports=(settings.services[called].port,))
        for called in part.calls
        if called in settings.services
    ]
    backings = [Calls(target=backing.target, ports=(backing.port,)) for backing in _backings(part, around)]
    outside = [Calls(target=Outside(), ports=_INTERNET_PORTS)] if INTERNET in part.calls else []
    return (*services, *backings, *outside)
