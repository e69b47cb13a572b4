"""The rollout that is open, or the last one: ConfigMap `rollout` in the control namespace, readable by any machine.

Who drives it writes where it stands; anybody else may only ask (`asked`): pause, go on, advance.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from cli.errors import Locked, UsageError
from cli.kube.errors import AlreadyExists, Conflict
from cli.rollout import releases, storing
from cli.rollout.control import Manifest, namespace, stamp
from cli.rollout.step import Step, Target
from components.names import ROLLOUT

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.rollout.book import Open

NAME: Final = ROLLOUT
EVENTS: Final = 50
NO_STEP: Final = -1

Status = Literal["running", "paused", "waiting", "failed", "done", "aborted"]

_TEXTS = ("id", "starter", "host", "began", "reason", "git", "record", "status", "waits", "cause", "since")


@dataclass(frozen=True)
class Event:
    """Something that happened, for people."""

    at: str
    text: str


@dataclass(frozen=True)
class Asked:
    """What somebody wants of whoever drives. `step`: the index of the watch that an advance is to end, or NO_STEP."""

    what: Literal["pause", "resume", "advance"]
    who: str
    step: int = NO_STEP


@dataclass(frozen=True)
class Rollout:
    """A rollout as it stands. `at`: the index of the step under way, which began at `since`; `answers`: the gates'
    last ones for a step, by its index, as `answered` keeps them.

    `starter` is the API server's name for who began it; `record` names the release that served at the beginning. A
    `failed` one was taken back when it is no longer open; one that is open could not be.
    """

    id: str
    starter: str = ""
    host: str = ""
    began: str = ""
    reason: str = ""
    git: str = ""
    record: str = ""
    status: Status = "running"
    waits: str = ""
    cause: str = ""
    since: str = ""
    at: int = 0
    to: tuple[Target, ...] = ()
    course: tuple[Step, ...] = ()
    events: tuple[Event, ...] = ()
    answers: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    """How it was started: `probe`, `probe_url`, `settings` (their digest), and its `irreversible` jobs."""
    asked: Asked | None = None
    open: bool = True
    source: Manifest | None = field(default=None, compare=False, repr=False)

    @property
    def step(self) -> Step | None:
        """The step under way; None when all are done."""
        return self.course[self.at] if self.at < len(self.course) else None

    @property
    def soaks(self) -> bool:
        """Whether the step under way is a watch, and goes on."""
        return self.status == "running" and self.step is not None and self.step.does == "watch"

    @property
    def brought(self) -> Step | None:
        """The step that brought the stage under way; None before the first one, and from the whole apply on."""
        applied = [step for step in self.course[: self.at + 1] if step.does in ("bring", "record")]
        return applied[-1] if applied and applied[-1].does == "bring" else None

    @property
    def irreversible(self) -> tuple[Mapping[str, str], ...]:
        """Jobs that may have begun and cannot be undone: the first stage runs those before a release, the whole apply
        all of them."""
        reached = {step.does for step in self.course[: self.at + 1]} if self.since else set()
        begun = {"before": reached & {"bring", "record"}, "after": reached & {"record"}}
        return tuple(job for job in self.options.get("irreversible") or () if begun[job["when"]])

    def target(self, service: str) -> Target:
        return next(one for one in self.to if one.service == service)

    def said(self, text: str) -> Rollout:
        """With one more event; the oldest beyond what is kept are dropped."""
        return replace(self, events=(*self.events, Event(stamp(), text))[-EVENTS:])

    def ended(self, status: Status, cause: str = "") -> Rollout:
        return replace(self, status=status, cause=cause or self.cause, waits="", asked=None, open=False)


def read(kube: Kube, environment: str) -> Rollout | None:
    """The rollout that is open, or the last one; None when there never was one."""
    return decode(kube.find("v1", "ConfigMap", NAME, namespace(environment)))


def under_way(kube: Kube, environment: str) -> Rollout | None:
    """The rollout that is open."""
    found = read(kube, environment)
    return found if found is not None and found.open else None


def begin(kube: Kube, environment: str, rollout: Rollout) -> Rollout:
    """Write a new rollout in place of the last one. Raises Locked when one is open."""
    found = read(kube, environment)
    if found is not None and found.open:
        raise is_open(kube, environment, found)
    manifest = encode(replace(rollout, source=found.source if found else None), environment)
    try:
        return _decoded(storing.store(kube, environment, manifest))
    except (Conflict, AlreadyExists) as error:
        raise Locked(
            f"somebody else just began a rollout of {environment}", next=f"turnout rollout status {environment}"
        ) from error


def change(
    kube: Kube,
    environment: str,
    id: str,
    edit: Callable[[Rollout], Rollout],
    *,
    check: Callable[[], None] = lambda: None,
) -> Rollout:
    """Rewrite the rollout `id` while it is open; done again from the newest state when somebody else was faster.

    `check` is called before each write and may raise. Raises Locked when that rollout is over or replaced.
    """

    def attempt() -> Rollout:
        found = read(kube, environment)
        if found is None or found.id != id or not found.open:
            raise Locked(f"rollout {id} of {environment} is over", next=f"turnout rollout status {environment}")
        wanted = edit(found)
        if wanted == found:
            return found
        check()
        return _decoded(storing.store(kube, environment, encode(wanted, environment)))

    return storing.insist(attempt, f"the rollout of {environment}", f"turnout rollout status {environment}")


def goes_back(found: Rollout, change: Open | None) -> bool:
    """Whether somebody began to take the open rollout back. `change`: what is open in the book.

    The cursor then describes the old tracks: whoever went on would write the new release onto them.
    """
    return bool(found.cause) or found.status == "failed" or (change is not None and change.kind == "rollback")


def must_go_on(kube: Kube, environment: str, found: Rollout) -> None:
    """Raises UsageError for a rollout that is on its way back, to be ended and not to be gone on with."""
    change = releases.load(kube, environment).open
    if goes_back(found, change):
        raise UsageError(
            f"the rollout of {environment} is being taken back: nobody goes on with it",
            why=found.cause or (f"{change.who} began a rollback at {change.at[:19]}Z" if change else ""),
            next=f"turnout rollback {environment}",
        )


def is_open(kube: Kube, environment: str, found: Rollout) -> Locked:
    """The refusal of whatever must not happen during a rollout."""
    where = f"step {found.at + 1} of {len(found.course)}"
    why = f"{found.starter} began it at {found.began[:19]}Z; it is {found.status} at {where}"
    ways = f"turnout rollout resume {environment}, or go back: turnout rollout abort {environment}"
    if goes_back(found, releases.load(kube, environment).open):
        why, ways = f"{why} and is being taken back", f"turnout rollback {environment}"
    elif found.waits:
        why = f"{why} and waits for {found.waits}"
    return Locked(f"a rollout of {environment} is open", why=why, next=ways)


def decode(source: Manifest | None) -> Rollout | None:
    """The rollout in its ConfigMap."""
    data = (source or {}).get("data") or {}
    if not data.get("id"):
        return None
    asked = json.loads(data.get("asked") or "null")
    return Rollout(
        **{name: data[name] for name in _TEXTS if name in data},
        at=int(data.get("at", "0")),
        to=tuple(map(Target.from_json, _list(data, "to"))),
        course=tuple(map(Step.from_json, _list(data, "course"))),
        events=tuple(Event(**row) for row in _list(data, "events")),
        answers=json.loads(data.get("answers") or "{}"),
        options=json.loads(data.get("options") or "{}"),
        asked=Asked(**asked) if asked else None,
        open=data.get("open") == "true",
        source=source,
    )


def encode(rollout: Rollout, environment: str) -> Manifest:
    """The ConfigMap of a rollout; it carries the resourceVersion that it was read at."""
    data = {name: getattr(rollout, name) for name in _TEXTS} | {
        "at": str(rollout.at),
        "to": _text([one.to_json() for one in rollout.to]),
        "course": _text([step.to_json() for step in rollout.course]),
        "events": _text([asdict(event) for event in rollout.events]),
        "answers": _text(rollout.answers),
        "options": _text(rollout.options),
        "asked": _text(asdict(rollout.asked)) if rollout.asked else "",
        "open": "true" if rollout.open else "",
    }
    return storing.config_map(environment, NAME, {name: text for name, text in data.items() if text}, rollout.source)


def _decoded(source: Manifest) -> Rollout:
    found = decode(source)
    assert found is not None
    return found


def _list(data: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(data.get(name) or "[]")
    return found


def _text(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"))
