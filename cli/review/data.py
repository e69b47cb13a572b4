"""What a plan does to data that cannot be made again: volumes, databases, namespaces, custom kinds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from cli.provider import quantity
from cli.review.facts import Fact, listed
from cli.review.objects import Manifest, at, key, mapping, rows, text
from cli.review.world import Touched, World

_POLICY = "persistentVolumeClaimRetentionPolicy"
_BY_HAND = ("Retain", "")


def facts(there: World) -> Iterator[Fact]:
    for one in there.touched:
        if rule := _RULES.get(one.kind):
            yield from rule(there, one)


def _claim(_: World, one: Touched) -> Iterator[Fact]:
    if one.deleted:
        yield one.fact("deletes-data", "is deleted with what it holds")
    elif one.replaced:
        yield one.fact("replaces-data", "is deleted with what it holds, and made anew without")
    elif smaller := _smaller(_size(one.before), _size(one.after)):
        yield one.fact("shrinks-volume", f"asks for {smaller}: a volume does not shrink")


def _volume(_: World, one: Touched) -> Iterator[Fact]:
    if one.deleted or one.replaced:
        if text(one.before, "spec", "persistentVolumeReclaimPolicy") in _BY_HAND:
            yield one.fact("orphans-data", "goes; what it holds stays where it is stored, and nothing leads there")
        else:
            yield one.fact("deletes-data", "is deleted with what it holds")
    elif _stops_keeping(one, "spec", "persistentVolumeReclaimPolicy"):
        yield one.fact("reclaims-data", "is deleted with its claim from now on")


def _class(_: World, one: Touched) -> Iterator[Fact]:
    if one.after and _stops_keeping(one, "reclaimPolicy"):
        yield one.fact("reclaims-data", "no longer keeps its volumes when their claims go")


def _stops_keeping(one: Touched, *path: str) -> bool:
    return text(one.before, *path) == "Retain" and text(one.after, *path) in ("Delete", "Recycle")


def _set(there: World, one: Touched) -> Iterator[Fact]:
    if not one.before:
        return
    if one.deleted or one.moved:
        yield from _without_set(one)
        return
    if empties(one):
        claims = listed(_claims(one.before))
        yield one.fact("deletes-data", f"is deleted with its volumes {claims}, and made anew without")
        yield from _policies(one)
        return
    yield from _templates(one)
    yield from _policies(one)
    copies = there.copies_before(one), there.after.copies(one.after)
    if copies[1] < copies[0] and _claims(one.before) and text(one.after, "spec", _POLICY, "whenScaled") == "Delete":
        yield one.fact("deletes-data", f"deletes the volumes of {copies[0] - copies[1]} of its {copies[0]} copies")


def empties(one: Touched) -> bool:
    """Whether a set of pods is made anew under its name, and its claims go with the old one."""
    in_place = one.kind == "StatefulSet" and one.replaced and not one.moved
    return in_place and _goes_with_claims(one.before) and bool(_claims(one.before))


def _goes_with_claims(made: Manifest) -> bool:
    return text(made, "spec", _POLICY, "whenDeleted") == "Delete"


def _without_set(one: Touched) -> Iterator[Fact]:
    claims = listed(_claims(one.before))
    if not claims:
        return
    if _goes_with_claims(one.before):
        yield one.fact("deletes-data", f"is deleted with its volumes {claims}")
    else:
        yield one.fact("orphans-data", f"is deleted; its volumes {claims} stay, and nothing uses them")


def _templates(one: Touched) -> Iterator[Fact]:
    before, after = _claims(one.before), _claims(one.after)
    for name in before:
        if name not in after:
            yield one.fact("orphans-data", f"no longer uses its volumes {name}, which stay")
        elif dict(before[name]) != dict(after[name]):
            yield one.fact("keeps-old-volumes", f"asks for other volumes {name}; those that exist stay as they are")
    for name in after:
        if before and name not in before:
            yield one.fact("replaces-data", f"starts with empty volumes {name}")


def _policies(one: Touched) -> Iterator[Fact]:
    for when, what in (("whenDeleted", "it is deleted"), ("whenScaled", "it has fewer copies")):
        before, after = (text(side, "spec", _POLICY, when) for side in (one.before, one.after))
        if after == "Delete" and before in _BY_HAND:
            yield one.fact("reclaims-data", f"deletes its volumes when {what} from now on")


def _claims(made: Manifest) -> Mapping[str, Mapping[str, object]]:
    """Each claim that it makes for a copy, by name: what is asked for."""
    templates = rows(made, "spec", "volumeClaimTemplates")
    return {text(row, "metadata", "name"): mapping(row, "spec") for row in templates}


def _namespace(there: World, one: Touched) -> Iterator[Fact]:
    if not (one.deleted or one.replaced):
        return
    within = there.before.within(one.key.name)
    held = [str(key(made)) for made in within if made.get("kind") in ("PersistentVolumeClaim", "StatefulSet")]
    count = f"the {len(within)} object{'s' * (len(within) != 1)} in it that are declared" if within else "all in it"
    also = f", {listed(held)} among them" if held else ""
    yield one.fact("deletes-data", f"is deleted with {count}{also}, and whatever else is there")


def _definition(_: World, one: Touched) -> Iterator[Fact]:
    if one.deleted or one.replaced:
        kind = text(one.before, "spec", "names", "kind") or "its kind"
        yield one.fact("deletes-data", f"is deleted with every {kind} in the cluster")


def _size(made: Manifest) -> object:
    return at(made, "spec", "resources", "requests", "storage")


def _smaller(before: object, after: object) -> str:
    """How a size became smaller; empty: it did not, or nobody can tell."""
    try:
        left, right = quantity.exact(before), quantity.exact(after)
    except ValueError:
        return ""
    return f"{quantity.canonical(after)} instead of {quantity.canonical(before)}" if right < left else ""


_RULES: Final[Mapping[str, Callable[[World, Touched], Iterator[Fact]]]] = {
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume,
    "StorageClass": _class,
    "StatefulSet": _set,
    "Namespace": _namespace,
    "CustomResourceDefinition": _definition,
}
