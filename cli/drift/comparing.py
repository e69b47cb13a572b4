"""One declared object against the live one. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cli.drift import differing, judging, managed
from cli.drift.declared import Declared, Sealed, spelled
from cli.drift.differing import Found
from cli.drift.judging import Verdict
from cli.drift.managed import Claims, Item, Path
from cli.drift.model import Author, Drifted, Fate, Field, What
from cli.engine.model import ABSENT, SECRET
from cli.provider.diff import same
from cli.report import masking
from components.manifest import CONTENT_LABEL

Object = Mapping[str, Any]

_METADATA: Final = ("labels", "annotations", "finalizers", "ownerReferences")
_DATA: Final = ("data", "stringData")


def compare(declared: Declared, live: Object | None, *, scaled: bool = False) -> Drifted | None:
    """How the object differs; None where it does not. `scaled`: an autoscaler counts its pods."""
    if live is None:
        return (
            None
            if _goes_by_itself(declared)
            else Drifted(declared.place, declared.urn, declared.component, Fate.DELETED)
        )
    claims = managed.claims(live)
    remade = _remade_by(declared, live, claims)
    found = [one for one in _found(declared, live, claims) if not (remade and _came_with_it(one, declared.before))]
    fields = _judged(declared, found, managed.latest(claims), scaled=scaled)
    if not (fields[Verdict.DRIFT] or fields[Verdict.BESIDE] or remade):
        return None
    fate = Fate.REMADE if remade else Fate.CHANGED
    drift, beside = fields[Verdict.DRIFT], fields[Verdict.BESIDE]
    return Drifted(declared.place, declared.urn, declared.component, fate, drift, beside, remade)


def _judged(
    declared: Declared, found: Iterable[Found], guess: tuple[Author, ...], *, scaled: bool
) -> dict[Verdict, tuple[Field, ...]]:
    rows: dict[Verdict, list[Field]] = {verdict: [] for verdict in Verdict}
    for one in found:
        rows[judging.verdict(declared.place.kind, one, declared.left_alone, scaled=scaled)].append(_field(one, guess))
    return {verdict: tuple(fields) for verdict, fields in rows.items()}


def _came_with_it(found: Found, before: Object) -> bool:
    """Whoever makes an object anew owns all of it, defaults included."""
    again = found.what is What.ADDED and same(found.live, differing.look_up(before, found.path))
    return again or found.what is What.TAKEN


def untouched(declared: Declared, live: Object) -> bool:
    """Whether nobody has written to the object at all since the last apply."""
    return _of(declared.before, "resourceVersion") == _of(live, "resourceVersion") != ""


def _goes_by_itself(declared: Declared) -> bool:
    """A job that is cleared away once it has ended."""
    return declared.place.kind == "Job" and "ttlSecondsAfterFinished" in (declared.manifest.get("spec") or {})


def _remade_by(declared: Declared, live: Object, claims: Claims) -> tuple[Author, ...]:
    """Who deleted the object and made it again, where nothing of it is ours any more."""
    before, now = _of(declared.before, "uid"), _of(live, "uid")
    if not before or before == now or any(claim.ours for claim in claims):
        return ()
    return managed.authors(claim for claim in claims if not claim.rank[1])


def _found(declared: Declared, live: Object, claims: Claims) -> Iterator[Found]:
    wanted, before = spelled(declared.manifest), declared.before
    if declared.place.kind == "Secret":
        yield from _secret_data(wanted, live, before, claims)
        wanted = {key: value for key, value in wanted.items() if key not in _DATA}
        live = {key: value for key, value in live.items() if key not in _DATA}
    metadata = {key: value for key, value in wanted["metadata"].items() if key in _METADATA}
    around = _below(live, "metadata"), _below(before, "metadata"), managed.at(claims, "metadata")
    shown = {key: value for key, value in around[0].items() if key in _METADATA}
    yield from differing.walk(metadata, shown, *around[1:], ("metadata",))
    skipped = ("apiVersion", "kind", "metadata", "status")
    content = {key: value for key, value in wanted.items() if key not in skipped}
    rest = {key: value for key, value in live.items() if key not in skipped}
    yield from differing.walk(content, rest, before, claims)


def _secret_data(wanted: Object, live: Object, before: Object, claims: Claims) -> Iterator[Found]:
    """By the content that its name stands for; else by its values where they could be opened; else by who wrote it."""
    if digest := (wanted["metadata"].get("labels") or {}).get(CONTENT_LABEL):
        if not _is_named_after(digest, live):
            owners = managed.exact(managed.at(claims, "data"))
            yield Found(("data",), What.CHANGED, SECRET, SECRET, owners, True)
        return
    data = _encoded(wanted)
    around = live.get("data") or {}, before.get("data"), managed.at(claims, "data"), ("data",)
    if isinstance(data, Sealed):
        yield from _by_owner(around[0], around[2])
    else:
        yield from differing.walk(data, *around, secret=True)


def _is_named_after(digest: str, live: Object) -> bool:
    from components.secret import Secret
    from components.workload.naming import content_hash

    return content_hash({key: Secret(value) for key, value in sorted((live.get("data") or {}).items())}) == digest


def _encoded(wanted: Object) -> dict[str, Any] | Sealed:
    """What the Secret's `data` is to be; a Sealed where that cannot be known."""
    parts: dict[str, dict[str, Any]] = {}
    for key in _DATA:
        value = wanted.get(key) or {}
        value = value.opened[0] if isinstance(value, Sealed) and value.opened else value
        if isinstance(value, Sealed):
            return value
        parts[key] = {
            name: one.opened[0] if isinstance(one, Sealed) and one.opened else one for name, one in value.items()
        }
    plain = {name: one if isinstance(one, Sealed) else _base64(one) for name, one in parts["stringData"].items()}
    return {**parts["data"], **plain}


def _base64(text: Any) -> str:
    return base64.b64encode(str(text).encode()).decode()


def _by_owner(data: Mapping[str, Any], claims: Claims) -> Iterator[Found]:
    for key, value in data.items():
        owners = managed.at(claims, key)
        others = tuple(claim for claim in owners if claim.exact and not claim.ours)
        if others:
            yield Found(("data", key), What.CHANGED, SECRET, value, others, True)


def _field(found: Found, guess: tuple[Author, ...]) -> Field:
    strangers = tuple(claim for claim in found.claims if not claim.ours)
    by = managed.authors(strangers or found.claims)
    return Field(
        path=managed.written(found.path),
        what=found.what,
        declared=_shown(found.declared, found),
        live=_shown(found.live, found),
        by=by or guess,
        sure=bool(by),
        secret=found.secret,
        steps=tuple(found.path),
    )


def _shown(side: Any, found: Found) -> Any:
    """A value as it may be shown: what only its name calls a secret is one, too."""
    if side is ABSENT:
        return side
    return SECRET if found.secret else masking.value(side, _called(found.path))


def _called(path: Path) -> str:
    """The name under which a value stands: a variable's own, not `value`."""
    steps = [step.label if isinstance(step, Item) else str(step) for step in path if not isinstance(step, int)]
    named = len(steps) > 1 and steps[-1] == "value"
    return steps[-2] if named else steps[-1]


def _of(obj: Object, key: str) -> str:
    return str(_below(obj, "metadata").get(key) or "")


def _below(obj: Object, key: str) -> Mapping[str, Any]:
    found = obj.get(key)
    return found if isinstance(found, Mapping) else {}
