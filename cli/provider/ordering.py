"""In which order the objects of a group are registered, and what each waits for. Pure.

The rules of the official provider (kubernetes-sigs/cli-utils): a custom resource after its definition, an object after
its namespace, and whatever the annotations below name. Objects that wait for nothing of each other come by kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cli.provider.manifests import documents
from cli.provider.values import Properties, plain

DEPENDS_ON = "config.kubernetes.io/depends-on"
MUTATION = "config.kubernetes.io/apply-time-mutation"

_FIRST = (
    *("/Namespace", "/ResourceQuota", "storage.k8s.io/StorageClass", "apiextensions.k8s.io/CustomResourceDefinition"),
    *("admissionregistration.k8s.io/MutatingWebhookConfiguration", "/ServiceAccount", "policy/PodSecurityPolicy"),
    *("rbac.authorization.k8s.io/Role", "rbac.authorization.k8s.io/ClusterRole"),
    *("rbac.authorization.k8s.io/RoleBinding", "rbac.authorization.k8s.io/ClusterRoleBinding"),
    *("/ConfigMap", "/Secret", "/Service", "/LimitRange", "scheduling.k8s.io/PriorityClass"),
    *("apps/Deployment", "apps/StatefulSet", "batch/CronJob", "policy/PodDisruptionBudget"),
)
_LAST = ("admissionregistration.k8s.io/ValidatingWebhookConfiguration",)
_RANK = {name: index - len(_FIRST) for index, name in enumerate(_FIRST)} | {_LAST[0]: 1}


class Identity(NamedTuple):
    """What an object is known by, whichever version it is written in."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return "/".join(part for part in self if part)


def identity(obj: Properties) -> Identity:
    metadata = plain(obj["metadata"])
    group = str(obj["apiVersion"]).rpartition("/")[0]
    return Identity(group, str(obj["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"]))


def ordered(objects: Sequence[Properties]) -> list[tuple[Properties, list[Identity]]]:
    """Each object, after all that it waits for, with what it waits for. Of two with one identity the last counts.

    Raises ValueError for a reference that cannot be read, or to what is not there, and for a cycle.
    """
    there = {identity(obj): obj for obj in objects}
    needs = {key: list(dict.fromkeys(_needs(key, there))) for key in there}
    return [(there[key], needs[key]) for key in _in_turn(needs)]


def _in_turn(needs: Mapping[Identity, Sequence[Identity]]) -> Iterator[Identity]:
    left = dict(needs)
    while left:
        free = sorted((key for key, wanted in left.items() if not any(need in left for need in wanted)), key=_rank)
        if not free:
            raise ValueError(f"these objects wait for each other: {', '.join(sorted(map(str, left)))}")
        yield from free
        for key in free:
            del left[key]


def _rank(key: Identity) -> tuple[Any, ...]:
    return (_RANK.get(f"{key.group}/{key.kind}", 0), *key)


def _needs(key: Identity, there: Mapping[Identity, Properties]) -> Iterator[Identity]:
    yield from (other for other, obj in there.items() if _defines(obj) == (key.group, key.kind))
    if key.namespace and (space := Identity("", "Namespace", "", key.namespace)) in there:
        yield space
    notes = (plain(there[key].get("metadata")) or {}).get("annotations") or {}
    for text in filter(None, str(notes.get(DEPENDS_ON) or "").split(",")):
        yield _present(key, _parse(text.strip()), there)
    for row in documents(str(notes.get(MUTATION) or "")):
        for substitution in row if isinstance(row, list) else []:
            yield _present(key, _source(substitution.get("sourceRef") or {}), there)


def _present(key: Identity, needed: Identity, there: Mapping[Identity, Properties]) -> Identity:
    if needed not in there:
        raise ValueError(f"{key} waits for {needed}, which is not among these manifests")
    return needed


def _parse(text: str) -> Identity:
    parts = text.split("/")
    if len(parts) == 5 and parts[1] == "namespaces":
        return Identity(parts[0], parts[3], parts[2], parts[4])
    if len(parts) == 3:
        return Identity(parts[0], parts[1], "", parts[2])
    raise ValueError(f"{DEPENDS_ON}: expected GROUP/KIND/NAME or GROUP/namespaces/NAMESPACE/KIND/NAME, got {text!r}")


def _source(ref: Mapping[str, Any]) -> Identity:
    group = ref.get("group") or str(ref.get("apiVersion") or "").rpartition("/")[0]
    return Identity(str(group), str(ref.get("kind")), str(ref.get("namespace") or ""), str(ref.get("name")))


def _defines(obj: Properties) -> tuple[str, str] | None:
    if obj["kind"] != "CustomResourceDefinition":
        return None
    spec = plain(obj.get("spec")) or {}
    return str(spec.get("group")), str((spec.get("names") or {}).get("kind"))
