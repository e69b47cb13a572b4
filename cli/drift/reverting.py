"""Puts back what was declared: of the chosen objects the drifted fields, and nothing beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from cli.drift import handing
from cli.drift.declared import Declared, Sealed
from cli.drift.managed import Item, Path
from cli.drift.model import Drifted, Field, What
from cli.engine.model import ABSENT
from cli.errors import Interrupted, TurnoutError
from cli.provider.objects import leave_to_others
from cli.rollout.moves import weighed
from components.manifest import FIELD_MANAGER
from components.names import WORKLOAD
from components.tracks import TRACK_LABEL

if TYPE_CHECKING:
    from cli.interrupts import Asked
    from cli.kube.client import Kube
    from cli.progress import Progress
    from cli.rollout.cursor import Cursor

Object = dict[str, Any]
Verb = Literal["create", "apply", "replace"]

_ORDER = ("Namespace", "CustomResourceDefinition", "ConfigMap", "Secret", "ServiceAccount", "Role", "ClusterRole")
_LAST = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job")
_DATA = ("data", "binaryData", "stringData", "immutable")


@dataclass(frozen=True)
class Reversion:
    """One object put right. `added`: fields that others put beside what was declared."""

    verb: Verb
    drifted: Drifted
    manifest: Object
    added: tuple[Path, ...] = ()
    live: Object | None = None

    def handing(self, live: Object, manager: str = FIELD_MANAGER) -> list[Object] | None:
        """The JSON patch that comes before the apply (see `handing.patch`), for the object as it is now."""
        return handing.patch(live, self.added, manager)


def plan(drifted: Drifted, declared: Declared, live: Object | None, cursor: Cursor) -> Reversion:
    """What puts the object right. `declared` with its secrets open; `cursor` says where traffic belongs."""
    manifest = plain(declared.manifest)
    if live is None:
        return Reversion("create", drifted, _led(manifest, cursor))
    wanted = leave_to_others(manifest, live, declared.left_alone, FIELD_MANAGER)
    for field in drifted.fields:
        if field.ignored:
            wanted = _keeping(wanted, field, live)
    if live.get("immutable") and any(_of_data(field) for field in drifted.fields if not field.ignored):
        return Reversion("replace", drifted, manifest, live=live)
    added = tuple(field.steps for field in drifted.fields if field.what is What.ADDED and not field.ignored)
    return Reversion("apply", drifted, wanted, added, live)


def ordered(found: Iterable[Reversion]) -> list[Reversion]:
    """What others need first, what runs last."""
    return sorted(found, key=lambda one: (_rank(one.drifted.place.kind), one.drifted.place.address))


def carry_out(
    kube: Kube, found: Iterable[Reversion], progress: Progress, check: Callable[[], None], asked: Asked
) -> list[str]:
    """Writes them one after the other; returns the addresses of what was put back.

    `check` is called before each write, and raises when the environment is no longer ours. Raises KubeError, and
    Interrupted between two objects once somebody asked for the end; what was done until then is in its text.
    """
    done: list[str] = []
    for one in found:
        if asked.now:
            raise Interrupted(f"interrupted; put back until then: {', '.join(done) or 'nothing'}")
        check()
        with progress.step(f"putting back {one.drifted.place}"):
            _do(kube, one)
        done.append(one.drifted.place.address)
    return done


def plain(value: Any) -> Any:
    """A manifest with its secrets in plain. Raises TurnoutError for one that stayed closed."""
    if isinstance(value, Sealed):
        if not value.opened:
            raise TurnoutError("a secret of the state could not be opened", next="set PULUMI_CONFIG_PASSPHRASE")
        return plain(value.opened[0])
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def _do(kube: Kube, one: Reversion) -> None:
    place = one.drifted.place
    where = (place.api_version, place.kind, place.name, place.namespace or None)
    if one.verb == "replace" and one.live:
        kube.delete(*where, uid=one.live["metadata"]["uid"])
    if one.verb == "apply" and one.live and one.handing(one.live):
        # Tried first: what is handed over and then not applied would be nobody's drift any more.
        kube.apply(one.manifest, FIELD_MANAGER, force=True, dry_run=True)
        kube.run(kube.server.hand_over(one.live, FIELD_MANAGER, one.handing))
    kube.apply(one.manifest, FIELD_MANAGER, force=True)


def _led(manifest: Object, cursor: Cursor) -> Object:
    """What leads to a service with two tracks leads to the one that serves, wherever that was when it was declared."""
    service = (manifest["metadata"].get("labels") or {}).get(WORKLOAD, "")
    place = cursor.places.get(service)
    if place is None or manifest["metadata"]["name"] != service:
        return manifest
    if manifest["kind"] == "Service" and TRACK_LABEL in (manifest["spec"].get("selector") or {}):
        selector = {**manifest["spec"]["selector"], TRACK_LABEL: place.serving}
        return {**manifest, "spec": {**manifest["spec"], "selector": selector}}
    if manifest["kind"] == "HTTPRoute":
        return {**manifest, "spec": {**manifest["spec"], "rules": weighed(manifest, service, {place.serving: 100})}}
    return manifest


def _keeping(wanted: Object, field: Field, live: Object) -> Object:
    """The manifest with a field as it is in the cluster, whatever that is."""
    value = _at(live, field.steps)
    if field.what is What.ADDED or (field.what is What.REMOVED and value is ABSENT):
        return wanted if field.what is What.ADDED else _changed(wanted, field.steps, ABSENT)
    found: Object = _changed(wanted, field.steps, value)
    return found


def _changed(value: Any, path: Path, new: Any) -> Any:
    """A copy with `new` at a path, or nothing there for ABSENT; the same where the way to it does not exist."""
    first, rest = path[0], path[1:]
    if isinstance(value, Mapping):
        if not rest:
            left = {key: item for key, item in value.items() if key != first}
            return left if new is ABSENT else {**left, first: new}
        return {**value, first: _changed(value[first], rest, new)} if first in value else value
    if isinstance(value, list):
        rows = [_row(item, first, at, rest, new) for at, item in enumerate(value)]
        return [row for row in rows if row is not ABSENT]
    return value


def _row(item: Any, step: Any, at: int, rest: Path, new: Any) -> Any:
    meant = step.fits(item) if isinstance(step, Item) else step == at
    if not meant:
        return item
    return _changed(item, rest, new) if rest else new


def _at(value: Any, path: Path) -> Any:
    from cli.drift.differing import look_up

    return look_up(value, path)


def _of_data(field: Field) -> bool:
    return field.path.split(".", 1)[0].split("[", 1)[0] in _DATA


def _rank(kind: str) -> int:
    if kind in _ORDER:
        return _ORDER.index(kind)
    return len(_ORDER) + 1 if kind in _LAST else len(_ORDER)
