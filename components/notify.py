"""Whom `turnout` tells about rollouts: a Secret in the control namespace, for whoever drives one from anywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import pulumi

from components.environment import Environment
from components.kubernetes import apply
from components.manifest import Manifest
from components.names import NOTIFY
from components.rollout.settings import NotifySettings
from components.secret import Secret


class Notify(pulumi.ComponentResource):
    """The addresses that the settings name; nothing where they name none."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        wanted: Mapping[str, NotifySettings],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("turnout:environment:Notify", name, None, opts)
        if wanted:
            own = pulumi.ResourceOptions(parent=self)
            apply(manifest(environment, wanted), environment=environment, opts=own)
        self.register_outputs({})


def manifest(environment: Environment, wanted: Mapping[str, NotifySettings]) -> Manifest:
    """One key for each: JSON of its Apprise address (`url`) and of what it is told (`when`)."""
    placement = environment.place("control", NOTIFY)
    metadata = {"name": NOTIFY, "namespace": placement.namespace, "labels": placement.labels(NOTIFY)}
    data = {name: _encoded(one) for name, one in sorted(wanted.items())}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}


def _encoded(one: NotifySettings) -> Secret:
    text = json.dumps({"url": one.url.reveal(), "when": list(one.when)})
    return Secret(base64.b64encode(text.encode()).decode())
