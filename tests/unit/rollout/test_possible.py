"""What `rollback --check` and previews say of images: only nodes are asked, never a registry."""

from __future__ import annotations

from typing import Any

import pytest

from cli.rollout import possible
from cli.rollout.possible import Answer


@pytest.fixture
def stage(cluster: Any, make: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two releases of one Deployment; the second one runs. Which kinds are served is no question here."""
    monkeypatch.setattr(possible, "_kinds", lambda *_: None)
    for number, version in enumerate(("1", "2")):
        cluster.now = f"2026-01-01T00:0{number}:00Z"
        objects = [make.deployment("api", version)]
        cluster.put(make.record(f"release-{version}", objects)[0], "configmaps")
    cluster.put(make.ready(objects[0]), "deployments")
    return cluster


def node(*images: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "one"},
        "status": {"images": [{"names": list(images)}]},
    }


def answered(kube: Any, *, public: bool = True) -> tuple[Answer, str]:
    [found] = possible.ask(kube, "dev", public=public)
    return found, "\n".join([*possible.lines("dev", [found]), possible.summary([found])])


def test_an_image_that_a_node_has_makes_it_possible(stage: Any, kube: Any) -> None:
    stage.put(node("api:1"), "nodes")
    found, text = answered(kube)
    assert found.possible is True
    assert "could come back now (possible" in text


def test_an_image_that_no_node_has_makes_it_not_known(stage: Any, kube: Any) -> None:
    """The registry may have deleted it: to say `possible` would be a guess."""
    stage.put(node("api:2"), "nodes")
    found, text = answered(kube)
    assert found.possible is None
    assert found.to_json()["unknown"] == ["image api:1 is on no node, the registry must still have it"]
    assert "not known whether it is possible\n    not known: image api:1 is on no node" in text
    assert "whether release 1 could come back now is not known: image api:1 is on no node" in text


def test_nodes_that_do_not_say_make_it_not_known(stage: Any, kube: Any) -> None:
    stage.put({**node(), "status": {}}, "nodes")
    assert answered(kube)[0].possible is None


def test_where_nothing_can_be_pulled_an_image_on_no_node_stands_against_it(stage: Any, kube: Any) -> None:
    stage.put(node("api:2"), "nodes")
    found, text = answered(kube, public=False)
    assert found.possible is False
    assert "could not come back now: image api:1 is on no node" in text
