"""Notifications: sent to a real webhook by a real process, to those who asked for that event, and in nobody's way."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cli.rollout import aside, checks, notify, notifying
from components.names import NOTIFY
from components.notify import manifest
from components.rollout.settings import NotifySettings
from components.secret import REDACTED
from tests.harness import eventually
from tests.integration.accounts import environment
from tests.webhook import TOKEN, Hook, listening


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as server:
        yield server
        server.open.set()
        for process in notify._sending:
            process.wait(30)


def secret(**rows: dict[str, Any]) -> dict[str, Any]:
    """As the API server has it."""
    data = {name: base64.b64encode(json.dumps(row).encode()).decode() for name, row in rows.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": NOTIFY, "namespace": "turnout-dev"},
        "data": data,
    }


ALL = ["start", "gate", "end", "rollback"]


def test_webhook_hears_of_a_rollback(cluster: Any, kube: Any, hook: Hook) -> None:
    cluster.put(secret(chat={"url": hook.url, "when": ALL}), "secrets")
    notify.send(kube, "dev", "rollback", "release 7 serves; api returned errors")
    aside.finish()
    eventually(lambda: hook.got, seconds=30, every=0.1)
    [(path, body)] = hook.got
    assert path.strip("/") == TOKEN
    assert body["title"] == "turnout: dev was rolled back"
    assert body["message"] == "release 7 serves; api returned errors"


def test_only_those_hear_who_asked_for_that_event() -> None:
    found = secret(chat={"url": "json://a", "when": ALL}, pager={"url": "json://b", "when": ["rollback"]})
    assert notify.wanted(found, "start") == ["json://a"]
    assert notify.wanted(found, "rollback") == ["json://a", "json://b"]
    assert notify.wanted(None, "rollback") == []


def test_hook_that_hangs_holds_nobody_up(cluster: Any, kube: Any, hook: Hook) -> None:
    hook.open.clear()
    cluster.put(secret(chat={"url": hook.url, "when": ALL}), "secrets")
    began = time.monotonic()
    notify.send(kube, "dev", "end", "done")
    assert time.monotonic() - began < aside.LIMIT
    aside.finish()
    assert time.monotonic() - began < 10 * aside.LIMIT, "the hook itself never answers"
    assert hook.got == []
    hook.open.set()
    eventually(lambda: hook.got, seconds=30, every=0.1)


def test_nobody_to_tell_and_no_right_to_know_are_no_errors(kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "_start", lambda _: pytest.fail("told"))
    notify.send(kube, "dev", "start", "")
    aside.finish()


def delivered(*urls: str) -> subprocess.CompletedProcess[str]:
    document = json.dumps({"urls": list(urls), "title": "t", "body": "b"})
    command = [sys.executable, "-m", "cli.rollout.notifying"]
    return subprocess.run(command, input=document, capture_output=True, text=True, timeout=60, check=False)


def test_address_that_is_none_keeps_none_of_the_others_from_it_and_is_never_printed(hook: Hook) -> None:
    done = delivered(f"nonsense://{TOKEN}", f"json://127.0.0.1:9/{TOKEN}", hook.url)
    assert done.returncode == 1
    assert len(hook.got) == 1
    assert TOKEN not in done.stdout + done.stderr


def test_it_ends_in_time_whatever_an_address_does(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(os, "_exit", lambda _: ended.set())
    notifying._end_in(0.05)
    assert ended.wait(5)


def test_addresses_are_no_argument_of_a_process(cluster: Any, kube: Any, hook: Hook) -> None:
    hook.open.clear()
    cluster.put(secret(chat={"url": hook.url, "when": ALL}), "secrets")
    notify.send(kube, "dev", "end", "done")
    aside.finish()
    assert TOKEN not in str([process.args for process in notify._sending])


def test_program_writes_what_is_read_here() -> None:
    wanted = {"chat": NotifySettings.model_validate({"url": f"json://x/{TOKEN}", "when": ["end"]})}
    made = manifest(environment("dev"), wanted)
    assert (made["metadata"]["name"], made["metadata"]["namespace"]) == (NOTIFY, "turnout-dev")
    assert TOKEN not in str(made) and REDACTED in str(made)
    opened = {**made, "data": {name: value.reveal() for name, value in made["data"].items()}}
    assert notify.wanted(opened, "end") == [f"json://x/{TOKEN}"]
    assert notify.wanted(opened, "start") == []


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # of Apprise
def test_doctor_names_whose_address_is_none_and_shows_no_address(cluster: Any, kube: Any) -> None:
    good = {"url": f"json://x/{TOKEN}", "when": ALL}
    cluster.put(secret(chat=good, pager={"url": f"nonsense://{TOKEN}", "when": ALL}), "secrets")
    found = checks._notify(kube, "dev")
    assert (found.verdict, found.found) == ("warning", "Apprise does not understand the address of pager")
    assert "turnout:rollout.notify.pager.url" in found.fix
    cluster.put(secret(chat=good), "secrets")
    assert checks._notify(kube, "dev").found == "it tells chat"
    assert TOKEN not in str(found)
