"""The engine against a real API server, through turnout's own provider, on a small program."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pulumi
import pytest

from cli.engine import environ, failures, settle
from cli.engine.model import SECRET, Operation
from cli.engine.run import Engine
from cli.errors import TurnoutError, UsageError
from cli.progress import Silent
from cli.provider import VERSION

pytestmark = pytest.mark.cluster

OWNED = {"annotations": {"pulumi.com/patchFieldManager": "turnout"}}
HUSH = "hush-0d6b1f"


class Shop:
    """A project of its own with a program that a test can change."""

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        self.folder, self.kubeconfig = folder, kubeconfig
        self.namespace = f"engine-{uuid.uuid4().hex[:8]}"
        self.data = {"colour": "red"}
        self.replicas = -1
        (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        (folder / "Pulumi.dev.yaml").write_text("config: {}\n")

    def engine(self) -> Engine:
        return Engine(self.folder, "dev", Silent(), program=self.program)

    def program(self) -> None:
        provider = pulumi.ProviderResource("kubernetes", "cluster", {"kubeconfig": str(self.kubeconfig)})
        space = self._object(provider, "Namespace", self.namespace, {}, [])
        self._object(provider, "ConfigMap", "colours", {"data": dict(self.data)}, [space])
        hidden = {"stringData": {"token": pulumi.Output.secret(HUSH)}}
        self._object(provider, "Secret", "token", hidden, [space])
        if self.replicas >= 0:
            self._deployment(provider, space)
        pulumi.export("namespace", self.namespace)
        pulumi.export("token", pulumi.Output.secret(HUSH))

    def _deployment(self, provider: pulumi.ProviderResource, space: pulumi.Resource) -> None:
        labels = {"app": "never"}
        container = {"name": "never", "image": "nowhere.invalid/never:1"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": self.replicas, "selector": {"matchLabels": labels}, "template": template}
        self._object(provider, "Deployment", "never", {"spec": spec}, [space])

    def _object(
        self,
        provider: pulumi.ProviderResource,
        kind: str,
        name: str,
        body: dict[str, Any],
        after: list[pulumi.Resource],
    ) -> pulumi.CustomResource:
        version = "apps/v1" if kind == "Deployment" else "v1"
        space = {} if kind == "Namespace" else {"namespace": self.namespace}
        manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": name, **space, **OWNED}, **body}
        options = pulumi.ResourceOptions(provider=provider, depends_on=after, version=VERSION)
        return pulumi.CustomResource(settle.type_token(version, kind), f"{kind}-{name}", manifest, options)


@pytest.fixture
def shop(tmp_path: Path, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "right")
    monkeypatch.setenv("TURNOUT_PROVIDER", "own")
    shop = Shop(tmp_path, kubeconfig)
    yield shop
    shop.engine().destroy()


def test_a_program_is_planned_applied_changed_refreshed_and_destroyed(shop: Shop) -> None:
    engine = shop.engine()
    plan = engine.preview()
    assert plan.counts == {"create": 4}
    assert engine.preview().counts == {"create": 4}, "a preview changes nothing"
    done = engine.up(message="first")
    assert (done.ok, done.counts) == (True, {"create": 4})
    assert done.outputs == {"namespace": shop.namespace, "token": SECRET}
    assert engine.preview().empty
    assert engine.up().counts == {"same": 4}
    assert engine.refresh().counts == {"same": 4}
    assert engine.preview().empty
    assert [update.message for update in engine.history()][-1] == "first"
    gone = engine.destroy()
    assert (gone.ok, gone.counts) == (True, {"delete": 4})


def test_a_change_is_told_by_field_and_a_secret_never(shop: Shop) -> None:
    engine = shop.engine()
    engine.up()
    shop.data = {"colour": "blue"}
    (change,) = engine.preview().changes
    assert change.operation is Operation.REPLACE, "the data of a ConfigMap is replaced, as the official provider does"
    assert [(field.path, field.before, field.after) for field in change.fields] == [("data.colour", "red", "blue")]
    assert HUSH not in json.dumps(engine.preview().to_json())


def test_no_plain_secret_is_written_anywhere(shop: Shop) -> None:
    shop.engine().up()
    written = [file for file in shop.folder.rglob("*") if file.is_file()]
    assert written
    assert not [file for file in written if HUSH.encode() in file.read_bytes()]


def test_a_state_survives_export_and_import(shop: Shop) -> None:
    engine = shop.engine()
    engine.up()
    state = engine.export_state()
    engine.import_state(state)
    assert _urns(engine.export_state()) == _urns(state)
    assert engine.preview().empty


def _urns(state: dict[str, Any]) -> list[str]:
    return [entry["urn"] for entry in state["deployment"]["resources"]]


def test_a_wrong_passphrase_is_told_as_such(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.engine().up()
    with monkeypatch.context() as patch:
        patch.setenv("PULUMI_CONFIG_PASSPHRASE", "wrong")
        with pytest.raises(failures.WrongPassphrase):
            shop.engine().preview()


def test_a_lock_is_respected_and_a_dead_one_of_ours_is_offered_for_removal(shop: Shop) -> None:
    shop.engine().up()
    stack = environ.stack_file(shop.folder, dict(os.environ), "shop", "dev")
    assert stack is not None
    lock = stack.parents[2] / "locks/organization/shop/dev/00000000-0000-4000-8000-000000000000.json"
    held = {"pid": 2**22 - 1, "username": "ann", "hostname": "elsewhere", "timestamp": "2026-01-01T00:00:00Z"}
    lock.write_text(json.dumps(held))
    with pytest.raises(failures.StackLocked) as caught:
        shop.engine().up()
    assert "ann@elsewhere" in str(caught.value)
    lock.write_text(json.dumps({**held, "hostname": socket.gethostname()}))
    with pytest.raises(failures.StackLocked, match="nobody holds it any more"):
        shop.engine().up()
    assert Engine(shop.folder, "dev", Silent(), program=shop.program, offer=lambda _: True).up().ok
    assert not lock.exists()


def test_a_faulty_program_changes_nothing_and_keeps_its_error(shop: Shop) -> None:
    def refuse() -> None:
        raise UsageError("wrong settings")

    with pytest.raises(UsageError, match="wrong settings"):
        Engine(shop.folder, "dev", Silent(), program=refuse).up()
    assert shop.engine().preview().counts == {"create": 4}


def test_the_failure_is_told_when_the_engine_ends_before_the_program(shop: Shop) -> None:
    def slow() -> None:
        provider = pulumi.ProviderResource("kubernetes", "cluster", {"kubeconfig": str(shop.kubeconfig)})
        options = pulumi.ResourceOptions(provider=provider, version=VERSION)
        for name in ("No Such Name", "one", "two"):
            metadata = {"name": name, "namespace": "default", **OWNED}
            pulumi.CustomResource("kubernetes:core/v1:ConfigMap", name, {"metadata": metadata}, options)
            time.sleep(1)

    outcome = Engine(shop.folder, "dev", Silent(), program=slow).up()
    assert not outcome.ok
    assert "No Such Name" in outcome.failures[0].message


def test_a_resource_that_never_gets_ready_is_told_with_its_reason_once_interrupted(shop: Shop) -> None:
    shop.engine().up()
    shop.replicas = 1
    interrupted_at = _interrupt_when_under_way(shop)
    outcome = shop.engine().up()
    assert time.monotonic() - interrupted_at[0] < 30, "the first interruption ends cleanly within seconds"
    assert (outcome.ok, outcome.interrupted) == (False, True)
    assert "never" in outcome.failures[0].message
    shop.replicas = 0
    assert shop.engine().up().ok, "the lock is free and the state whole"


def test_an_engine_killed_in_an_update_is_mended_by_a_refresh_and_one_more_up(shop: Shop) -> None:
    shop.replicas = 0
    shop.engine().up()
    shop.replicas = 1
    _when_under_way(shop, lambda: os.kill(_engine_process(), signal.SIGKILL))
    with pytest.raises(TurnoutError):
        shop.engine().up()
    shop.replicas = 0
    mending = Engine(shop.folder, "dev", Silent(), program=shop.program, offer=lambda _: True)
    assert mending.refresh().ok
    assert mending.up().ok
    assert mending.preview().empty


def _engine_process() -> int:
    """The `pulumi up` that this process started."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(os.getpid()) and words[0].endswith(b"pulumi"):
                return int(process.name)
    raise AssertionError("no engine is running")


def _interrupt_when_under_way(shop: Shop) -> list[float]:
    """Sends SIGINT to this process when the engine waits for the Deployment; returns when, once it did."""
    at: list[float] = []

    def interrupt() -> None:
        at.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    _when_under_way(shop, interrupt)
    return at


def _asked_for(found: dict[str, Any] | None, replicas: int) -> bool:
    return found is not None and found["spec"]["replicas"] == replicas


def _when_under_way(shop: Shop, act: Callable[[], None]) -> None:
    from cli.kube.client import connect
    from infra.cluster import Cluster

    def watch() -> None:
        until = time.monotonic() + 120
        with connect(Cluster(shop.kubeconfig, None)) as kube:
            while not _asked_for(kube.find("apps/v1", "Deployment", "never", shop.namespace), shop.replicas):
                if time.monotonic() > until:
                    return  # the test fails by what was not done; an error from here could hit a later one
                time.sleep(0.1)
        time.sleep(1)
        act()

    threading.Thread(target=watch, daemon=True).start()


def test_a_settled_state_shows_no_change_for_what_it_was_settled_to(shop: Shop) -> None:
    engine = shop.engine()
    engine.up()
    old = next(entry for entry in engine.export_state()["deployment"]["resources"] if "ConfigMap" in entry["type"])
    shop.data = {"colour": "blue"}
    engine.up()
    key = f"{shop.namespace}/ConfigMap/colours"
    record = {"objects": [old["inputs"]], "pulumi": {key: "ConfigMap-colours"}, "environment": "dev"}
    engine.import_state(settle.settle(engine.export_state(), record))
    shop.data = {"colour": "red"}
    assert engine.preview().empty
