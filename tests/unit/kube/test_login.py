"""The credential plugin runs once for all who wait for it, and whatever it does wrong is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cli.kube import login
from cli.kube.aio import AsyncKube
from cli.kube.client import Kube
from cli.kube.config import Endpoint, endpoint
from cli.kube.errors import Unauthorized

AT_ONCE = 12
GIVES = """echo '{"status": {"token": "fresh"}}'"""
TEXT = """
apiVersion: v1
kind: Config
current-context: one
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1/"}}]
contexts: [{name: one, context: {cluster: c, user: u}}]
users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: COMMAND}}}]
"""
Made = Callable[[str], Endpoint]


@pytest.fixture
def runs(tmp_path: Path) -> Callable[[], int]:
    return lambda: len((tmp_path / "runs").read_text().split())


@pytest.fixture
def plugin(tmp_path: Path) -> Made:
    def made(body: str) -> Endpoint:
        script = tmp_path / "plugin"
        script.write_text(f"#!/bin/sh\necho run >> {tmp_path}/runs\n{body}\n")
        script.chmod(0o700)
        return endpoint(TEXT.replace("COMMAND", str(script)))

    return made


def answer(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json={"seen": request.headers["authorization"]})


def read(kube: Kube) -> Any:
    try:
        return kube.get("v1", "Pod", "p", "dev")["seen"]
    except Unauthorized as error:
        return error.why


def at_once(where: Endpoint) -> list[Any]:
    kube = Kube(where, transport=httpx2.MockTransport(answer))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(read, [kube] * AT_ONCE))


def test_threads_that_need_a_token_at_once_run_the_plugin_once(plugin: Made, runs: Callable[[], int]) -> None:
    assert at_once(plugin(f"sleep 1; {GIVES}")) == ["Bearer fresh"] * AT_ONCE
    assert runs() == 1


def test_tasks_that_need_a_token_at_once_run_the_plugin_once(plugin: Made, runs: Callable[[], int]) -> None:
    async def scene() -> list[Any]:
        kube = AsyncKube(plugin(f"sleep 1; {GIVES}"), transport=httpx2.MockTransport(answer))
        asking = [kube.run(kube.server.get("v1", "Pod", "p", "dev")) for _ in range(AT_ONCE)]
        return [found["seen"] for found in await asyncio.gather(*asking)]

    assert asyncio.run(scene()) == ["Bearer fresh"] * AT_ONCE
    assert runs() == 1


def test_those_who_waited_share_a_failure_and_the_next_one_tries_again(
    plugin: Made, runs: Callable[[], int], tmp_path: Path
) -> None:
    where = plugin(f"sleep 1; test -e {tmp_path}/known || {{ echo log in first >&2; exit 1; }}; {GIVES}")
    assert all("log in first" in why for why in at_once(where))
    assert runs() < AT_ONCE
    (tmp_path / "known").touch()
    assert read(Kube(where, transport=httpx2.MockTransport(answer))) == "Bearer fresh"


def test_a_token_that_is_refused_is_renewed(plugin: Made, tmp_path: Path) -> None:
    def picky(request: httpx2.Request) -> httpx2.Response:
        return answer(request) if request.headers["authorization"] == "Bearer new" else httpx2.Response(401)

    (tmp_path / "token").write_text("old")
    where = plugin(f"""printf '{{"status": {{"token": "%s"}}}}' "$(cat {tmp_path}/token)" """)
    kube = Kube(where, transport=httpx2.MockTransport(answer))
    assert read(kube) == "Bearer old"
    (tmp_path / "token").write_text("new")
    assert read(Kube(where, transport=httpx2.MockTransport(picky))) == "Bearer new"


@pytest.mark.parametrize("body", ["echo hello", """echo '{"status": {"clientKeyData": "secret"}}'"""])
def test_a_plugin_that_prints_no_token_is_told_without_what_it_printed(plugin: Made, body: str) -> None:
    why = read(Kube(plugin(body), transport=httpx2.MockTransport(answer)))
    assert why.endswith("printed no token")


def test_a_plugin_that_hangs_is_ended_and_told(plugin: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "LIMIT", 1.0)
    why = read(Kube(plugin("exec sleep 30"), transport=httpx2.MockTransport(answer)))
    assert why.endswith("did not end within 1 s")


def test_a_plugin_that_is_not_there_is_told() -> None:
    where = endpoint(TEXT.replace("COMMAND", "no-such-plugin-anywhere"))
    why = read(Kube(where, transport=httpx2.MockTransport(answer)))
    assert why == "the credential plugin no-such-plugin-anywhere cannot be run: No such file or directory"
