"""Reads what is to be compared: a list for each kind and namespace, all at once, instead of an object at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cli.drift.declared import Declared
from cli.drift.model import Place
from cli.drift.strangers import LOOKED_AT
from cli.kube import requests
from cli.kube.errors import Forbidden, NotFound, UnknownKind
from cli.kube.kinds import BUILT_IN
from cli.rollout.live import at_once

if TYPE_CHECKING:
    from cli.kube.client import Kube

Object = dict[str, Any]
_WHOLE = (("autoscaling/v2", "HorizontalPodAutoscaler"),)
"""Kinds whose content is looked at even where none of them is declared."""


@dataclass(frozen=True)
class Asked:
    """One question to the API server. `name`: of a single object; `whole`: its content, not its metadata alone."""

    api_version: str
    kind: str
    namespace: str
    name: str = ""
    whole: bool = True

    def __str__(self) -> str:
        if self.name:
            return f"{self.kind} {self.name}"
        return f"{self.kind} in {self.namespace}"


@dataclass(frozen=True)
class Seen:
    """What is there. `unseen`: what we may not read, or what this cluster does not know."""

    objects: Mapping[tuple[str, str, str], Object]
    unseen: frozenset[tuple[str, str, str]] = field(default_factory=frozenset)
    refused: tuple[str, ...] = ()

    def find(self, place: Place) -> Object | None:
        return self.objects.get((place.kind, place.namespace, place.name))

    def whole(self, kube: Kube, place: Place) -> Object | None:
        """The object as it is at this moment."""
        return kube.find(place.api_version, place.kind, place.name, place.namespace or None)

    def knows(self, place: Place) -> bool:
        """Whether an object that is not among them is really not there."""
        return not {(place.kind, place.namespace, ""), (place.kind, place.namespace, place.name)} & self.unseen

    @property
    def scaled(self) -> frozenset[tuple[str, str, str]]:
        """The objects whose pods an autoscaler counts."""
        found = (row for row in self.objects.values() if row["kind"] == "HorizontalPodAutoscaler" and row.get("spec"))
        return frozenset(
            (target["kind"], row["metadata"].get("namespace", ""), target["name"])
            for row in found
            if (target := row["spec"].get("scaleTargetRef"))
        )


def read(kube: Kube, declared: Sequence[Declared]) -> Seen:
    """The live objects of the declared kinds, and all that may be in the environment's own namespaces."""
    asked = questions(declared)
    answers = at_once(lambda one: _answer(kube, one), asked)
    rows = [row for answer in answers for row in answer or ()]
    unheard = [one for one, answer in zip(asked, answers, strict=True) if answer is None]
    return Seen(
        {(row["kind"], row["metadata"].get("namespace") or "", row["metadata"]["name"]): row for row in rows},
        frozenset((one.kind, one.namespace, one.name) for one in unheard),
        tuple(sorted(map(str, unheard))),
    )


def questions(declared: Iterable[Declared]) -> list[Asked]:
    """What to ask, each once: lists in namespaces, single objects of the cluster."""
    everything = list(declared)
    inside = {(one.place.api_version, one.place.kind, one.place.namespace) for one in everything if one.place.namespace}
    alone = [one.place for one in everything if not one.place.namespace]
    single = [Asked(place.api_version, place.kind, "", place.name) for place in alone]
    whole = inside | {(*kind, space) for kind in _WHOLE for space in own_namespaces(everything)}
    named = {(kind, space) for _, kind, space in whole}
    heads = {
        (*kind, space) for space in own_namespaces(everything) for kind in LOOKED_AT if (kind[1], space) not in named
    }
    return [
        *(Asked(*one) for one in sorted(whole)),
        *single,
        *(Asked(*one, whole=False) for one in sorted(heads)),
    ]


def own_namespaces(declared: Iterable[Declared]) -> list[str]:
    """The namespaces that are declared themselves: whatever is in them belongs to the environment."""
    return sorted(one.place.name for one in declared if one.place.kind == "Namespace")


def _answer(kube: Kube, asked: Asked) -> list[Object] | None:
    """None where we may not read it; what this cluster has no kind for is not there."""
    try:
        if asked.name:
            found = kube.find(asked.api_version, asked.kind, asked.name)
            return [_typed(found, asked)] if found else []
        if asked.whole:
            return [_typed(row, asked) for row in kube.list(asked.api_version, asked.kind, asked.namespace)]
        return [_typed(row, asked) for row in _heads(kube, asked)]
    except Forbidden:
        return None
    except (NotFound, UnknownKind):
        return []


def _heads(kube: Kube, asked: Asked) -> list[Object]:
    row = BUILT_IN[asked.api_version, asked.kind]
    request = requests.list_(row, asked.namespace, limit=10_000)
    found: list[Object] = kube.request(replace(request, accept=requests.HEADS)).json()["items"] or []
    return found


def _typed(row: Object, asked: Asked) -> Object:
    return {**row, "apiVersion": asked.api_version, "kind": asked.kind}
