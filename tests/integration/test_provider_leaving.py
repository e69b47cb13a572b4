"""Objects on their way out: a deletion that was accepted cannot be taken back, and its name is free only later."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.integration.provider import Engine, Failed, Resource
from tests.integration.provider_fixtures import Live, config_map

pytestmark = pytest.mark.cluster

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def held(name: str) -> dict[str, Any]:
    manifest = config_map(name, a="1")
    manifest["metadata"]["finalizers"] = ["example.com/held"]
    return manifest


def leaving(engine: Engine, live: Live, name: str) -> Resource:
    """An object that a finalizer keeps from going."""
    made = engine.create(CONFIG_MAP, name, held(name))
    live.kube.delete("v1", "ConfigMap", name, live.namespace)
    return made


def let_go(live: Live, name: str) -> None:
    live.patch("ConfigMap", name, {"metadata": {"finalizers": None}}, "turnout-test")


def test_a_deletion_that_is_cancelled_counts_as_done(engine: Engine, live: Live) -> None:
    made = engine.create(CONFIG_MAP, "cancelled", held("cancelled"))
    threading.Timer(1, engine.cancel).start()
    began = time.monotonic()
    engine.delete(made, seconds=60)
    assert time.monotonic() - began < 30
    assert live.get("ConfigMap", "cancelled")["metadata"]["deletionTimestamp"]
    let_go(live, "cancelled")


def test_a_new_object_waits_for_one_of_its_name_that_is_on_its_way_out(engine: Engine, live: Live) -> None:
    old = leaving(engine, live, "namesake")
    threading.Timer(1, let_go, (live, "namesake")).start()
    new = engine.create(CONFIG_MAP, "namesake", config_map("namesake", a="2"))
    assert live.get("ConfigMap", "namesake")["data"] == {"a": "2"}
    assert new.outputs["metadata"]["uid"] != old.outputs["metadata"]["uid"]
    with pytest.raises(Failed, match="exists already"):
        engine.create(CONFIG_MAP, "namesake", config_map("namesake", a="3"))
    engine.delete(new)
