"""Drift as one typed model: what in the cluster is no longer as it was last applied, who changed it and when. Pure.

Values are plain JSON data, as in `cli.engine.model`: a secret is always `SECRET`, a field that is not there `ABSENT`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cli.engine.model import ABSENT

SCHEMA = 1


class What(StrEnum):
    """What happened to a field."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    TAKEN = "taken over"
    """As it was applied, but somebody else's by now: the next apply does not put it right by itself."""


class Fate(StrEnum):
    """What happened to an object. `remade`: deleted and made again by somebody else."""

    CHANGED = "changed"
    DELETED = "deleted"
    REMADE = "remade"


@dataclass(frozen=True)
class Author:
    """A field manager. `at`: when it last wrote any of what it owns (RFC 3339), as the API server stamped it."""

    manager: str
    at: str = ""
    word: str = ""
    """What people call it; empty for a manager that is not known."""

    def __str__(self) -> str:
        return f"{self.word} ({self.manager})" if self.word else self.manager

    def to_json(self) -> dict[str, str]:
        return {"manager": self.manager, "at": self.at, "word": self.word}


@dataclass(frozen=True)
class Field:
    """One field. `declared`: as it was last applied, `live`: as it is; `by`: who owns it now, if anybody.

    Not `sure`: nobody owns it any more, so `by` is whoever else wrote to the object last.
    """

    path: str
    what: What
    declared: Any = ABSENT
    live: Any = ABSENT
    by: tuple[Author, ...] = ()
    sure: bool = True
    secret: bool = False
    ignored: str = ""
    """By whom, why and until when it is passed over."""
    steps: tuple[Any, ...] = field(default=(), compare=False, repr=False)
    """The path as `cli.drift.managed` walks it."""

    def to_json(self) -> dict[str, Any]:
        sides = {"declared": self.declared, "live": self.live}
        return {
            "path": self.path,
            "what": self.what.value,
            **{side: value for side, value in sides.items() if value is not ABSENT},
            "by": [author.to_json() for author in self.by],
            "sure": self.sure,
            "secret": self.secret,
            "ignored": self.ignored,
        }


@dataclass(frozen=True)
class Place:
    """Which object."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def address(self) -> str:
        """`Deployment/dev/api-a`, as commands take it."""
        return "/".join(filter(None, (self.kind, self.namespace, self.name)))

    def __str__(self) -> str:
        return f"{self.kind} {'/'.join(filter(None, (self.namespace, self.name)))}"

    def to_json(self) -> dict[str, str]:
        return {"api_version": self.api_version, "kind": self.kind, "namespace": self.namespace, "name": self.name}


@dataclass(frozen=True)
class Drifted:
    """One declared object that differs. `fields` are drift; `beside` is there, but changes nothing that was declared.

    `component`: the names of the components around it, outermost first, joined by `/`.
    """

    place: Place
    urn: str
    component: str
    fate: Fate = Fate.CHANGED
    fields: tuple[Field, ...] = ()
    beside: tuple[Field, ...] = ()
    by: tuple[Author, ...] = ()
    """Who made it again; nobody can be named for an object that is gone."""
    ignored: str = ""
    """Why the whole object is passed over."""

    @property
    def counts(self) -> bool:
        """Whether it is drift that nobody chose to pass over."""
        if self.ignored:
            return False
        return self.fate is not Fate.CHANGED or any(not one.ignored for one in self.fields)

    def to_json(self) -> dict[str, Any]:
        return {
            "object": self.place.to_json(),
            "address": self.place.address,
            "urn": self.urn,
            "component": self.component,
            "what": self.fate.value,
            "drift": self.counts,
            "by": [author.to_json() for author in self.by],
            "ignored": self.ignored,
            "fields": [one.to_json() for one in self.fields],
            "beside": [one.to_json() for one in self.beside],
        }


@dataclass(frozen=True)
class Stranger:
    """An object in one of the environment's namespaces that nobody declared. `at`: when it was made (RFC 3339)."""

    place: Place
    by: tuple[Author, ...] = ()
    at: str = ""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "object": self.place.to_json(),
            "by": [author.to_json() for author in self.by],
            "at": self.at,
            "note": self.note,
        }


@dataclass(frozen=True)
class Report:
    """What was found in one environment. `looked`: how many declared objects were compared; `seconds`: all of it.

    `missed`: how many were not, though every role that runs `turnout drift` may read them.
    """

    environment: str
    objects: tuple[Drifted, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    notes: tuple[str, ...] = ()
    looked: int = 0
    seconds: float = 0.0
    missed: int = 0

    @property
    def drifted(self) -> tuple[Drifted, ...]:
        """The objects whose drift counts."""
        return tuple(one for one in self.objects if one.counts)

    @property
    def unknown(self) -> bool:
        """Whether it cannot be told: no drift was found, and not everything was looked at."""
        return bool(self.missed) and not self.drifted

    @property
    def summary(self) -> str:
        """`2 of 55 objects were changed by others`"""
        count = len(self.drifted)
        if self.unknown:
            few = "1 object" if self.missed == 1 else f"{self.missed} objects"
            return f"not known whether there is drift: {few} could not be read; none in {self.looked} others"
        if not count:
            return f"no drift in {self.looked} objects"
        return f"{count} of {self.looked} objects {'was' if count == 1 else 'were'} changed by others"

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "kind": "drift",
            "environment": self.environment,
            "drift": bool(self.drifted),
            "count": len(self.drifted),
            "looked": self.looked,
            "missed": self.missed,
            "objects": [one.to_json() for one in self.objects],
            "unmanaged": [one.to_json() for one in self.strangers],
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }
