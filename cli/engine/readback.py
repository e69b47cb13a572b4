"""Asks the cluster what became of pending operations: each object through the cluster of its own provider."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cli.engine.repair import Found, Operation, provider_inputs
from cli.engine.store import sealed
from cli.errors import TurnoutError
from cli.kube.client import Kube
from cli.kube.errors import Unreachable

JSON = dict[str, Any]

_NAMING = ("kubeconfig", "context", "cluster")
"""The settings of a provider that say which cluster it works on."""


def look(state: JSON, operations: Sequence[Operation], root: Path, variables: Mapping[str, str]) -> list[Found]:
    """What is there for each operation, in their order. What a cluster does not tell is unknown, and no error.

    `root`, `variables`: where the passphrase is found, for a provider whose kubeconfig is a secret.
    """
    deployment = state["deployment"]
    resources = deployment.get("resources") or []

    def settings(operation: Operation) -> JSON:
        return opened(provider_inputs(resources, operation.resource), deployment, root, variables)

    with ExitStack() as stack:
        clusters = _Clusters(stack)
        return [_look(clusters, settings, one) for one in operations]


def opened(inputs: JSON, deployment: JSON, root: Path, variables: Mapping[str, str]) -> JSON:
    """Which cluster a provider works on, in plain. Raises TurnoutError where it stays closed."""
    named = {key: inputs[key] for key in _NAMING if inputs.get(key)}
    if any(isinstance(value, dict) for value in named.values()):
        closed = {"secrets_providers": deployment.get("secrets_providers"), "resources": [named]}
        [named] = sealed.opened(closed, root, variables)
    return {key: _plain(value) for key, value in named.items()}


def _plain(value: Any) -> str:
    """A secret holds the JSON text of its value."""
    text = json.loads(next(iter(value.values())) or "null") if isinstance(value, dict) else value
    if not isinstance(text, str):
        raise TurnoutError("where its provider works is a secret, whose key is not at hand")
    return text


class _Clusters:
    """A client for each cluster that a provider is configured for; one that does not answer is not asked again."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._open: dict[tuple[str, ...], Kube | TurnoutError] = {}

    def find(self, inputs: JSON, operation: Operation) -> JSON | None:
        """The operation's object; None when it is not there. Raises TurnoutError when nobody can tell."""
        place = tuple(inputs.get(key) or "" for key in _NAMING)
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


def _look(clusters: _Clusters, settings: Callable[[Operation], JSON], operation: Operation) -> Found:
    if not operation.is_kubernetes:
        return Found()
    try:
        return Found(clusters.find(settings(operation), operation))
    except TurnoutError as error:
        return Found(unknown=error.why or error.what)


def _named(operation: Operation) -> tuple[str, str, str, str | None]:
    from cli.provider import kinds

    type_ = kinds.of_token(operation.resource["type"])
    namespace, name = kinds.parse_id(operation.id or "")
    return type_.api_version, type_.kind, name, namespace
