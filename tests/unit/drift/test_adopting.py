"""Which setting says what somebody changed, and what no setting says."""

from __future__ import annotations

from typing import Any

import pytest

from cli.drift.adopting import edits
from cli.drift.declared import Declared
from cli.drift.managed import Item
from cli.drift.model import Drifted, Fate, Field, What
from cli.engine.model import ABSENT, SECRET
from tests.unit.drift.world import declared, deployment

CONFIG = {"turnout:app": {"services": {"web": {}, "auto": {"autoscale": {"minimum": 1}}}, "workers": {}}}
OWN = ("spec", "template", "spec", "containers", Item((("name", "web"),)))


def labelled(name: str = "web", component: str = "app") -> Declared:
    labels = {"app.kubernetes.io/name": name, "turnout.dev/component": component}
    made = deployment()
    return declared({**made, "metadata": {**made["metadata"], "labels": labels}})


def settled(*fields: Field, one: Declared | None = None, fate: Fate = Fate.CHANGED) -> tuple[dict[str, Any], list[str]]:
    """Setting → value, and why not."""
    one = one or labelled()
    made, unsaid = edits([(Drifted(one.place, one.urn, "app/web", fate, fields), one)], CONFIG)
    return {edit.key: edit.value for edit in made}, [row.why for row in unsaid]


def inside(*steps: Any, live: Any, before: Any = ABSENT, what: What = What.CHANGED) -> Field:
    from cli.drift.managed import written

    return Field(written((*OWN, *steps)), what, before, live, steps=(*OWN, *steps))


def item(name: str) -> Item:
    return Item((("name", name),))


WEB = "turnout:app.services.web"
REPLICAS = Field("spec.replicas", What.CHANGED, 2, 5, steps=("spec", "replicas"))


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (REPLICAS, {f"{WEB}.replicas": 5}),
        (Field("spec.minReadySeconds", What.ADDED, ABSENT, 9), {f"{WEB}.settle": 9}),
        (Field("spec.maxReplicas", What.CHANGED, 3, 9), {f"{WEB}.autoscale.maximum": 9}),
        (inside("resources", "requests", "cpu", live="1500m"), {f"{WEB}.resources.cpu": 1500}),
        (inside("resources", "requests", "cpu", live="2"), {f"{WEB}.resources.cpu": 2000}),
        (inside("resources", "limits", "memory", live="1Gi"), {f"{WEB}.resources.memory_limit": "1Gi"}),
        (inside("args", live=["serve", "-v"]), {f"{WEB}.args": ["serve", "-v"]}),
        (inside("env", item("LEVEL"), "value", live="debug"), {f"{WEB}.env.LEVEL": "debug"}),
        (
            inside("env", item("NEW"), live={"name": "NEW", "value": "1"}, what=What.ADDED),
            {f"{WEB}.env.NEW": "1"},
        ),
        (inside("env", item("LEVEL"), live=ABSENT, what=What.REMOVED), {f"{WEB}.env.LEVEL": ABSENT}),
        (inside("image", live="shop:2", before="shop:1"), {"turnout:app.version": "2"}),
        (
            inside("image", live=f"shop:2@sha256:{'a' * 64}", before="shop:1"),
            {"turnout:app.version": "2", "turnout:app.digest": f"sha256:{'a' * 64}"},
        ),
    ],
)
def test_a_setting_says_it(field: Field, found: dict[str, Any]) -> None:
    assert settled(field) == (found, [])


@pytest.mark.parametrize(
    ("field", "why"),
    [
        (Field("spec.template.spec.dnsPolicy", What.ADDED, ABSENT, "Default"), "no setting says this field"),
        (inside("image", live="other:2", before="shop:1"), "one repository"),
        (inside("env", item("HTTP_PORT"), "value", live="81"), "told by the component itself"),
        (inside("env", item("PASSWORD"), "value", live=SECRET), "it is a secret"),
        (inside("env", item("X"), live={"name": "X", "valueFrom": {}}, what=What.ADDED), "is a text"),
        (inside("resources", "limits", "cpu", live="1"), "no setting says this field"),
        (Field("spec.replicas", What.REMOVED, 2, ABSENT), "has to have a value"),
    ],
)
def test_no_setting_says_it(field: Field, why: str) -> None:
    found, [said] = settled(field)
    assert found == {}
    assert why in said


def test_of_other_components_what_their_own_section_says() -> None:
    server = labelled("prometheus", "prometheus")
    memory = Field(
        "spec.template.spec.containers[prometheus].resources.requests.memory",
        What.CHANGED,
        "1Gi",
        "2Gi",
        steps=(*OWN[:-1], item("prometheus"), "resources", "requests", "memory"),
    )
    assert settled(REPLICAS, memory, one=server)[0] == {
        "turnout:prometheus.replicas": 5,
        "turnout:prometheus.resources.memory": "2Gi",
    }
    assert settled(REPLICAS, one=labelled("redis", "redis"))[0] == {}


def test_a_sidecar_a_deletion_and_strangers_are_not_for_settings() -> None:
    sidecar = Field(
        "spec.template.spec.containers[proxy]", What.ADDED, ABSENT, {"name": "proxy"}, steps=(*OWN[:-1], item("proxy"))
    )
    assert settled(sidecar)[0] == {}
    assert "whether it is there" in settled(fate=Fate.DELETED)[1][0]
    assert "no part of the settings" in settled(REPLICAS, one=labelled("unknown"))[1][0]
    assert "counts its copies" in settled(REPLICAS, one=labelled("auto"))[1][0]
