"""The traps that stand in the settings themselves, each a rule of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.app.settings import Running, ServiceSettings
from infra.model import Settings
from infra.traps.trap import Trap

GATEWAY_PAUSE: Final = 3
"""Seconds that a gateway near its pods needs to forget one; Traefik looks every two. Cloud load balancers need more."""


@dataclass(frozen=True)
class Part:
    """A service or a worker: its place in the settings, what it says with all defaults, and what the file says."""

    place: str
    settings: Running
    written: Mapping[str, Any]

    def trap(self, name: str, key: str, why: str, fix: str) -> Trap:
        return Trap(name, f"{self.place}.{key}", why, fix)


def of_settings(settings: Settings, written: Mapping[str, Any] | None = None) -> list[Trap]:
    """The traps of one environment. `written`: the sections as the file has them, without defaults."""
    app = (written or {}).get("app") or {}
    parts = [*_parts("services", settings.app.services, app), *_parts("workers", settings.app.workers, app)]
    found = [trap for part in parts for rule in _OF_A_PART for trap in rule(part, settings)]
    return [*found, *_jobs(settings), *_blind_gates(settings)]


def _parts(group: str, parts: Mapping[str, Running], app: Mapping[str, Any]) -> Iterator[Part]:
    written = app.get(group) or {}
    for name, part in parts.items():
        yield Part(f"app.{group}.{name}", part, written.get(name) or {})


def _one_copy(part: Part, _: Settings) -> Iterator[Trap]:
    if isinstance(part.settings, ServiceSettings) and _copies(part.settings) < 2:
        key = "autoscale.minimum" if part.settings.autoscale else "replicas"
        why = "a single copy is gone while its node drains, and no disruption budget can keep it"
        yield part.trap("single-copy", key, why, "have two or more")


def _counted_twice(part: Part, _: Settings) -> Iterator[Trap]:
    if part.written.get("autoscale") and "replicas" in part.written:
        why = "counts for nothing beside `autoscale`; as the Deployment's count it would fight the autoscaler"
        yield part.trap("replicas-with-autoscale", "replicas", why, "take `replicas` out")


def _no_pause(part: Part, _: Settings) -> Iterator[Trap]:
    if isinstance(part.settings, ServiceSettings) and part.settings.drain.pause == 0:
        why = "a pod's address is forgotten while it ends, not before: new and kept-alive connections still reach it"
        yield part.trap("no-pause", "drain.pause", why, "5 or more seconds")


def _gateway_pause(part: Part, _: Settings) -> Iterator[Trap]:
    service = part.settings
    if isinstance(service, ServiceSettings) and service.route and 0 < service.drain.pause < GATEWAY_PAUSE:
        why = "a gateway hears of an ending pod later than the cluster does, and still sends requests to it"
        yield part.trap("pause-under-gateway", "drain.pause", why, f"{GATEWAY_PAUSE} or more seconds behind a route")


def _no_time_to_finish(part: Part, _: Settings) -> Iterator[Trap]:
    if part.settings.drain.longest_request == 0:
        why = "what is under way when a pod ends is cut off"
        yield part.trap("no-time-to-finish", "drain.longest_request", why, "as many seconds as the longest one takes")


def _probed_too_seldom(part: Part, _: Settings) -> Iterator[Trap]:
    service = part.settings
    if isinstance(service, ServiceSettings) and 0 < service.drain.pause < service.ready_every:
        why = "readiness is asked less often than a pod's pause is long: whoever goes by it learns too late of an end"
        yield part.trap("probe-longer-than-pause", "ready_every", why, f"at most {service.drain.pause}, the pause")


def _settles_unseen(part: Part, _: Settings) -> Iterator[Trap]:
    if part.settings.settle < part.settings.ready_every:
        why = "a new pod counts before it was asked a second time whether it is ready"
        yield part.trap("settle-under-probe", "settle", why, f"at least {part.settings.ready_every}, as `ready_every`")


def _same_probe(part: Part, _: Settings) -> Iterator[Trap]:
    if part.settings.ready == part.settings.alive:
        why = "a pod that should only get no traffic for a while is killed instead"
        yield part.trap("ready-is-alive", "ready", why, "another path than `alive`")


def _slow_is_failed(part: Part, _: Settings) -> Iterator[Trap]:
    slowest = part.settings.slow_start + part.settings.settle
    if part.settings.deadline <= slowest:
        why = f"a pod may take {slowest} s until it counts, and the rollout is taken for failed before that"
        yield part.trap("deadline-under-start", "deadline", why, f"more than {slowest}, `slow_start` and `settle`")


def _rounded_canary(part: Part, _: Settings) -> Iterator[Trap]:
    service = part.settings
    if not isinstance(service, ServiceSettings) or service.rollout.strategy != "canary" or service.route:
        return
    copies, least = _copies(service), min(service.rollout.steps)
    if (copies + 1) * least < 100:
        needed = -(-100 // least) - 1
        why = f"one new copy beside {copies} gets {round(100 / (copies + 1))} % of the traffic, not {least} %"
        yield part.trap("canary-rounded", "rollout.steps", why, f"{needed} or more copies, larger steps, or a `route`")


def _cools_too_soon(part: Part, _: Settings) -> Iterator[Trap]:
    if not isinstance(part.settings, ServiceSettings) or not part.settings.rollout.two_tracks:
        return
    drain = part.settings.drain.pause + part.settings.drain.longest_request
    if part.settings.rollout.warm < drain:
        why = f"the old track ends while its requests, up to {drain} s, still run, and no way back is instant"
        yield part.trap("warm-under-drain", "rollout.warm", why, f"{drain} or more")


def _unwatched(part: Part, settings: Settings) -> Iterator[Trap]:
    service = part.settings
    if not isinstance(service, ServiceSettings) or not service.rollout.two_tracks:
        return
    if service.rollout.soak < settings.rollout.interval:
        why = f"a step is over before its gates are asked once, every {settings.rollout.interval} s"
        yield part.trap("soak-under-interval", "rollout.soak", why, f"at least {settings.rollout.interval}")


def _never_ends(part: Part, settings: Settings) -> Iterator[Trap]:
    service = part.settings
    if not isinstance(service, ServiceSettings) or not service.rollout.two_tracks:
        return
    steps = len(service.rollout.steps) + 1 if service.rollout.strategy == "canary" else 1
    if (needed := steps * service.rollout.soak) >= settings.rollout.deadline:
        why = f"its steps alone are watched for {needed} s, and turnout:rollout.deadline is {settings.rollout.deadline}"
        yield part.trap("deadline-under-soak", "rollout.soak", why, "shorter, or a later deadline")


def _jobs(settings: Settings) -> Iterator[Trap]:
    for name, job in settings.app.jobs.items():
        if not job.reversible and job.schedule is None:
            why = "once it ran, the release before meets what it changed, and the way back is not safe"
            fix = "expand first and contract in a later release; then it is reversible"
            yield Trap("irreversible-job", f"app.jobs.{name}.reversible", why, fix)


def _blind_gates(settings: Settings) -> Iterator[Trap]:
    if settings.tier == "prod" and settings.rollout.no_data == "go-on":
        why = "a gate that cannot be asked lets a release through"
        yield Trap("blind-gates", "rollout.no_data", why, "`pause` or `fail`")


def _copies(part: Running) -> int:
    return part.autoscale.minimum if part.autoscale else part.replicas


_OF_A_PART: Final[tuple[Callable[[Part, Settings], Iterator[Trap]], ...]] = (
    _one_copy,
    _counted_twice,
    _no_pause,
    _gateway_pause,
    _no_time_to_finish,
    _probed_too_seldom,
    _settles_unseen,
    _same_probe,
    _slow_is_failed,
    _rounded_canary,
    _cools_too_soon,
    _unwatched,
    _never_ends,
)
