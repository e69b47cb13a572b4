"""Inputs that Check takes or refuses: what stands before any plan."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.parity.pair import Manifest

CONFIG_MAP, DEPLOYMENT = "kubernetes:core/v1:ConfigMap", "kubernetes:apps/v1:Deployment"
_IDENTITY = {"apiVersion": "v1", "kind": "ConfigMap"}
_NAMED = {**_IDENTITY, "metadata": {"name": "n"}}


@dataclass(frozen=True)
class Asked:
    """`autonaming`: what the engine's configuration says of made-up names: "", "disable" or "propose"."""

    name: str
    token: str
    new: Manifest
    old: Manifest = field(default_factory=dict)
    autonaming: str = ""


ASKED = [
    Asked("named", CONFIG_MAP, _NAMED),
    Asked("unnamed", CONFIG_MAP, _IDENTITY),
    Asked("unnamed-empty-metadata", CONFIG_MAP, {**_IDENTITY, "metadata": {}}),
    Asked("unnamed-null", CONFIG_MAP, {**_IDENTITY, "metadata": {"name": None}}),
    Asked("unnamed-later", CONFIG_MAP, _IDENTITY, _NAMED),
    Asked("generated-name", CONFIG_MAP, {**_IDENTITY, "metadata": {"generateName": "n-"}}),
    Asked("generated-name-later", CONFIG_MAP, {**_IDENTITY, "metadata": {"generateName": "n-"}}, _NAMED),
    Asked("generated-and-named", CONFIG_MAP, {**_IDENTITY, "metadata": {"generateName": "n-", "name": "n"}}),
    Asked("autonaming-disabled", CONFIG_MAP, _IDENTITY, autonaming="disable"),
    Asked("autonaming-disabled-named", CONFIG_MAP, _NAMED, autonaming="disable"),
    Asked("autonaming-proposed", CONFIG_MAP, _IDENTITY, autonaming="propose"),
    Asked("patch-named", "kubernetes:core/v1:ConfigMapPatch", _NAMED),
    Asked("patch-unnamed", "kubernetes:core/v1:ConfigMapPatch", _IDENTITY),
    Asked("list", "kubernetes:core/v1:ConfigMapList", {"apiVersion": "v1", "kind": "ConfigMapList", "items": []}),
    Asked("misspelled", CONFIG_MAP, {**_NAMED, "dta": {}}),
    Asked("other-kind", DEPLOYMENT, _NAMED),
    Asked("wrong-type", CONFIG_MAP, {**_NAMED, "data": "text"}),
    Asked("custom", "kubernetes:example.com/v1:Widget", {"apiVersion": "example.com/v1", "kind": "Widget"}),
]
