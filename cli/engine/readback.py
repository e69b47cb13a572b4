"""Asks the cluster what became of pending operations: each object through the cluster of its own provider."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from cli.engine.repair import Found, Operation, provider_inputs
from cli.errors import TurnoutError
from cli.kube.client import Kube
from cli.kube.errors import Unreachable

JSON = dict[str, Any]


def look(state: JSON, operations: Sequence[Operation]) -> list[Found]:
    """What is there for each operation, in their order. What a cluster does not tell is unknown, and no error."""
    resources = state["deployment"].get("resources") or []
    with ExitStack() as stack:
        clusters = _Clusters(stack)
        return [_look(clusters, provider_inputs(resources, one.resource), one) for one in operations]


class _Clusters:
    """A client for each cluster that a provider is configured for; one that does not answer is not asked again."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._open: dict[tuple[str, ...], Kube | TurnoutError] = {}

    def find(self, inputs: JSON, operation: Operation) -> JSON | None:
        """The operation's object; None when it is not there. Raises TurnoutError when nobody can tell."""
        place = _place(inputs)
        if place not in self._open:
            self._open[place] = self._connected(*place)
        kube = self._open[place]
        if isinstance(kube, TurnoutError):
            raise kube
        try:
            return kube.find(*_named(operation))
        except Unreachable as error:
            self._open[place] = error
            raise

    def _connected(self, kubeconfig: str, context: str, cluster: str) -> Kube | TurnoutError:
        from cli.kube.config import endpoint

        try:
            return self._stack.enter_context(Kube(endpoint(kubeconfig or None, context or None, cluster or None)))
        except TurnoutError as error:
            return error


def _look(clusters: _Clusters, inputs: JSON, operation: Operation) -> Found:
    if not operation.is_kubernetes:
        return Found()
    try:
        return Found(clusters.find(inputs, operation))
    except TurnoutError as error:
        return Found(unknown=error.why or error.what)


def _place(inputs: JSON) -> tuple[str, str, str]:
    kubeconfig, context, cluster = (inputs.get(key) or "" for key in ("kubeconfig", "context", "cluster"))
    if not all(isinstance(value, str) for value in (kubeconfig, context, cluster)):
        raise TurnoutError("where its provider works is a secret of the state")
    return kubeconfig, context, cluster


def _named(operation: Operation) -> tuple[str, str, str, str | None]:
    from cli.provider import kinds

    type_ = kinds.of_token(operation.resource["type"])
    namespace, name = kinds.parse_id(operation.id or "")
    return type_.api_version, type_.kind, name, namespace
