"""Who we are to the cluster, and what time it has: one question to the API server answers both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.kube.client import Kube

_REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def username(kube: Kube) -> str:
    """The name under which the API server knows us (SelfSubjectReview, stable since Kubernetes 1.28)."""
    review = _review(kube)
    return str(review.get("status", {}).get("userInfo", {}).get("username", "")) or "unknown"


def server_time(kube: Kube) -> str:
    """Now by the API server's clock, as it stamps objects."""
    return str(_review(kube)["metadata"].get("creationTimestamp") or "")


def _review(kube: Kube) -> dict[str, Any]:
    from cli.kube.requests import Request

    body = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
    answer: dict[str, Any] = kube.request(Request("POST", _REVIEW, "ask who we are", body=body)).json()
    return answer
