"""Looks for drift: the state's objects against the live ones, without the engine and without the program."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.drift import comparing, declared, passing, reading, settings, strangers
from cli.drift.declared import Declared
from cli.drift.model import Drifted, Place, Report
from cli.errors import TurnoutError

if TYPE_CHECKING:
    from cli.drift.reading import Seen
    from cli.kube.client import Kube
    from infra.review import IgnoredDrift

JSON = dict[str, Any]


def look(
    kube: Kube, root: Path, environment: str, ignores: Mapping[str, IgnoredDrift] | None = None
) -> tuple[Report, Looked]:
    """What differs now. `ignores`: what is passed over, where the caller has read that already.

    Raises StackMissing where nothing was ever applied, KubeError, StateUnreadable, UsageError.
    """
    began = time.monotonic()
    passes = settings.read(root, environment) if ignores is None else ignores
    state, notes = _settled(kube, environment, state_of(root, environment))
    wanted = declared.of_deployment(state["deployment"])
    seen = reading.read(kube, wanted)
    opener = Opener(root, state["deployment"])
    found = compared(wanted, seen, opener)
    report = Report(
        environment,
        found,
        strangers.strangers(_inside(seen, wanted), wanted),
        (*notes, *_unread(seen), *opener.notes),
        sum(1 for one in wanted if seen.knows(one.place)),
        time.monotonic() - began,
        len(missed(wanted, seen, environment)),
    )
    today = datetime.now(UTC).date()
    return passing.passed(report, passes, today), Looked(wanted, seen, opener)


class Looked:
    """What a report was made of, for whoever acts on it."""

    def __init__(self, wanted: Sequence[Declared], seen: Seen, opener: Opener) -> None:
        self.seen, self._opener = seen, opener
        self._by_urn = {one.urn: one for one in wanted}

    def as_applied(self, drifted: Drifted) -> Declared:
        """The object as it was asked for, its secrets closed."""
        return self._by_urn[drifted.urn]

    def declared(self, drifted: Drifted) -> Declared:
        """The object as it was asked for, its secrets open. Raises WrongPassphrase, NoPassphrase."""
        one = self._by_urn[drifted.urn]
        return one.opened(self._opener.must_open) if one.sealed else one


def compared(wanted: Iterable[Declared], seen: Seen, opener: Opener) -> tuple[Drifted, ...]:
    """The objects that differ, by component and address; those that could not be read left out."""
    scaled = seen.scaled
    known = [one for one in wanted if seen.knows(one.place)]
    found = [_one(one, seen, opener, scaled) for one in known]
    return tuple(sorted((one for one in found if one), key=lambda one: (one.component, one.place.address)))


def missed(wanted: Iterable[Declared], seen: Seen, environment: str) -> list[Place]:
    """What could not be read though every role that runs `turnout drift` may: a viewer reads no Secrets."""
    from cli.kube import kinds
    from cli.rollout import rights

    def expected(place: Place) -> bool:
        group, _ = kinds.split(place.api_version)
        return rights.belongs("drift", environment, (place.namespace, group, kinds.plural(place.kind), "list"))

    return [one.place for one in wanted if not seen.knows(one.place) and expected(one.place)]


def state_of(root: Path, environment: str) -> JSON:
    """The state as an export has it. Raises StackMissing, StateUnreadable."""
    from cli.engine import environ
    from cli.engine.failures import StackMissing
    from cli.engine.store import place as places

    where = places.self_managed(root, environment, environ.variables(root, dict(os.environ)))
    if where is None:
        return _exported(root, environment)
    _, data = where.read_current()
    found = where.examine(data, secrets=False)
    if not found.whole:
        return _exported(root, environment)
    if not found.deployment:
        raise StackMissing(f"nothing was applied to {environment} yet", next=f"turnout up {environment}")
    return {"version": found.version, "deployment": dict(found.deployment)}


class Opener:
    """Opens the secrets of a state, once somebody asks: deriving the key takes some tenths of a second."""

    def __init__(self, root: Path, deployment: JSON) -> None:
        self._root, self._deployment = root, deployment
        self._open: Callable[[str], Any] | None = None
        self._why = ""

    def must_open(self, ciphertext: str) -> Any:
        """The plain value. Raises NoPassphrase, WrongPassphrase, TurnoutError where a cloud keeps the key."""
        if self._open is None:
            self._open = self._opener()
        return self._open(ciphertext)

    def opened(self, one: Declared) -> Declared:
        """The object with its secrets open; as it is where they cannot be opened."""
        if self._why:
            return one
        try:
            return one.opened(self.must_open)
        except (TurnoutError, ValueError) as error:
            self._why = error.what if isinstance(error, TurnoutError) else "they are damaged"
            return one

    @property
    def notes(self) -> tuple[str, ...]:
        told = f"secrets are compared by who wrote them last: {self._why}"
        return (told,) if self._why else ()

    def _opener(self) -> Callable[[str], Any]:
        from cli.engine import environ
        from cli.engine.secrets import Crypter, passphrase

        provider = self._deployment.get("secrets_providers") or {}
        if provider.get("type") != "passphrase":
            raise TurnoutError("the key of the state's secrets is kept elsewhere", next="set the values right by hand")
        words = passphrase(self._root, environ.variables(self._root, dict(os.environ)))
        crypter = Crypter(provider["state"]["salt"], words)
        return lambda ciphertext: json.loads(crypter.decrypt(ciphertext))


def _one(one: Declared, seen: Seen, opener: Opener, scaled: frozenset[tuple[str, str, str]]) -> Drifted | None:
    live = seen.find(one.place)
    if live is not None and one.sealed and not comparing.untouched(one, live):
        one = opener.opened(one)
    key = (one.place.kind, one.place.namespace, one.place.name)
    return comparing.compare(one, live, scaled=key in scaled)


def _settled(kube: Kube, environment: str, state: JSON) -> tuple[JSON, tuple[str, ...]]:
    """The state as it is once it knows of the last rollback."""
    from cli.engine.settle import settle
    from cli.rollout import cursor, debts, records, releases

    debt = releases.load(kube, environment).debt
    if debt is None:
        return state, ()
    record = records.fetch(kube, environment, debt.record)
    told = f"compared with release {debt.number}, to which it was rolled back; the state does not know of that yet"
    return settle(state, record.to_json(), (), debts.tracks(cursor.read(kube, environment))), (told,)


def _exported(root: Path, environment: str) -> JSON:
    from cli.engine.run import Engine
    from cli.progress import Silent

    state: JSON = Engine(root, environment, Silent()).export_state()
    return state


def _inside(seen: Seen, wanted: Sequence[Declared]) -> list[JSON]:
    spaces = set(reading.own_namespaces(wanted))
    return [row for (_, space, _), row in seen.objects.items() if space in spaces]


def _unread(seen: Seen) -> tuple[str, ...]:
    if not seen.refused:
        return ()
    return (f"not looked at, because we may not read it: {', '.join(seen.refused)}",)
