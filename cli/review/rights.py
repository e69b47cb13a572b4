"""Who may do more in the cluster after a plan: roles, bindings, admission policies, namespaces. Pure.

A role only ever adds (kubernetes.io, "Using RBAC Authorization"): it is wider when it grants something that nothing in
it covered before.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final, NamedTuple

from cli.review.facts import Fact, listed
from cli.review.objects import Key, Manifest, mapping, rows, text, values
from cli.review.world import Touched, World

_ROLES: Final = ("Role", "ClusterRole")
_BINDINGS: Final = ("RoleBinding", "ClusterRoleBinding")
_ADMISSION: Final = (
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
)
_RBAC: Final = "rbac.authorization.k8s.io"
_ALL: Final = "*"
_SELF_MADE: Final = frozenset({"escalate", "bind", "impersonate"})
"""Verbs by which whoever has them can give themselves all others."""
_ADMIN: Final = frozenset({"cluster-admin", "system:masters"})
_ENFORCE: Final = "pod-security.kubernetes.io/enforce"
_STRICTNESS: Final = ("privileged", "baseline", "restricted")
_REFUSES_LESS: Final = "refuses less"


class Grant(NamedTuple):
    """`name` empty: every object of the resource."""

    verb: str
    group: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        about = f"{self.resource}{f'.{self.group}' if self.group else ''}{f' {self.name}' if self.name else ''}"
        return f"{self.verb} {about}"

    def covers(self, other: Grant) -> bool:
        return (
            self.verb in (_ALL, other.verb)
            and self.group in (_ALL, other.group)
            and self.resource in (_ALL, other.resource)
            and self.name in ("", other.name)
        )

    @property
    def is_any(self) -> bool:
        return _ALL in (self.verb, self.group, self.resource) or self.verb in _SELF_MADE


def facts(there: World) -> Iterator[Fact]:
    for one in there.of(*_ROLES):
        yield from _role(one)
    for one in there.of(*_BINDINGS):
        yield from _binding(there, one)
    for one in there.of(*_ADMISSION):
        yield from _admission(one)
    for one in there.of("Namespace"):
        yield from _namespace(one)


def _role(one: Touched) -> Iterator[Fact]:
    before = set(grants(one.before))
    gained = [each for each in sorted(set(grants(one.after))) if not any(had.covers(each) for had in before)]
    any_right = [each for each in gained if each.is_any]
    if any_right:
        yield one.fact("any-right", f"may {listed(map(str, any_right))}")
    if rest := [each for each in gained if not each.is_any]:
        code, verb = ("widens-role", "may also") if one.before else ("adds-rights", "may")
        yield one.fact(code, f"{verb} {listed(map(str, rest))}")


def grants(role: Manifest) -> Iterator[Grant]:
    for rule in rows(role, "rules"):
        verbs, names = _texts(rule, "verbs"), _texts(rule, "resourceNames") or [""]
        for verb, path in product(verbs, _texts(rule, "nonResourceURLs")):
            yield Grant(verb, "", path)
        for verb, group, resource, name in product(verbs, _texts(rule, "apiGroups"), _texts(rule, "resources"), names):
            yield Grant(verb, group, resource, name)


def _texts(rule: Manifest, name: str) -> list[str]:
    return [each for each in values(rule, name) if isinstance(each, str)]


def _binding(there: World, one: Touched) -> Iterator[Fact]:
    role = text(one.after, "roleRef", "name")
    same_role = mapping(one.before, "roleRef") == mapping(one.after, "roleRef")
    before = set(_subjects(one.before)) if same_role else set()
    gained = sorted(set(_subjects(one.after)) - before)
    if gained and role in _ADMIN:
        yield one.fact("any-right", f"makes {listed(gained)} {role}")
    elif given := [who for who in gained if not _is_own(there, one, who)]:
        kind = text(one.after, "roleRef", "kind")
        yield one.fact("grants-role", f"gives {kind} {role} to {listed(given)}")


def _subjects(binding: Manifest) -> Iterator[str]:
    for row in rows(binding, "subjects"):
        namespace = text(row, "namespace") or text(binding, "metadata", "namespace")
        inside = f"{namespace}/" if row.get("kind") == "ServiceAccount" and namespace else ""
        yield f"{text(row, 'kind')} {inside}{text(row, 'name')}"


def _is_own(there: World, one: Touched, who: str) -> bool:
    """A new account with a new role of its own: that role is told of by itself."""
    kind = text(one.after, "roleRef", "kind")
    namespace = one.key.namespace if kind == "Role" else ""
    role = Key(_RBAC, kind, namespace, text(one.after, "roleRef", "name"))
    account = Key("", "ServiceAccount", *who.removeprefix("ServiceAccount ").partition("/")[::2])
    new = role in there.after and role not in there.before
    return new and account in there.after and account not in there.before


def _admission(one: Touched) -> Iterator[Fact]:
    if one.deleted:
        yield one.fact("weakens-admission", "is deleted: what it refused is let in")
    elif one.before and one.after and not one.is_new:
        weaker = list(_weaker(one.before, one.after))
        yield from (one.fact("weakens-admission", said) for said in weaker)
        if not weaker and _body(one.before) != _body(one.after):
            yield one.fact("changes-admission", "asks for something else")


def _weaker(before: Manifest, after: Manifest) -> Iterator[str]:
    if _fails(before) and not _fails(after):
        yield "lets in what it cannot judge: its failure policy is Ignore"
    if "Deny" in _texts(mapping(before, "spec"), "validationActions") and "Deny" not in _texts(
        mapping(after, "spec"), "validationActions"
    ):
        yield f"{_REFUSES_LESS}: it no longer denies"
    for name, what in (("validations", "check"), ("webhooks", "webhook")):
        left, right = (len(rows(_body(side), name)) for side in (before, after))
        if right < left:
            yield f"{_REFUSES_LESS}: it has {right} {what}{'s' * (right != 1)} instead of {left}"
    left, right = (len(rows(mapping(side, "spec"), "matchConditions")) for side in (before, after))
    if right > left:
        yield f"{_REFUSES_LESS}: it has {right} match condition{'s' * (right != 1)} instead of {left}"


def _fails(made: Manifest) -> bool:
    """Whether what cannot be judged is refused, which is the default."""
    stated = [text(made, "spec", "failurePolicy"), *(text(row, "failurePolicy") for row in rows(made, "webhooks"))]
    return "Ignore" not in stated


def _body(made: Manifest) -> Manifest:
    return mapping(made, "spec") or {name: value for name, value in made.items() if name == "webhooks"}


def _namespace(one: Touched) -> Iterator[Fact]:
    before, after = (_enforced(side) for side in (one.before, one.after))
    if one.before and one.after and _STRICTNESS.index(after) < _STRICTNESS.index(before):
        yield one.fact("loosens-namespace", f"lets in pods that are {after}, not only {before} ones")


def _enforced(namespace: Manifest) -> str:
    stated = text(namespace, "metadata", "labels", _ENFORCE)
    return stated if stated in _STRICTNESS else _STRICTNESS[0]
