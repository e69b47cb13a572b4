"""The app's settings beside themselves: what says one fact twice, and what counts for nothing beside something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.validate.model import Finding, Level
from cli.validate.project import Environment, Project
from components.app.settings import DATABASES, JobSettings, Part, ServiceSettings, WorkerSettings
from infra.model import Settings

WITHOUT_USE: Final = "counts for nothing"


@dataclass(frozen=True)
class Seen:
    """One part of the app in one environment: `place` is where the file has it."""

    environment: Environment
    settings: Settings
    group: str
    name: str
    part: Part

    @property
    def place(self) -> tuple[str, ...]:
        return ("app", self.group, self.name)

    def says(self, *path: str) -> bool:
        return self.environment.says(*self.place, *path)

    def found(self, rule: str, level: Level, path: str, message: str, remedy: str, beside: str = "") -> Finding:
        """`path` and `beside` are keys of the part, dotted."""
        others = (self.environment.at(*self.place, *beside.split(".")),) if beside else ()
        where = self.environment.at(*self.place, *path.split("."))
        return self.environment.finding(rule, level, where, message, remedy, *others)


def check(project: Project) -> Iterator[Finding]:
    for environment, settings in project.settings():
        for seen in _parts(environment, settings):
            for rule in _OF_A_PART:
                yield from rule(seen)
        for of_all in (_unused_databases, _image_with_tag, _digest_in_sandbox, _routes):
            yield from of_all(environment, settings)


def _parts(environment: Environment, settings: Settings) -> Iterator[Seen]:
    for group in ("services", "workers", "jobs"):
        for name, part in getattr(settings.app, group).items():
            yield Seen(environment, settings, group, name, part)


def _one_port_twice(seen: Seen) -> Iterator[Finding]:
    part = seen.part
    if isinstance(part, ServiceSettings) and part.port == part.metrics_port:
        message = f"serves HTTP and its metrics at one port, {part.port}: two listeners cannot share it"
        yield seen.found("contradiction", Level.ERROR, "metrics_port", message, "give it another port", "port")


def _variables_of_ours(seen: Seen) -> Iterator[Finding]:
    """What turnout tells a part by itself, from the setting that is its one source."""
    for name, source in _told(seen.part).items():
        for place in (("app", "env", name), (*seen.place, "env", name)):
            if seen.environment.says(*place):
                message = f"says again, and over, what `{source}` of {seen.name} says: {name} is told from that"
                yield seen.environment.finding(
                    "contradiction",
                    Level.ERROR,
                    seen.environment.at(*place),
                    message,
                    "take the variable out",
                    seen.environment.at(*seen.place, *source.split(".")),
                )


def _told(part: Part) -> Mapping[str, str]:
    if isinstance(part, ServiceSettings):
        return {"HTTP_PORT": "port", "METRICS_PORT": "metrics_port", "DRAIN_SECONDS": "drain.longest_request"}
    if isinstance(part, WorkerSettings):
        return {"METRICS_PORT": "metrics_port", "DRAIN_SECONDS": "drain.longest_request"}
    return {}


def _variable_again(seen: Seen) -> Iterator[Finding]:
    for name, value in seen.part.env.items():
        if seen.settings.app.env.get(name) == value:
            remedy = "take it out here"
            yield seen.environment.finding(
                "needless",
                Level.WARNING,
                seen.environment.at(*seen.place, "env", name),
                "every part gets the same from `app.env`",
                remedy,
                seen.environment.at("app", "env", name),
            )


def _public_by_route(seen: Seen) -> Iterator[Finding]:
    if seen.says("route") and seen.says("public"):
        message = f"{WITHOUT_USE} beside `route`, which makes it public"
        yield seen.found("without-use", Level.WARNING, "public", message, "take it out", "route")


def _of_another_strategy(seen: Seen) -> Iterator[Finding]:
    part = seen.part
    if not isinstance(part, ServiceSettings):
        return
    used = {"rolling": {"soak"}, "blue-green": {"soak", "warm", "preview"}}
    for key in ("steps", "warm", "preview", "soak"):
        if seen.says("rollout", key) and key not in used.get(part.rollout.strategy, {key}):
            message = f"{WITHOUT_USE} with the strategy {part.rollout.strategy}"
            yield seen.found("without-use", Level.WARNING, f"rollout.{key}", message, "take it out", "rollout.strategy")


def _without_schedule(seen: Seen) -> Iterator[Finding]:
    if not isinstance(seen.part, JobSettings) or seen.part.schedule:
        return
    for key in ("time_zone", "overlap"):
        if seen.says(key):
            message = f"{WITHOUT_USE} in a job without a schedule"
            yield seen.found("without-use", Level.WARNING, key, message, "take it out, or give it a `schedule`")


def _unreached(seen: Seen) -> Iterator[Finding]:
    part = seen.part
    if not isinstance(part, ServiceSettings) or part.public or part.route:
        return
    if not any(seen.name in other.calls for other in seen.settings.app.parts.values()):
        message = "nobody may reach it: no part calls it, and it is not public"
        yield seen.found("without-use", Level.WARNING, "calls", message, "name it in its callers' `calls`, or drop it")


def _slower_than_rollout(seen: Seen) -> Iterator[Finding]:
    deadline = getattr(seen.part, "deadline", 0)
    outside = isinstance(seen.part, JobSettings) and seen.part.schedule is not None
    if not outside and deadline >= seen.settings.rollout.deadline:
        message = f"may take {deadline} s, and the whole rollout is taken back after {seen.settings.rollout.deadline} s"
        yield seen.environment.finding(
            "contradiction",
            Level.WARNING,
            seen.environment.at(*seen.place, "deadline"),
            message,
            "a later `rollout.deadline`, or a shorter one here",
            seen.environment.at("rollout", "deadline"),
        )


def _unused_databases(environment: Environment, settings: Settings) -> Iterator[Finding]:
    called = {name for part in settings.app.parts.values() for name in part.calls}
    for name in DATABASES:
        if getattr(settings, name).enabled and name not in called:
            message = f"nobody calls {name}, and it is kept running"
            remedy = f"switch it off (`turnout:{name}: {{enabled: false}}`), or name it in `calls`"
            yield environment.finding("without-use", Level.WARNING, environment.at(name), message, remedy)


def _image_with_tag(environment: Environment, settings: Settings) -> Iterator[Finding]:
    tag = settings.app.image.rpartition("/")[2].partition(":")[2]
    if tag:
        message = f"names a tag, {tag}, beside `version`, {settings.app.version}"
        where, other = environment.at("app", "image"), environment.at("app", "version")
        yield environment.finding("contradiction", Level.ERROR, where, message, "take the tag out", other)


def _digest_in_sandbox(environment: Environment, settings: Settings) -> Iterator[Finding]:
    if settings.cluster.sandbox and settings.app.digest:
        message = f"{WITHOUT_USE} in a sandbox, which runs the image that was built on this machine"
        where, other = environment.at("app", "digest"), environment.at("cluster", "sandbox")
        yield environment.finding("without-use", Level.WARNING, where, message, "take it out", other)


def _routes(environment: Environment, settings: Settings) -> Iterator[Finding]:
    taken: dict[tuple[Any, ...], str] = {}
    for name, service in settings.app.services.items():
        if service.route is None:
            continue
        for host in service.route.hostnames or ("*",):
            key = (service.route.namespace, service.route.gateway, host, service.route.path)
            if key in taken:
                message = f"takes {host}{service.route.path}, which {taken[key]} takes already"
                where = environment.at("app", "services", name, "route")
                other = environment.at("app", "services", taken[key], "route")
                yield environment.finding("contradiction", Level.ERROR, where, message, "give one another path", other)
            taken.setdefault(key, name)


_OF_A_PART: Final[tuple[Callable[[Seen], Iterator[Finding]], ...]] = (
    _one_port_twice,
    _variables_of_ours,
    _variable_again,
    _public_by_route,
    _of_another_strategy,
    _without_schedule,
    _unreached,
    _slower_than_rollout,
)
