"""What lets people find their way: names that the API server takes, labels, and a page for every alert. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from infra.policies.rule import ALWAYS, SHARED, Fault, rule
from infra.policies.world import Pod, Thing, World
from infra.reading import entries, mapping

_LABELS: Final = tuple(f"app.kubernetes.io/{name}" for name in ("name", "part-of", "managed-by"))
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_VALUE: Final = re.compile(r"([A-Za-z0-9]([-\w.]*[A-Za-z0-9])?)?")
_LIMITS: Final = {"Namespace": 63, "Service": 63, "CronJob": 52, "StatefulSet": 52, "Job": 63}
"""Longest names of kinds whose name becomes a label or a host's name; 253 for all others."""
_FREE: Final = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
"""Kinds whose names may hold more."""
_ALERT: Final = re.compile(r"^[ \t]*(?:- )?[\"']?(alert|record)[\"']?:[ \t]*[\"']?([^\s\"']+)", re.MULTILINE)
_PAGE: Final = re.compile(r"^[ \t]*[\"']?(runbook|runbook_url)[\"']?:[ \t]*\S", re.MULTILINE)
_PAGES: Final = ("runbook", "runbook_url")


@rule(
    "legal-names",
    World.everything,
    why="the API server refuses such a name in the middle of an apply, when others have been changed already",
    remedy="lower-case letters, digits and dashes, at most 63 characters (52 for a StatefulSet or a CronJob)",
    levels=ALWAYS,
)
def legal_names(made: Thing) -> Iterator[Fault]:
    limit = _LIMITS.get(made.kind, 253)
    shape = _LABEL if made.kind in _LIMITS else _SUBDOMAIN
    if made.kind not in _FREE and not (len(made.name) <= limit and shape.fullmatch(made.name)):
        yield Fault("metadata.name", f"`{made.name[:80]}` is no legal name of a {made.kind}")
    for key, value in made.labels.items():
        if isinstance(value, str) and not (len(value) <= 63 and _VALUE.fullmatch(value)):
            yield Fault(f'metadata.labels["{key}"]', "has no legal value")


@rule(
    "labels",
    World.pods,
    why="dashboards, network policies and people find a workload by its labels, and only by these",
    remedy=", ".join(_LABELS),
    levels=SHARED,
)
def labels(pod: Pod) -> Iterator[Fault]:
    template = f"{pod.path.removesuffix('spec')}metadata.labels"
    for path, found in (("metadata.labels", pod.labels), (template, pod.pod_labels)):
        if missing := [name for name in _LABELS if not found.get(name)]:
            yield Fault(path, f"lacks {', '.join(missing)}")


@rule(
    "alert-runbook",
    lambda world: (each for each in world.of("ConfigMap", "PrometheusRule") if any(_alerts(each))),
    why="an alert wakes somebody who has never seen it; without a page they start with reading the rule",
    remedy="the annotation `runbook`, a page under runbooks/, or `runbook_url`",
    levels=ALWAYS,
)
def alert_runbook(made: Thing) -> Iterator[Fault]:
    for path, name, has_page in _alerts(made):
        if not has_page:
            yield Fault(path, f"the alert {name} names no runbook")


def _alerts(made: Thing) -> Iterator[tuple[str, str, bool]]:
    """Each alert with where it stands, and whether it names its page."""
    if made.kind == "PrometheusRule":
        yield from _of_resource(made.spec)
        return
    for key, text in mapping(made.made.get("data")).items():
        if isinstance(text, str) and "alert" in text and "expr" in text:
            yield from ((f'data["{key}"]', name, has) for name, has in _of_text(text))


def _of_resource(spec: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for group_at, group in enumerate(entries(spec.get("groups"))):
        for at, one in enumerate(entries(group.get("rules"))):
            if one.get("alert"):
                path = f"spec.groups[{group_at}].rules[{at}]"
                yield path, str(one["alert"]), any(mapping(one.get("annotations")).get(name) for name in _PAGES)


def _of_text(text: str) -> Iterator[tuple[str, bool]]:
    """Rules of a file, which are many: each is what stands from its own name to the next one's."""
    found = list(_ALERT.finditer(text))
    ends = [*(one.start() for one in found), len(text)][1:]
    for one, end in zip(found, ends, strict=False):
        if one[1] == "alert":
            yield one[2], bool(_PAGE.search(text, one.start(), end))


RULES: Final = (legal_names, labels, alert_runbook)
