"""Environments beside one another: a tag that means two images, namespaces that two of them would share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from cli.validate.model import Finding, Level
from cli.validate.project import Environment, Project
from components.environment import Namespaces
from infra.model import Settings

Pair = tuple[Environment, Settings]


def check(project: Project) -> Iterator[Finding]:
    for one, other in combinations(project.settings(), 2):
        yield from _moved_tag(one, other)
        yield from _shared_namespace(one, other)
        yield from _shared_cluster(one, other)


def _moved_tag(one: Pair, other: Pair) -> Iterator[Finding]:
    """An image's version and its digest are one fact said twice."""
    (here, mine), (there, theirs) = one, other
    a, b = mine.app, theirs.app
    if a.image != b.image or not a.digest or not b.digest:
        return
    if (a.version == b.version) != (a.digest == b.digest):
        what = "one version, two digests" if a.version == b.version else "one digest, two versions"
        places = (here.at("app", "digest"), there.at("app", "digest"), here.at("app", "version"))
        message = f"{here.name} and {there.name}: {what} ({a.version} and {b.version})"
        remedy = f"turnout promote {here.name} {there.name} writes what {here.name} serves"
        yield Finding("contradiction", Level.ERROR, places, message, remedy)


def _shared_namespace(one: Pair, other: Pair) -> Iterator[Finding]:
    (here, mine), (there, theirs) = one, other
    shared = _namespaces(here) & _namespaces(there)
    if shared and _where(mine) == _where(theirs):
        places = (here.at("cluster"), there.at("cluster"))
        message = f"{here.name} and {there.name} would share the namespace {sorted(shared)[0]} of one cluster"
        yield Finding("contradiction", Level.ERROR, places, message, "give one of them another name, or cluster")


def _shared_cluster(one: Pair, other: Pair) -> Iterator[Finding]:
    (here, mine), (there, theirs) = one, other
    if "prod" in (mine.tier, theirs.tier) and mine.tier != theirs.tier and _where(mine) == _where(theirs):
        places = (here.at("cluster"), there.at("cluster"))
        message = f"{here.name} and {there.name} run in one cluster, {_where(mine)[2] or _where(mine)[0]}"
        yield Finding("shared-cluster", Level.NOTE, places, message, "keep prod in a cluster of its own")


def _namespaces(environment: Environment) -> set[str]:
    return set(vars(Namespaces.of(environment.name)).values())


def _where(settings: Settings) -> tuple[str | None, str | None, str | None]:
    cluster = settings.cluster
    return cluster.sandbox, str(cluster.kubeconfig) if cluster.kubeconfig else None, cluster.context
