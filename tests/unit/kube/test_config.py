import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from lightkube import KubeConfig

from cli.errors import UsageError
from cli.kube.client import Kube
from cli.kube.config import endpoint, read_mapping
from cli.kube.errors import Unauthorized

TEXT = """
apiVersion: v1
kind: Config
current-context: one
clusters:
- {name: c, cluster: {server: "http://127.0.0.1:1/"}}
users:
- {name: u, user: {token: t0ken}}
contexts:
- {name: one, context: {cluster: c, user: u, namespace: dev}}
- {name: two, context: {cluster: c, user: u}}
"""


def test_a_kubeconfig_is_a_path_or_its_text(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(TEXT)
    for given in (path, str(path), TEXT):
        found = endpoint(given)
        assert (found.server, found.namespace, found.context) == ("http://127.0.0.1:1", "dev", "one")
    assert endpoint(TEXT, "two").namespace == "default"


def test_the_contexts_cluster_can_be_overridden() -> None:
    more = TEXT.replace("clusters:", 'clusters:\n- {name: other, cluster: {server: "http://127.0.0.1:2"}}')
    assert endpoint(more, None, "other").server == "http://127.0.0.1:2"
    with pytest.raises(UsageError):
        endpoint(more, None, "absent")


def test_credentials_are_not_printed() -> None:
    assert "t0ken" not in repr(endpoint(TEXT))
    assert endpoint(TEXT.replace("127.0.0.1:1", "me:word@127.0.0.1:1")).named == "context one, http://127.0.0.1:1"


def test_several_files_are_merged_the_first_one_winning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("current-context: b\nclusters: []\ncontexts: []\nusers: []\n")
    two.write_text(TEXT.replace("name: one,", "name: b,"))
    monkeypatch.setenv("KUBECONFIG", f"{one}:{two}:{tmp_path / 'absent'}")
    assert endpoint().context == "b"


@pytest.mark.parametrize("bad", ["/nowhere/config", "{", "a: 1\nb: 2"])
def test_an_unusable_kubeconfig_is_a_wrong_use(bad: str) -> None:
    with pytest.raises(UsageError) as caught:
        endpoint(bad)
    assert caught.value.next


def test_an_unknown_context_names_those_that_are_there() -> None:
    with pytest.raises(UsageError, match="one, two"):
        endpoint(TEXT, "three")


def test_threads_take_turns_in_reading_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once in lightkube's first conversion kill the process."""
    read, inside, most = KubeConfig.from_dict, threading.Semaphore(1), []

    def slowly(*words: Any, **more: Any) -> Any:
        most.append(inside.acquire(blocking=False))
        time.sleep(0.05)
        inside.release()
        return read(*words, **more)

    monkeypatch.setattr(KubeConfig, "from_dict", slowly)
    with ThreadPoolExecutor(4) as pool:
        servers = [found.server for found in pool.map(endpoint, [TEXT] * 4)]
    assert len(servers) == 4
    assert most == [True] * 4


def test_a_mapping_is_read_without_failing() -> None:
    assert read_mapping(TEXT)["current-context"] == "one"
    assert read_mapping("/nowhere") == {} and read_mapping(None) == {}


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_credential_plugin_gives_the_token_or_says_why_not(tmp_path: Path, version: str) -> None:
    def plugin(body: str) -> Kube:
        script = tmp_path / f"plugin-{len(body)}"
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o700)
        command = f"exec: {{apiVersion: client.authentication.k8s.io/{version}, command: {script}}}"
        text = TEXT.replace("token: t0ken", command)
        return Kube(endpoint(text), transport=httpx2.MockTransport(answer))

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"seen": request.headers["authorization"]})

    works = plugin("""echo '{"status": {"token": "fresh"}}'""")
    assert works.get("v1", "Pod", "p", "dev") == {"seen": "Bearer fresh"}
    with pytest.raises(Unauthorized, match="please log in"):
        plugin("echo please log in >&2; exit 1").get("v1", "Pod", "p", "dev")
