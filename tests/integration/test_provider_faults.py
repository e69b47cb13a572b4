"""What an API server can do to a provider in the middle of its work, and how each ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.kube.config import endpoint
from tests.integration.fault_proxy import FaultProxy, fault_proxy
from tests.integration.provider import Engine, Failed, Provider
from tests.integration.provider_fixtures import Live, config_map, deployment

CONFIG_MAP, DEPLOYMENT = "kubernetes:core/v1:ConfigMap", "kubernetes:apps/v1:Deployment"
pytestmark = pytest.mark.cluster


@dataclass
class Shaky:
    engine: Engine
    proxy: FaultProxy


@pytest.fixture
def shaky(kubeconfig: Path, running: Provider, namespace: str) -> Iterator[Shaky]:
    with fault_proxy(endpoint(kubeconfig)) as proxy:
        yield Shaky(running.engine(proxy.kubeconfig(namespace)), proxy)


def labelled(name: str) -> dict[str, object]:
    wanted = config_map(name, a="1")
    return {**wanted, "metadata": {**wanted["metadata"], "labels": {"x": "y"}}}


def test_a_busy_server_is_asked_again_when_it_says_so(shaky: Shaky) -> None:
    shaky.proxy.fail("answer", "POST", status=429, headers={"retry-after": "1"})
    began = time.monotonic()
    shaky.engine.create(CONFIG_MAP, "busy", config_map("busy", a="1"))
    assert 1 <= time.monotonic() - began < 5 and shaky.proxy.count("POST") == 2


@pytest.mark.parametrize("status", [500, 503])
def test_a_failing_server_is_asked_again(shaky: Shaky, live: Live, status: int) -> None:
    name = f"failing-{status}"
    made = shaky.engine.create(CONFIG_MAP, name, config_map(name, a="1"))
    shaky.proxy.fail("answer", "PATCH", status=status, times=2)
    shaky.engine.update(made, labelled(name))
    assert live.get("ConfigMap", name)["metadata"]["labels"] == {"x": "y"}


def test_a_server_that_keeps_failing_is_given_up_on(shaky: Shaky, live: Live) -> None:
    shaky.proxy.fail("answer", "POST", status=503, times=99)
    with pytest.raises(Failed, match="answered 503"):
        shaky.engine.create(CONFIG_MAP, "hopeless", config_map("hopeless", a="1"))
    assert shaky.proxy.count("POST") <= 12 and not live.is_there("ConfigMap", "hopeless")


def test_a_create_that_was_accepted_before_the_connection_broke_is_ours(shaky: Shaky, live: Live) -> None:
    shaky.proxy.fail("reset after", "POST")
    made = shaky.engine.create(CONFIG_MAP, "accepted", config_map("accepted", a="1"))
    assert made.outputs["metadata"]["uid"] == live.get("ConfigMap", "accepted")["metadata"]["uid"]
    assert shaky.proxy.count("POST") == 1


def test_a_create_that_never_arrived_is_sent_again(shaky: Shaky, live: Live) -> None:
    shaky.proxy.fail("reset", "POST")
    shaky.engine.create(CONFIG_MAP, "dropped", config_map("dropped", a="1"))
    assert live.is_there("ConfigMap", "dropped") and shaky.proxy.count("POST") == 2


def test_an_update_and_a_delete_survive_a_broken_connection(shaky: Shaky, live: Live) -> None:
    made = shaky.engine.create(CONFIG_MAP, "shaken", config_map("shaken", a="1"))
    shaky.proxy.fail("reset after", "PATCH", times=2)
    changed = shaky.engine.update(made, labelled("shaken"))
    assert live.get("ConfigMap", "shaken")["metadata"]["labels"] == {"x": "y"}
    shaky.proxy.fail("reset after", "DELETE")
    shaky.engine.delete(changed)
    assert not live.is_there("ConfigMap", "shaken")


def test_a_slow_body_is_waited_for(shaky: Shaky) -> None:
    shaky.proxy.fail("slow", "POST")
    assert shaky.engine.create(CONFIG_MAP, "slow", config_map("slow", a="1")).id.endswith("/slow")


@pytest.mark.parametrize(("status", "words"), [(401, "does not accept our credentials"), (403, "not allowed")])
def test_a_lost_right_stops_at_once(shaky: Shaky, live: Live, status: int, words: str) -> None:
    shaky.proxy.fail("answer", "POST", status=status, times=99)
    with pytest.raises(Failed, match=words):
        shaky.engine.create(CONFIG_MAP, f"denied-{status}", config_map(f"denied-{status}", a="1"))
    assert shaky.proxy.count("POST") == 1 and not live.is_there("ConfigMap", f"denied-{status}")


def test_a_watch_that_expires_or_breaks_is_opened_again(shaky: Shaky) -> None:
    shaky.proxy.fail("old watch", "GET", path="watch=true")
    shaky.proxy.fail("reset", "GET", path="watch=true")
    made = shaky.engine.create(DEPLOYMENT, "watched", deployment("watched", min_ready=4))
    assert made.outputs["status"]["availableReplicas"] == 1
    assert sum("watch=true" in line for line in shaky.proxy.seen) >= 3


def test_many_waits_share_one_watch(shaky: Shaky) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(
                lambda name: shaky.engine.create(DEPLOYMENT, name, deployment(name)), ["many-1", "many-2", "many-3"]
            )
        )
    assert all(one.outputs["status"]["availableReplicas"] == 1 for one in made)
    assert sum("deployments?watch=true" in line for line in shaky.proxy.seen) == 1


def test_an_instance_that_was_never_configured_touches_nothing(running: Provider) -> None:
    stranger = running.engine()
    stranger.channel.close()
    stranger.connect(running.port)
    with pytest.raises(Failed, match="never configured"):
        stranger.create(CONFIG_MAP, "stray", config_map("stray", a="1"))


def test_no_cluster_at_all_is_told_with_the_next_command(running: Provider) -> None:
    nowhere = running.engine(
        '{"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": ""}}], '
        '"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}], "users": []}'
    )
    wanted = config_map("nowhere", a="1")
    assert nowhere.check(CONFIG_MAP, "nowhere", wanted)["metadata"]["namespace"] == "default"
    with pytest.raises(Failed, match="no answer from the API server") as caught:
        nowhere.create(CONFIG_MAP, "nowhere", wanted)
    assert "turnout sandbox up" in str(caught.value)
