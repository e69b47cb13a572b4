"""Tracks: the running copies of a service, one or two, told apart by a letter. Pure, and loads without Pulumi.

What the program is told of them (`Tracks`), what the last update declared of them (`Declared`, from the stack's own
output `tracks`), and the same object under another letter (`lettered`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Self, cast, get_args

from components import names
from components.manifest import Manifest, resource_name

Letter = Literal["a", "b"]

LETTERS: Final[tuple[Letter, ...]] = get_args(Letter)
FIRST: Final[Letter] = "a"
"""Of a service that never had another track, and of release records."""
TRACK_LABEL: Final = names.TRACK
TEMPLATE: Final = names.TEMPLATE
EPOCH: Final = names.EPOCH
ROUTED: Final[Mapping[str, tuple[str, ...]]] = {"Service": ("spec.selector",), "HTTPRoute": ("spec.rules",)}
"""Kind to the property paths by which a rollout sends traffic: declared once, and never changed by an update."""
COUNTED: Final[Mapping[str, tuple[str, ...]]] = {
    "Deployment": ("spec.replicas",),
    "HorizontalPodAutoscaler": ("spec.minReplicas", "spec.maxReplicas"),
}
"""Those by which it counts the copies of a service with two tracks, which an update leaves alone too."""
STOPPED: Final[Mapping[str, tuple[str, Any]]] = {
    "Deployment": ("replicas", 0),
    "StatefulSet": ("replicas", 0),
    "CronJob": ("suspend", True),
}
"""Kind to the field of its spec, and the value, by which a rollback ends a workload that a bad release added."""


@dataclass(frozen=True, kw_only=True)
class Tracks:
    """Where one service stands. `described`: the track that the settings describe; `epoch` grows when that changes.

    `two`: it has ever needed two tracks. `held`: nothing of it may change now. `trying`: a rollout is under way, so
    that what is described may not serve yet, and is no release.
    """

    described: Letter = FIRST
    epoch: int = 0
    two: bool = False
    held: bool = False
    trying: bool = False


@dataclass(frozen=True)
class Head:
    """An object that the last update declared, by name alone. `resource`: its name in Pulumi."""

    api_version: str
    kind: str
    namespace: str
    name: str
    resource: str

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        metadata = manifest["metadata"]
        place = (metadata.get("namespace", ""), metadata["name"])
        return cls(manifest["apiVersion"], manifest["kind"], *place, resource_name(manifest))

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` gave. ValueError for anything else."""
        version, kind, place, *rest = text.split(" ")
        namespace, _, name = place.rpartition("/")
        return cls(version, kind, namespace, name, rest[0] if rest else place)

    def __str__(self) -> str:
        place = "/".join(filter(None, (self.namespace, self.name)))
        return " ".join([self.api_version, self.kind, place, *([] if self.resource == place else [self.resource])])


Heads = tuple[Head, ...]


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What the last update declared of one part of the app: each track's objects, and those that all tracks share.

    `stopped`: a rollback ended it since, and nothing but an update starts it again.
    """

    tracks: Mapping[Letter, Heads] = field(default_factory=dict)
    shared: Heads = ()
    stopped: bool = False

    @property
    def everything(self) -> Heads:
        return (*(head for letter in LETTERS for head in self.tracks.get(letter, ())), *self.shared)

    @classmethod
    def of(cls, manifests: Iterable[Manifest]) -> Self:
        own = list(manifests)
        by_letter = {letter: _heads(each for each in own if letter_of(each) == letter) for letter in LETTERS}
        return cls(
            tracks={letter: heads for letter, heads in by_letter.items() if heads},
            shared=_heads(each for each in own if letter_of(each) is None),
        )

    @classmethod
    def from_output(cls, objects: Mapping[str, Iterable[str]]) -> Self:
        parsed = {key: tuple(map(Head.parse, texts)) for key, texts in objects.items()}
        shared = parsed.pop("shared", ())
        return cls(tracks={cast("Letter", key): heads for key, heads in parsed.items()}, shared=shared)

    def with_track(self, letter: Letter, heads: Heads) -> Self:
        """With what one track has; unchanged when it has nothing."""
        return replace(self, tracks={**self.tracks, letter: heads}) if heads else self

    def to_output(self) -> dict[str, list[str]]:
        found: list[tuple[str, Heads]] = [*self.tracks.items(), ("shared", self.shared)]
        return {key: [str(head) for head in heads] for key, heads in found if heads}


Known = Mapping[str, Declared]
"""Name of a part of the app (service, worker, job) to what the last update declared of it."""


def other(letter: Letter) -> Letter:
    return "b" if letter == "a" else "a"


def from_output(output: Mapping[str, Any]) -> dict[str, Tracks]:
    """The services of the stack's output `tracks` as they were at its last update; none is held."""
    return {
        name: Tracks(
            described=row["described"],
            epoch=int(row["epoch"]),
            two=bool(row["two"]),
            trying=bool(row.get("trying")),
        )
        for name, row in output.items()
        if "described" in row
    }


def known(output: Mapping[str, Any]) -> dict[str, Declared]:
    """What the stack's output `tracks` says that its last update declared."""
    return {
        name: replace(Declared.from_output(row.get("objects") or {}), stopped=bool(row.get("stopped")))
        for name, row in output.items()
    }


def copies(output: Mapping[str, Any]) -> dict[str, int]:
    """The least number of copies of each service, as of the last update that saw to it."""
    return {name: int(row["copies"]) for name, row in output.items() if "copies" in row}


def to_output(tracks: Tracks | None, declared: Declared) -> dict[str, Any]:
    """One entry of the output. `tracks` None: a part that never has two."""
    stopped = {"stopped": True} if declared.stopped else {}
    if tracks is None:
        return {"objects": declared.to_output(), **stopped}
    trying = {"trying": True} if tracks.trying else {}
    place = {"described": tracks.described, "epoch": tracks.epoch, "two": tracks.two, **trying}
    return {**place, "objects": declared.to_output(), **stopped}


def letter_of(manifest: Manifest) -> Letter | None:
    """The track that an object belongs to; None: to all of them, or to a workload that has none."""
    letter = manifest["metadata"].get("labels", {}).get(TRACK_LABEL)
    return letter if letter in LETTERS else None


def lettered(manifest: Manifest, to: Letter) -> Manifest:
    """The same object on track `to`: names, labels, selectors and references; itself where it belongs to no track."""
    letter = letter_of(manifest)
    if letter is None or letter == to:
        return manifest
    service = manifest["metadata"]["labels"][names.WORKLOAD]
    return cast("Manifest", _relettered(manifest, f"{service}-{letter}", f"{service}-{to}", to, ()))


def leading(entry: Manifest, to: Letter, *, two: bool) -> list[Manifest]:
    """A service's Service as it sends everything to track `to`; where there are two, also those that lead to one alone:
    a track's way in before it gets traffic, and what a route gives weights to."""
    alone = [_led(entry, letter, f"{entry['metadata']['name']}-{letter}") for letter in LETTERS] if two else []
    return [_led(entry, to, entry["metadata"]["name"]), *alone]


def in_spec(paths: Iterable[str]) -> tuple[str, ...]:
    """The fields of an object's spec that these property paths name, see `COUNTED` and `ROUTED`."""
    return tuple(path.removeprefix("spec.") for path in paths)


def template_hash(manifest: Manifest) -> str:
    """Twelve hex digits that stand for the pod template of a Deployment, whichever track it is on."""
    canonical = json.dumps(lettered(manifest, FIRST)["spec"].get("template"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _heads(manifests: Iterable[Manifest]) -> Heads:
    return tuple(Head.of(manifest) for manifest in manifests)


def _led(entry: Manifest, letter: Letter, name: str) -> Manifest:
    selector = {**entry["spec"]["selector"], TRACK_LABEL: letter}
    return {**entry, "metadata": {**entry["metadata"], "name": name}, "spec": {**entry["spec"], "selector": selector}}


def _relettered(value: Any, old: str, new: str, letter: Letter, path: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        return {key: _relettered(item, old, new, letter, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_relettered(item, old, new, letter, path) for item in value]
    if path and path[-1] == TRACK_LABEL:
        return letter
    if path[-2:] in _NAMES or path[-1:] == ("serviceAccountName",):
        return _renamed(value, old, new)
    return value


_NAMES: Final = frozenset({("metadata", "name"), ("scaleTargetRef", "name"), ("subjects", "name"), ("roleRef", "name")})
"""Where a track's objects name one another; cluster-wide ones with the environment before: `turnout-dev-api-a`."""


def _renamed(name: Any, old: str, new: str) -> Any:
    if name == old:
        return new
    return f"{name.removesuffix(old)}{new}" if isinstance(name, str) and name.endswith(f"-{old}") else name
