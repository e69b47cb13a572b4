"""The audit trail: one ConfigMap an entry in the control namespace, the newest ones kept."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli.errors import TurnoutError
from cli.rollout import aside, identity, trail
from cli.rollout.control import MANAGER, Manifest, in_namespace, labels, moment, names_of, namespace, stamp
from cli.rollout.lock import local_user
from components.names import ENVIRONMENT, KIND

if TYPE_CHECKING:
    from cli.kube.client import Kube

KEPT = 500
_AUDIT = "audit"


@dataclass(frozen=True)
class Entry:
    """Who did what, when, why and how it ended. `who` is the API server's name for us, `host` is `user@host`."""

    who: str
    host: str
    what: str
    when: str
    why: str = ""
    git: str = ""
    outcome: str = ""
    release: str = ""

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def entry(kube: Kube, what: str, *, why: str = "", git: str = "", outcome: str = "", release: str = "") -> Entry:
    """An entry of this moment, by us."""
    return Entry(identity.username(kube), local_user(), what, stamp(), why, git, outcome, release)


def write(kube: Kube, environment: str, made: Entry) -> None:
    """Keep an entry, and drop the oldest beyond what is kept."""
    new = manifest(environment, made, secrets.token_hex(2))
    in_namespace(kube, environment, lambda: kube.create(new, MANAGER))
    aside.begin(kube, lambda own: trail.send(own, environment, new), "audit trail to Loki")
    with suppress(TurnoutError):
        _prune(kube, environment)


def entries(kube: Kube, environment: str) -> list[Entry]:
    """The audit trail, newest first."""
    found = _listed(kube, environment)
    return [Entry(**{key: row["data"].get(key, "") for key in Entry.__dataclass_fields__}) for row in reversed(found)]


def since(found: list[Entry], seconds: float | None, now: datetime | None = None) -> list[Entry]:
    """Those that are no older than that; all of them without a length."""
    oldest = (now or datetime.now(UTC)).timestamp() - seconds if seconds is not None else 0.0
    return [entry for entry in found if moment(entry.when).timestamp() >= oldest]


def manifest(environment: str, made: Entry, suffix: str) -> Manifest:
    at = moment(made.when).astimezone(UTC)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"{_AUDIT}-{_name_part(at)}-{suffix}",
            "namespace": namespace(environment),
            "labels": labels(environment, _AUDIT) | {trail.SENT: trail.PENDING},
        },
        "data": made.to_json(),
    }


def surplus(names: list[str], kept: int = KEPT) -> list[str]:
    """The oldest names beyond what is kept; names sort by time."""
    return sorted(names)[: max(0, len(names) - kept)]


def _prune(kube: Kube, environment: str) -> None:
    for name in surplus([row["metadata"]["name"] for row in names_of(kube, environment, _AUDIT)]):
        kube.delete("v1", "ConfigMap", name, namespace(environment))


def _listed(kube: Kube, environment: str) -> list[Manifest]:
    selector = f"{KIND}={_AUDIT},{ENVIRONMENT}={environment}"
    found = kube.list("v1", "ConfigMap", namespace(environment), labels=selector)
    return sorted(found, key=lambda row: str(row["metadata"]["name"]))


def _name_part(at: datetime) -> str:
    return at.strftime("%Y%m%dt%H%M%S%f") + "z"
