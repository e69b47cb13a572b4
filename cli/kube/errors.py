"""What an API server can answer instead of doing what was asked.

TurnoutError
└── KubeError            any other refusal
    ├── Unreachable      no answer: wrong address, certificate, network, or a write whose outcome is unknown
    ├── Unsettled        a create whose outcome is unknown, and could not be read back either
    ├── Stopped          told to end while waiting to ask again
    ├── Unauthorized     401: who we are is not accepted
    ├── Forbidden        403: the right is missing, or an admission policy refused
    ├── NotFound         404
    ├── UnknownKind      the server serves no such kind
    ├── AlreadyExists    409 on a create
    ├── Conflict         409: another writer was there first, or another manager owns the field
    ├── Expired          410: the watch must start again from a list
    └── Invalid          422 and 400: the object is not acceptable
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.errors import TurnoutError


class KubeError(TurnoutError):
    """A refusal of the API server. `status` is its HTTP code (0 when there was no answer), `message` its own words."""

    def __init__(self, what: str, *, why: str = "", next: str = "", status: int = 0, message: str = "") -> None:
        super().__init__(what, why=why, next=next)
        self.status = status
        self.message = message or why or what


class Unreachable(KubeError):
    pass


class Unsettled(KubeError):
    pass


class Stopped(KubeError):
    pass


class Unauthorized(KubeError):
    pass


class Forbidden(KubeError):
    pass


class NotFound(KubeError):
    pass


class UnknownKind(KubeError):
    pass


class AlreadyExists(KubeError):
    pass


class Invalid(KubeError):
    pass


class Expired(KubeError):
    pass


@dataclass(frozen=True)
class Claim:
    """One field that another manager owns."""

    manager: str
    field: str

    def __str__(self) -> str:
        return f"{self.manager} owns {self.field}"


class Conflict(KubeError):
    """`claims` names the managers and fields of an apply conflict; none when only the resourceVersion was stale."""

    claims: tuple[Claim, ...] = ()


def no_credentials(why: str) -> Unauthorized:
    """The credential plugin that the kubeconfig names could not give a token."""
    return Unauthorized(
        "no credentials for the cluster",
        why=why,
        next="log in again, or choose another context: kubectl config get-contexts",
        status=401,
    )


def from_answer(action: str, status: int, body: bytes) -> KubeError:
    """The error for an answer of 400 or above. `action` says what was tried, like `create Deployment dev/api-a`."""
    answer = _status_object(body)
    message = str(answer.get("message") or body[:300].decode(errors="replace").strip() or f"HTTP {status}")
    reason = str(answer.get("reason") or "")
    known: dict[str, Any] = {"status": status, "message": message, "why": message}
    if status == 401:
        return Unauthorized(
            f"the cluster does not accept our credentials ({action})",
            next="log in again, or choose another context: kubectl config get-contexts",
            **known,
        )
    if status == 403:
        return Forbidden(f"not allowed: {action}", next=_right_check(answer, action), **known)
    if status == 404:
        return NotFound(f"not found: {action}", **known)
    if status == 409 and reason == "AlreadyExists":
        return AlreadyExists(f"it exists already: {action}", **known)
    if status == 409:
        return _conflict(action, answer, known)
    if status == 410:
        return Expired(f"too old: {action}", **known)
    if status in (400, 422):
        return Invalid(f"the API server refuses it: {action}", **known)
    return KubeError(f"the API server answered {status}: {action}", next="try again in a minute", **known)


def _status_object(body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _right_check(answer: Mapping[str, Any], action: str) -> str:
    """How to see the missing right; nothing where it was an admission policy that refused."""
    if not answer.get("message"):
        return f"ask for that right{_asked_for(action)}"
    details = answer.get("details") or {}
    kind = ".".join(part for part in (details.get("kind", ""), details.get("group", "")) if part)
    if not kind or " cannot " not in str(answer["message"]):
        return ""
    words = str(answer["message"]).split(" cannot ", 1)[1].split()
    namespace = str(answer["message"]).split('in the namespace "')
    where = f" --namespace {namespace[1].split(chr(34))[0]}" if len(namespace) > 1 else ""
    return f"ask for that right, then check it: kubectl auth can-i {words[0]} {kind}{where}"


_VERBS = {"apply": "patch", "replace": "update"}
_OF_ONE = re.compile(
    r"(?P<verb>get|create|apply|replace|patch|delete) (?P<kind>\S+) (?:(?P<namespace>[^/\s]+)/)?[^/\s]+"
)
_OF_ALL = re.compile(r"(?P<verb>list|watch) (?P<kind>\S+)(?: in (?P<namespace>\S+))?")


def _asked_for(action: str) -> str:
    """`apply Deployment dev/api` as kubectl's `patch deployment --namespace dev`; empty for what has no such form."""
    match = _OF_ONE.fullmatch(action) or _OF_ALL.fullmatch(action)
    if match is None:
        return ""
    where = f" --namespace {match['namespace']}" if match["namespace"] else ""
    verb = _VERBS.get(match["verb"], match["verb"])
    return f", then check it: kubectl auth can-i {verb} {match['kind'].lower()}{where}"


def _conflict(action: str, answer: Mapping[str, Any], known: Mapping[str, Any]) -> Conflict:
    claims = tuple(claim for cause in (answer.get("details") or {}).get("causes", []) if (claim := _claim(cause)))
    if not claims:
        return Conflict(f"somebody changed it at the same time: {action}", next="run the same command again", **known)
    owners = sorted({claim.manager for claim in claims})
    error = Conflict(
        f"another manager owns what would change: {action}",
        why="; ".join(str(claim) for claim in claims),
        next=(
            f"leave the field out of the settings, add it to ignoreChanges, or take it from {' and '.join(owners)} "
            'with the annotation pulumi.com/patchForce: "true"'
        ),
        status=known["status"],
        message=known["message"],
    )
    error.claims = claims
    return error


def _claim(cause: Mapping[str, Any]) -> Claim | None:
    """`conflict with "kubectl" using apps/v1` and the cause's field `.spec.replicas`."""
    if cause.get("reason") != "FieldManagerConflict":
        return None
    words = str(cause.get("message", "")).split('"')
    return Claim(words[1] if len(words) > 1 else "somebody", str(cause.get("field", "")))
