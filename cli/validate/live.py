"""Settings against what runs: images, copies and parts, from the program's own render and the cluster's objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli.kube.kinds import WORKLOADS
from cli.validate.model import Finding, Level
from cli.validate.project import Environment, load
from components import names
from components.environment import Namespaces

if TYPE_CHECKING:
    from cli.kube.client import Kube

JSON = Mapping[str, Any]
_KINDS: Final = frozenset(kind for _, kind in WORKLOADS)
_GROUPS: Final = ("services", "workers", "jobs")


def check(root: Path, environment: str) -> list[Finding]:
    """What differs now. Reads the cluster, changes nothing. Raises TurnoutError where either cannot be read."""
    from cli.engine.render import render
    from cli.rollout import where

    wanted = [resource.inputs for resource in render(root, environment) if resource.is_kubernetes]
    with where.connect(environment) as kube:
        there = list(_running(kube, environment))
    return list(compare(load(root).environments[environment], wanted, there))


def _running(kube: Kube, environment: str) -> Iterator[JSON]:
    labels = f"{names.ENVIRONMENT}={environment}"
    for namespace in Namespaces.of(environment).of_workloads:
        for version, kind in WORKLOADS:
            yield from ({**each, "kind": kind} for each in kube.list(version, kind, namespace, labels=labels))


def compare(environment: Environment, wanted: Iterable[JSON], there: Sequence[JSON]) -> Iterator[Finding]:
    """Pure. A service with two tracks agrees when one of them does: a rollout may be under way."""
    declared = [each for each in wanted if each.get("kind") in _KINDS]
    for each in declared:
        running = [one for one in there if _who(one) == _who(each)]
        if not running:
            message = f"the {each['kind']} {_text(each)} that the settings ask for does not run"
            yield _finding(environment, each, "", message)
        elif not any(_images(one) == _images(each) for one in running):
            live = ", ".join(sorted({image for one in running for image in _images(one)}))
            yield _finding(environment, each, "version", f"{_text(each)} runs {live}, not {', '.join(_images(each))}")
        elif (copies := _copies(each)) is not None and copies not in (seen := [_copies(one) for one in running]):
            shown = " and ".join(str(one) for one in seen)
            yield _finding(environment, each, "replicas", f"{_text(each)} has {shown} copies, not {copies}")
    known = {_who(each) for each in declared}
    for one in there:
        if _who(one) not in known:
            yield _finding(environment, one, "", f"the {one['kind']} {_text(one)} runs, and no setting asks for it")


def _finding(environment: Environment, made: JSON, key: str, message: str) -> Finding:
    where = environment.at(*_place(environment, made, key))
    remedy = f"turnout preview {environment.name} shows it field by field; turnout drift {environment.name} who did it"
    return environment.finding("live", Level.WARNING, where, message, remedy)


def _place(environment: Environment, made: JSON, key: str) -> tuple[str, ...]:
    """The setting that it comes from: a part of the app, or a section of that name."""
    name = _labels(made).get(names.WORKLOAD, "")
    if key == "version" and any(environment.says("app", group, name) for group in _GROUPS):
        return ("app", key)
    group = next((group for group in _GROUPS if environment.says("app", group, name)), "")
    return ("app", group, name, *([key] if key else [])) if group else (name, *([key] if key else []))


def _who(made: JSON) -> tuple[str, str, str]:
    return (
        made["kind"],
        made["metadata"].get("namespace", ""),
        _labels(made).get(names.WORKLOAD, made["metadata"]["name"]),
    )


def _text(made: JSON) -> str:
    return f"{made['metadata'].get('namespace', '')}/{_labels(made).get(names.WORKLOAD, made['metadata']['name'])}"


def _labels(made: JSON) -> Mapping[str, str]:
    return made["metadata"].get("labels") or {}


def _images(made: JSON) -> list[str]:
    spec = made["spec"]
    template = spec["jobTemplate"]["spec"]["template"] if made["kind"] == "CronJob" else spec["template"]
    return sorted(container["image"] for container in template["spec"]["containers"])


def _copies(made: JSON) -> int | None:
    """None where something else decides: an autoscaler, the number of nodes."""
    found = made["spec"].get("replicas")
    return found if isinstance(found, int) else None
