"""Which track of each service serves, which one the settings describe, and an epoch that grows with each move.

ConfigMap `cursor` in the control namespace: flat keys (`api.serving`, `api.described`, `api.epoch`, and `api.template`
while a rollout is open), so that an admission policy can read them. A service without keys has one track, `a`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from cli.errors import TurnoutError
from cli.rollout import storing
from cli.rollout.control import Manifest, namespace
from components.names import CURSOR
from components.tracks import FIRST, LETTERS, Letter, Tracks, other

if TYPE_CHECKING:
    from cli.kube.client import Kube

NAME: Final = CURSOR
_ONLY = ".template"


@dataclass(frozen=True)
class Place:
    """Where one service stands. `template`: the only one that may be written to the described track now; empty: any.

    `two`: it has ever needed two tracks, and keeps both.
    """

    serving: Letter = FIRST
    described: Letter = FIRST
    epoch: int = 0
    template: str = ""
    two: bool = False

    @property
    def other(self) -> Letter:
        """The track that does not serve."""
        return other(self.serving)


@dataclass(frozen=True)
class Cursor:
    """Every service that has two tracks, by name.

    `locks`: of services with one track that a rollout is about, the only template that may be written to it now.
    """

    places: Mapping[str, Place] = field(default_factory=dict)
    source: Manifest | None = field(default=None, compare=False, repr=False)
    locks: Mapping[str, str] = field(default_factory=dict)

    def of(self, service: str) -> Place:
        return self.places.get(service, Place())

    def describing(self, service: str, letter: Letter, template: str = "") -> Cursor:
        """The settings speak of that track; the epoch grows when that is news."""
        place = self.of(service)
        epoch = place.epoch + (place.described != letter)
        return self.at(service, replace(place, described=letter, epoch=epoch, template=template, two=True))

    def serving(self, service: str, letter: Letter) -> Cursor:
        return self.at(service, replace(self.of(service), serving=letter, two=True))

    def allowing(self, service: str, template: str = "") -> Cursor:
        """Only that template may be written to the described track; empty: any may."""
        return self.at(service, replace(self.of(service), template=template))

    def locking(self, service: str, template: str = "") -> Cursor:
        """Only that template may be written to the one track that the service has; empty: any may."""
        others = {name: only for name, only in self.locks.items() if name != service}
        return replace(self, locks={**others, **({service: template} if template else {})})

    def unlocked(self) -> Cursor:
        """Any template may be written to a service with one track."""
        return replace(self, locks={})

    def to_program(self, held: Iterable[str] = (), trying: Iterable[str] = ()) -> dict[str, Tracks]:
        """What the program is told: where the tracks are, and which parts of the app stay as they are.

        `trying`: whom a rollout is bringing; until it ends with nobody here, the release is neither recorded nor over.
        """
        staying, moving = set(held), set(trying)
        names = [*self.places, *sorted((staying | moving) - set(self.places))]
        return {name: _told(self.of(name), name in staying, name in moving) for name in names}

    def at(self, service: str, place: Place) -> Cursor:
        """The service's tracks are as `place` says."""
        return replace(self, places={**self.places, service: place})


def read(kube: Kube, environment: str) -> Cursor:
    """The cursor as it stands; an empty one when no service ever had two tracks."""
    return decode(kube.find("v1", "ConfigMap", NAME, namespace(environment)))


def change(
    kube: Kube, environment: str, edit: Callable[[Cursor], Cursor], *, check: Callable[[], None] = lambda: None
) -> Cursor:
    """Rewrite the cursor; done again from the newest state when somebody else was faster.

    `check` is called before each write and may raise: an old driver that wakes up must change nothing.
    """

    def attempt() -> Cursor:
        found = read(kube, environment)
        wanted = edit(found)
        if wanted == found:
            return found
        check()
        return decode(storing.store(kube, environment, encode(wanted, environment)))

    return storing.insist(attempt, f"the cursor of {environment}", f"turnout rollout status {environment}")


def decode(source: Manifest | None) -> Cursor:
    """The cursor in its ConfigMap."""
    data = (source or {}).get("data") or {}
    services = sorted({key.rpartition(".")[0] for key in data if key.endswith(".serving")})
    locks = {key.rpartition(".")[0]: only for key, only in sorted(data.items()) if key.endswith(_ONLY)}
    return Cursor(
        {service: _place(service, data) for service in services},
        source,
        {service: only for service, only in locks.items() if service not in services},
    )


def encode(cursor: Cursor, environment: str) -> Manifest:
    """The ConfigMap of a cursor; it carries the resourceVersion that the cursor was read at."""
    places = {service: place for service, place in sorted(cursor.places.items()) if place.two}
    locks = {f"{service}{_ONLY}": only for service, only in sorted(cursor.locks.items()) if service not in places}
    data = locks | dict(row for service, place in places.items() for row in _rows(service, place))
    return storing.config_map(environment, NAME, data, cursor.source)


def _told(place: Place, held: bool, trying: bool) -> Tracks:
    return Tracks(described=place.described, epoch=place.epoch, two=place.two, held=held, trying=trying)


def _place(service: str, data: Mapping[str, str]) -> Place:
    return Place(
        serving=_letter(data[f"{service}.serving"]),
        described=_letter(data.get(f"{service}.described", FIRST)),
        epoch=int(data.get(f"{service}.epoch", "0")),
        template=data.get(f"{service}{_ONLY}", ""),
        two=True,
    )


def _rows(service: str, place: Place) -> Iterator[tuple[str, str]]:
    yield f"{service}.serving", place.serving
    yield f"{service}.described", place.described
    yield f"{service}.epoch", str(place.epoch)
    if place.template:
        yield f"{service}{_ONLY}", place.template


def _letter(text: str) -> Letter:
    if text not in LETTERS:
        raise TurnoutError(f"the cursor names a track {text!r}", why="tracks are a and b", next="put the key right")
    return text
