"""Which setting says what somebody changed in the cluster: the edits of the settings file that adopt it. Pure.

Only what a setting says by itself can be adopted; of all the rest the program would have to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.drift.declared import Declared
from cli.drift.managed import Item
from cli.drift.model import Drifted, Fate, Field, What
from cli.engine.model import ABSENT, SECRET
from cli.rollout.promotion import IMAGE
from components.names import COMPONENT, WORKLOAD

Path = tuple[str, ...]
Settings = Mapping[str, Any]
"""The `config` of a settings file: section key to content."""

APP: Final = "turnout:app"
_PARTS: Final = ("services", "workers", "jobs")
_COUNTED: Final = ("prometheus", "alertmanager")
_PLAIN: Final = {
    "spec.minReadySeconds": ("settle",),
    "spec.progressDeadlineSeconds": ("deadline",),
    "spec.schedule": ("schedule",),
    "spec.concurrencyPolicy": ("overlap",),
    "spec.minReplicas": ("autoscale", "minimum"),
    "spec.maxReplicas": ("autoscale", "maximum"),
}
"""Fields of the app's parts that one setting says as it is."""
_OWN_VARIABLES: Final = ("HTTP_PORT", "METRICS_PORT", "DRAIN_SECONDS", "POD_NAME")
"""What the components tell the app themselves."""


@dataclass(frozen=True)
class Edit:
    """One setting. `value`: ABSENT to take it out."""

    path: Path
    value: Any
    field: Field
    drifted: Drifted
    note: str = ""

    @property
    def key(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True)
class Unsaid:
    """What no setting says, and why."""

    drifted: Drifted
    field: Field | None
    why: str

    def to_json(self) -> dict[str, Any]:
        return {
            "address": self.drifted.place.address,
            "path": self.field.path if self.field else "",
            "why": self.why,
        }


class _No(Exception):
    """No setting says it; the text is why."""


def edits(found: Iterable[tuple[Drifted, Declared]], config: Settings) -> tuple[list[Edit], list[Unsaid]]:
    """What to write, and what cannot be written."""
    made: list[Edit] = []
    unsaid: list[Unsaid] = []
    for drifted, declared in found:
        if drifted.fate is not Fate.CHANGED:
            why = "whether it is there is the program's to say; take the part out of the settings, or --revert"
            unsaid.append(Unsaid(drifted, None, why))
            continue
        for field in (one for one in drifted.fields if not one.ignored):
            try:
                made += _of(field, drifted, declared, config)
            except _No as error:
                unsaid.append(Unsaid(drifted, field, str(error)))
    return made, unsaid


def _of(field: Field, drifted: Drifted, declared: Declared, config: Settings) -> Iterator[Edit]:
    section = _section(declared, config)
    if SECRET in str(field.live) + str(field.declared) or field.secret:
        raise _No("it is a secret: put it under `secrets`, or --revert")
    own = section[0] == APP
    if field.path == "spec.replicas" and (own or section[0].removeprefix("turnout:") in _COUNTED):
        if own and "autoscale" in (_content(section, config) or {}):
            raise _No("the part has `autoscale`, which counts its copies")
        yield Edit((*section, "replicas"), _present(field), field, drifted)
    elif own and field.path in _PLAIN:
        yield Edit((*section, *_PLAIN[field.path]), _present(field), field, drifted)
    elif inner := _in_container(field, declared):
        yield from _container(inner, field, section, drifted)
    else:
        raise _No("no setting says this field; the component would have to change")


def _section(declared: Declared, config: Settings) -> Path:
    """Where the settings speak of the workload."""
    labels = (declared.manifest.get("metadata") or {}).get("labels") or {}
    name, component = labels.get(WORKLOAD, ""), labels.get(COMPONENT, "")
    if component == "app":
        for part in _PARTS:
            if name in ((config.get(APP) or {}).get(part) or {}):
                return (APP, part, name)
    if name and component == name:
        return (f"turnout:{component}",)
    raise _No("no part of the settings is about this object")


def _content(section: Path, config: Settings) -> Any:
    place: Any = config
    for step in section:
        place = place.get(step) if isinstance(place, Mapping) else None
    return place


def _in_container(field: Field, declared: Declared) -> tuple[Any, ...]:
    """The path inside the workload's own container; empty for anything else."""
    labels = (declared.manifest.get("metadata") or {}).get("labels") or {}
    for at, step in enumerate(field.steps[:-1]):
        if isinstance(step, Item) and field.steps[at - 1] == "containers":
            return field.steps[at + 1 :] if step.label == labels.get(WORKLOAD) else ()
    return ()


def _container(inner: tuple[Any, ...], field: Field, section: Path, drifted: Drifted) -> Iterator[Edit]:
    if inner[0] == "resources":
        yield Edit((*section, "resources", _resource(inner)), _amount(inner, field), field, drifted)
    elif section[0] != APP:
        raise _No("no setting says this field; the component would have to change")
    elif inner == ("image",):
        yield from _image(field, drifted)
    elif inner == ("args",):
        yield Edit((*section, "args"), _present(field), field, drifted)
    elif inner[0] == "env" and len(inner) > 1 and isinstance(inner[1], Item):
        yield _variable(inner, field, section, drifted)
    else:
        raise _No("no setting says this field; the component would have to change")


def _resource(inner: tuple[Any, ...]) -> str:
    known = {("requests", "cpu"): "cpu", ("requests", "memory"): "memory", ("limits", "memory"): "memory_limit"}
    found = known.get(inner[1:])
    if found is None:
        raise _No("no setting says this field; the component would have to change")
    return found


def _amount(inner: tuple[Any, ...], field: Field) -> Any:
    value = _present(field)
    if inner[-1] != "cpu":
        return value
    from cli.provider import quantity

    text = quantity.canonical(value)
    return int(text[:-1]) if text.endswith("m") else int(text) * 1000


def _image(field: Field, drifted: Drifted) -> Iterator[Edit]:
    """All parts of the app share one image, so its edit is one of all of them."""
    live, before = IMAGE.fullmatch(str(field.live)), IMAGE.fullmatch(str(field.declared))
    if not live or not before or live["repository"] != before["repository"]:
        raise _No("the settings name one repository for the whole app")
    note = "every part of the app runs this image"
    yield Edit((APP, "version"), live["version"], field, drifted, note)
    if live["digest"] or before["digest"]:
        yield Edit((APP, "digest"), live["digest"] or ABSENT, field, drifted, note)


def _variable(inner: tuple[Any, ...], field: Field, section: Path, drifted: Drifted) -> Edit:
    name = inner[1].label
    if name in _OWN_VARIABLES or name.endswith("_URL"):
        raise _No(f"{name} is told by the component itself")
    value = field.live.get("value", ABSENT) if isinstance(field.live, Mapping) else field.live
    if value is not ABSENT and not isinstance(value, str):
        raise _No("a variable of the settings is a text")
    if field.what is What.ADDED and value is ABSENT:
        raise _No("a variable of the settings is a text")
    return Edit((*section, "env", name), value, field, drifted)


def _present(field: Field) -> Any:
    if field.live is ABSENT:
        raise _No("it is gone, and the setting has to have a value")
    return field.live
