"""What a field is called to a reader: `container api: memory limit` for a property path."""

from __future__ import annotations

from typing import Any

from cli.engine import values
from cli.report import plain

_POD = (
    ("spec", "jobTemplate", "spec", "template"),
    ("spec", "template"),
)
_LISTS = {
    "containers": "container",
    "initContainers": "init container",
    "volumes": "volume",
    "env": "env",
    "ports": "port",
    "volumeMounts": "mount",
    "imagePullSecrets": "image pull secret",
}
_METADATA = {"labels": "label", "annotations": "annotation"}
_ANY = "*"


def of(steps: values.Path, inputs: dict[str, Any]) -> str:
    """The field's name. `inputs`: the resource's, for the names of list items that the path only counts."""
    return plain.clipped(": ".join(_parts(_named(steps, inputs))), plain.NAME_LENGTH) or "(all of it)"


def common(steps: values.Path, inputs: dict[str, Any], own: str) -> str:
    """The same without the container's name where that is the workload's own (`own`) or the only one."""
    named = list(_named(steps, inputs))
    at = next((index for index, step in enumerate(named) if step == "containers"), None)
    if at is not None and at + 1 < len(named) and _is_main(named[at + 1], steps[: at + 1], inputs, own):
        named[at + 1] = _ANY
    return plain.clipped(": ".join(_parts(tuple(named))), plain.NAME_LENGTH)


def _is_main(container: str | int, around: values.Path, inputs: dict[str, Any], own: str) -> bool:
    siblings = values.look_up(inputs, around)
    alone = isinstance(siblings, list) and len(siblings) == 1
    return alone or str(container) == own or own.startswith(f"{container}-")


def _named(steps: values.Path, inputs: dict[str, Any]) -> values.Path:
    named: list[str | int] = []
    for index, step in enumerate(steps):
        item = values.look_up(inputs, steps[: index + 1]) if isinstance(step, int) else None
        name = item.get("name") if isinstance(item, dict) else None
        named.append(name if isinstance(name, str) else step)
    return tuple(named)


def _parts(steps: values.Path) -> list[str]:
    for prefix in _POD:
        if steps[: len(prefix)] == prefix and len(steps) > len(prefix):
            return _of_pod(steps[len(prefix) :])
    if steps[:1] == ("metadata",):
        return _of_metadata(steps[1:])
    rest = steps[1:] if steps[:1] == ("spec",) and len(steps) > 1 else steps
    return _of_lists(rest)


def _of_pod(steps: values.Path) -> list[str]:
    if steps[:1] == ("metadata",):
        return ["pod " + part if index == 0 else part for index, part in enumerate(_of_metadata(steps[1:]))]
    return _of_lists(steps[1:] if steps[:1] == ("spec",) and len(steps) > 1 else steps)


def _of_metadata(steps: values.Path) -> list[str]:
    if len(steps) == 2 and steps[0] in _METADATA:
        return [f"{_METADATA[str(steps[0])]} {plain.name(str(steps[1]))}"]
    return [_path(steps)]


def _of_lists(steps: values.Path) -> list[str]:
    """`containers.api.env.LOG.value` as `container api`, `env LOG`."""
    if not steps:
        return []
    if steps[0] in _LISTS and len(steps) > 1:
        item = [] if steps[1] == _ANY else [f"{_LISTS[str(steps[0])]} {plain.name(str(steps[1]))}"]
        return item + _of_lists(_without_value(steps))
    if steps[0] == "resources" and len(steps) == 3:
        return [f"{plain.name(str(steps[2]))} {str(steps[1]).removesuffix('s')}"]
    return [_path(steps)]


def _without_value(steps: values.Path) -> values.Path:
    rest = steps[2:]
    return () if steps[0] == "env" and rest == ("value",) else rest


def _path(steps: values.Path) -> str:
    return plain.name(values.format_path(steps))
