"""Field managers by the names that people know them by, and what each may do without it being drift. Pure."""

from __future__ import annotations

from typing import Final

from cli.rollout import control, moves
from components.manifest import FIELD_MANAGER

_WORDS: Final = {
    "kubectl-edit": "kubectl edit",
    "kubectl-client-side-apply": "kubectl apply",
    "kubectl-last-applied": "kubectl apply",
    "before-first-apply": "before the first apply",
    "kubectl-patch": "kubectl patch",
    "kubectl-set": "kubectl set",
    "kubectl-label": "kubectl label",
    "kubectl-annotate": "kubectl annotate",
    "kubectl-create": "kubectl create",
    "kubectl-run": "kubectl run",
    "kubectl-expose": "kubectl expose",
    "kubectl-replace": "kubectl replace",
    "kubectl-rollout": "kubectl rollout",
    "kubectl-autoscale": "kubectl autoscale",
    "kubectl-taint": "kubectl taint",
    "kubectl": "kubectl",
    "kube-controller-manager": "Kubernetes' controllers",
    "kube-scheduler": "Kubernetes' scheduler",
    "kubelet": "the node",
    "cloud-controller-manager": "the cloud's controllers",
    "cainjector": "cert-manager",
    "cert-manager-cainjector": "cert-manager",
    "vpa-updater": "the vertical autoscaler",
    "keda": "KEDA",
    "helm": "Helm",
    "argocd-controller": "Argo CD",
    "argocd-application-controller": "Argo CD",
    "kustomize-controller": "Flux",
    "helm-controller": "Flux",
    "k9s": "k9s",
    "node-fetch": "a desktop client (Lens, Headlamp)",
    "Mozilla": "a web console",
    "OpenAPI-Generator": "a script with a Kubernetes library",
    "python-requests": "a Python script",
    "curl": "curl",
}
_AUTOSCALER: Final = "the horizontal autoscaler"

OWN: Final = (FIELD_MANAGER, "pulumi-kubernetes", "pulumi-resource-kubernetes")
"""Who applies what is declared; the last two make an object, the first keeps it."""

OURS: Final = (moves.MANAGER, control.MANAGER)
"""Who moves what is a rollout's, under rules of its own."""

_CONTROLLERS: Final = (
    *("kube-controller-manager", "kube-scheduler", "kubelet", "cloud-controller-manager", "kube-apiserver"),
    *("cainjector", "cert-manager-cainjector", "aws-load-balancer-controller", "glbc", "service-controller"),
)


def word(manager: str, subresource: str = "") -> str:
    """What people call it; empty when it is not known."""
    if manager == "kube-controller-manager" and subresource == "scale":
        return _AUTOSCALER
    if manager == "kubectl" and subresource == "scale":
        return "kubectl scale"
    return _WORDS.get(manager, "")


def is_own(manager: str) -> bool:
    return manager == FIELD_MANAGER or any(manager.startswith(name) for name in OWN[1:])


def is_ours(manager: str) -> bool:
    """Whether it is turnout, in whichever part."""
    return is_own(manager) or manager in OURS


def is_controller(manager: str) -> bool:
    """Whether it is a part of the cluster: what that adds to an object is no drift."""
    return manager in _CONTROLLERS
