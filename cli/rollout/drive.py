"""Drives a rollout: does its steps one after the other, from wherever it stands, and takes it back when it must."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cli.errors import Interrupted
from cli.rollout import identity, notify, releases, wording
from cli.rollout.attention import Attention, Detached, Failed
from cli.rollout.book import Release
from cli.rollout.control import Manifest, moment, stamp
from cli.rollout.doing import Doing
from cli.rollout.opened import Rollout
from cli.rollout.step import Step, Target
from cli.rollout.taking import taken_back
from cli.rollout.watcher import Watcher
from components.names import WORKLOAD
from components.tracks import TRACK_LABEL

if TYPE_CHECKING:
    from cli.rollout.probing import Probe
    from cli.rollout.releases import Attempt
    from cli.rollout.site import Site
    from infra.settings import Settings

LINGER: Final = 5.0
"""Seconds for which the probe still asks after the pause of pods that end: what they close then is met by it."""


@dataclass(frozen=True)
class Rolled:
    """A rollout as its driver leaves it. `release`: None where nothing was done; `waits`: for what, when not over.

    `seconds` are those of this process; `probe` counts what it sent.
    """

    release: Release | None
    changes: int
    seconds: float
    id: str = ""
    steps: int = 0
    waits: str = ""
    probe: dict[str, int] | None = None

    def to_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "release": self.release.number if self.release else None,
            "changes": self.changes,
            "seconds": round(self.seconds, 3),
        }
        more = {"rollout": self.id, "steps": self.steps, "waits": self.waits, "probe": self.probe}
        return shown | {name: value for name, value in more.items() if value}


def drive(site: Site, rollout: Rollout, what: str, *, probe: Probe | None = None, detach: bool = False) -> Rolled:
    """Do what is left of an open rollout. `what`: the command, for the audit trail.

    Raises RolledBack (exit 6) or RollbackFailed (exit 7) when it failed, Locked when it is no longer ours, Interrupted.
    """
    began = time.monotonic()
    try:
        done = _attempted(site, rollout, what, probe, detach)
    except Failed as failure:
        raise taken_back(site, rollout, failure) from failure
    return replace(done, seconds=time.monotonic() - began, probe=probe.counts if probe else None)


def _attempted(site: Site, rollout: Rollout, what: str, probe: Probe | None, detach: bool) -> Rolled:
    with (
        releases.attempt(
            site.kube, site.environment, kind="rollout", reason=rollout.reason, root=site.engine.root, what=what
        ) as attempt,
        _told(site, rollout, attempt),
    ):
        driver = _Driver(site, rollout, attempt, probe, detach)
        try:
            driver.run()
        except Detached:
            attempt.outcome = f"waits for {driver.waits}"
            return Rolled(None, driver.changes, 0.0, rollout.id, len(rollout.course), driver.waits)
        return Rolled(attempt.release, driver.changes, 0.0, rollout.id, len(rollout.course))


@contextmanager
def _told(site: Site, rollout: Rollout, attempt: Attempt) -> Iterator[None]:
    """However it ends, the rollout and the audit trail say so."""
    try:
        yield
    except Failed as failure:
        attempt.failed(failure.cause)
        raise
    except (KeyboardInterrupt, Interrupted) as stopped:
        site.change(rollout.id, lambda now: now.said(f"the driver on {site.held.claim.identity} was interrupted"))
        raise Interrupted(
            f"the rollout of {site.environment} was interrupted: it stays where it is",
            why="traffic goes on as it does now; nobody moves it",
            next=f"turnout rollout resume {site.environment}, or go back: turnout rollout abort {site.environment}",
        ) from stopped


class _Driver:
    def __init__(self, site: Site, rollout: Rollout, attempt: Attempt, probe: Probe | None, detach: bool) -> None:
        self._site, self._rollout, self._attempt = site, rollout, attempt
        self._watcher = Watcher(site.kube, site.environment, site.held, ours=_of_new_tracks(rollout))
        self._attention = Attention(
            site, self._watcher, probe, id=rollout.id, until=time.monotonic() + left(site, rollout), detach=detach
        )
        self._doing = Doing(site, rollout, self._attention, self._watcher, self._number)

    @property
    def changes(self) -> int:
        return self._doing.changes

    @property
    def waits(self) -> str:
        return self._attention.waits

    def run(self) -> None:
        with self._watcher:
            for at in range(self._rollout.at, len(self._rollout.course)):
                self._attention.rest()
                self._step(at, self._rollout.course[at])
        if self._attempt.release is None:
            self._attempt.succeeded(None)
        self._site.change(self._rollout.id, lambda now: now.said("done").ended("done"))
        notify.send(self._site.kube, self._site.environment, "end", f"the rollout of {self._site.environment} is done")

    def _step(self, at: int, step: Step) -> None:
        self._site.change(self._rollout.id, lambda now: _at(now, at, wording.said(step)))
        self._site.held.phase(wording.said(step))
        self._attention.at = at
        self._doing.do(step)
        if at + 1 == len(self._rollout.course):
            self._attention.see_out(lingering(self._site.settings, self._rollout.to))
        self._site.change(self._rollout.id, lambda now: replace(now, at=at + 1))

    def _number(self, record: str | None) -> None:
        """The release serves and is recorded: it gets its number."""
        self._attempt.succeeded(record)
        releases.prune(self._site.kube, self._site.environment)


def left(site: Site, rollout: Rollout) -> float:
    """Seconds until the deadline of the whole rollout, by the API server's clock, which also wrote when it began."""
    now = moment(identity.server_time(site.kube))
    return site.settings.rollout.deadline - (now - moment(rollout.began)).total_seconds()


def lingering(settings: Settings, moved: Iterable[Target]) -> float:
    """Seconds after the last step in which a request may still meet a pod that ends."""
    services = settings.app.services
    return LINGER + max((services[target.service].drain.pause for target in moved), default=0)


def _at(now: Rollout, at: int, text: str) -> Rollout:
    return replace(now, at=at, since=stamp(), status="running", waits="").said(text)


def _of_new_tracks(rollout: Rollout) -> Any:
    tracks = {(target.service, target.new) for target in rollout.to if target.strategy != "rolling"}

    def known(pod: Manifest) -> bool:
        labels = pod["metadata"].get("labels") or {}
        return (labels.get(WORKLOAD), labels.get(TRACK_LABEL)) in tracks

    return known
