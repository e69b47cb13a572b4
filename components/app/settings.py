"""`turnout:app`: the app's services, workers and jobs, all from one image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from components.monitoring.settings import Name, ResourceSettings, Section, resource_defaults
from components.rollout.service import ServiceRollout, ServiceRoute
from components.secret import Secret

DATABASES: Final = ("postgres", "redis")
INTERNET: Final = "internet"
LEAST_REPLICAS: Final[Mapping[str, int]] = {"prod": 3}

Path = Annotated[str, Field(pattern=r"^/")]
Variables = dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]


class Files(Section):
    """Plain files, mounted as the directory `path`."""

    path: Path
    """Where the container finds the directory. A change of any file makes new pods."""
    files: dict[FileName, str]
    """File name to content."""


class AutoscaleSettings(Section):
    """Copies by load. The settings' `replicas` then count for nothing."""

    minimum: int = Field(ge=1, description="copies")
    maximum: int = Field(ge=1, description="copies")
    cpu_percent: int = Field(70, ge=10, le=95, description="of the requested CPU, at which more copies are started")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.maximum < self.minimum:
            raise ValueError(f"maximum: {self.maximum} is less than minimum, {self.minimum}")
        return self


class DrainSettings(Section):
    """Seconds. A pod that ends serves on for `pause`, then has `longest_request` to finish."""

    pause: int = Field(default=5, ge=0, le=120)
    """Seconds that a pod which ends serves on, while others forget its address. Workers have none."""
    longest_request: int = Field(default=30, ge=0, le=3600)
    """Seconds that it then has to finish what it began. The process is told so as DRAIN_SECONDS."""


class Part(Section):
    """What services, workers and jobs have in common."""

    args: tuple[str, ...] = ()
    """The image's arguments. Empty: the part's own name, so that one program with subcommands needs none."""
    env: Variables = Field(default_factory=dict)
    """Environment variables. Secrets do not belong here: see `secrets`."""
    config: Files | None = None
    secrets: dict[FileName, Secret] = Field(default_factory=dict)
    """Files in /etc/secrets/app."""
    calls: tuple[str, ...] = ()
    """What it connects to: services by name, `postgres`, `redis`, `internet`. Everything else is closed."""
    resources: ResourceSettings


class Running(Part):
    """A part that keeps running."""

    replicas: int = Field(ge=1)
    """Copies, when there is no `autoscale`. At least 3 in prod."""
    autoscale: AutoscaleSettings | None = None
    metrics_port: PortNumber = 9090
    """Where /metrics is served for Prometheus; a worker answers its probes there too. Told as METRICS_PORT."""
    ready: Path = "/readyz"
    """Answers 200 when the pod may get traffic."""
    ready_every: int = Field(5, ge=1, description="seconds between two readiness probes")
    alive: Path = "/healthz"
    """Answers 200 unless the process must be started anew."""
    drain: DrainSettings = DrainSettings()
    settle: int = Field(1, ge=1, description="seconds that a new pod must stay ready before it counts")
    deadline: int = Field(300, ge=10, description="seconds without progress after which a rollout has failed")
    slow_start: int = Field(60, ge=5, description="seconds that a pod may take to become alive")

    @model_validator(mode="after")
    def _enough(self, info: ValidationInfo) -> Self:
        least = LEAST_REPLICAS.get((info.context or {}).get("tier", ""), 1)
        if self.autoscale is None and self.replicas < least:
            raise ValueError(f"replicas: at least {least} in prod, not {self.replicas}")
        if self.autoscale is not None and self.autoscale.minimum < least:
            raise ValueError(f"autoscale.minimum: at least {least} in prod, not {self.autoscale.minimum}")
        return self


class ServiceSettings(Running):
    port: PortNumber = 8080
    """Where HTTP is served. Told as HTTP_PORT; callers find it as NAME_URL."""
    public: bool = False
    """Whether connections from outside the app's namespace are let in: a gateway, a load balancer, the nodes."""
    rollout: ServiceRollout = ServiceRollout()
    route: ServiceRoute | None = None


class WorkerSettings(Running):
    pass


class JobSettings(Part):
    schedule: str | None = Field(None, pattern=r"^(\S+\s+){4}\S+$", description="cron; none: once for each release")
    time_zone: str = "Etc/UTC"
    overlap: Literal["Allow", "Forbid", "Replace"] = "Forbid"
    """What happens when the last run still goes on."""
    retries: int = Field(2, ge=0, le=20, description="new pods after the first one failed")
    deadline: int = Field(600, ge=10, description="seconds after which a run is ended")
    when: Literal["before", "after"] | None = None
    """Of a job without a schedule: before the services of a release start (the default), or after all of them serve."""
    reversible: bool = True
    """Whether the release before still works after it ran. false: a rollback past it is warned about."""

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if self.schedule and self.when:
            raise ValueError("when: a job with a schedule runs by that alone")
        return self


class AppSettings(Section):
    image: str = Field(pattern=r"^[a-z0-9][a-z0-9._/:-]*[a-z0-9]$")
    """Repository, without tag. In a sandbox its last part names the image that was built on this machine."""
    version: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")
    """The image's tag."""
    digest: str | None = Field(None, pattern=r"^sha256:[0-9a-f]{64}$")
    """Required outside a sandbox: a tag can be moved, a digest cannot."""
    env: Variables = Field(default_factory=dict)
    """For every part; a part's own `env` wins."""
    services: dict[Name, ServiceSettings] = Field(default_factory=dict)
    """Parts that answer HTTP."""
    workers: dict[Name, WorkerSettings] = Field(default_factory=dict)
    """Parts that run all the time and answer nobody."""
    jobs: dict[Name, JobSettings] = Field(default_factory=dict)
    """Parts that end: on a schedule, or once for each release, before its services start or after they serve."""

    @model_validator(mode="after")
    def _names(self) -> Self:
        faults = [*self._repeated(), *self._strangers()]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def parts(self) -> dict[str, Part]:
        """Services, workers and jobs, by name."""
        return {**self.services, **self.workers, **self.jobs}

    def _repeated(self) -> Iterator[str]:
        names = [*self.services, *self.workers, *self.jobs]
        taken = {*DATABASES, INTERNET}
        for name in sorted({name for name in names if names.count(name) > 1 or name in taken}):
            yield f"{name}: the name is used twice"

    def _strangers(self) -> Iterator[str]:
        known = {*self.services, *DATABASES, INTERNET}
        for name, part in self.parts.items():
            for called in part.calls:
                if called not in known:
                    yield f"{name}.calls: there is no {called!r}; there are: {', '.join(sorted(known))}"


def defaults(tier: str) -> dict[str, Any]:
    """What a settings file of that tier is merged over; `*` stands for every entry that the file names."""
    running, job = _RUNNING[tier], _JOB[tier]
    service = {**running, "rollout": _ROLLOUT[tier]}
    return {"services": {"*": service}, "workers": {"*": running}, "jobs": {"*": job}}


_RUNNING: Final[Mapping[str, dict[str, Any]]] = {
    "dev": {
        "replicas": 2,
        "resources": resource_defaults(25, "32Mi", "128Mi"),
        "drain": {"pause": 3, "longest_request": 20},
        "ready_every": 1,
        "deadline": 60,
        "slow_start": 30,
    },
    "staging": {"replicas": 2, "settle": 5, "resources": resource_defaults(50, "64Mi", "256Mi")},
    "prod": {
        "replicas": 3,
        "settle": 10,
        "deadline": 600,
        "resources": resource_defaults(200, "256Mi", "512Mi"),
        "drain": {"pause": 10, "longest_request": 60},
    },
}
_ROLLOUT: Final[Mapping[str, dict[str, Any]]] = {
    "dev": {"soak": 10, "warm": 60},
    "staging": {"soak": 60, "warm": 600},
    "prod": {"soak": 300, "warm": 3600},
}
_JOB: Final[Mapping[str, dict[str, Any]]] = {
    "dev": {"resources": resource_defaults(20, "32Mi", "128Mi")},
    "staging": {"resources": resource_defaults(50, "64Mi", "256Mi")},
    "prod": {"resources": resource_defaults(100, "128Mi", "512Mi")},
}
