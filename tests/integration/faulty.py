"""A provider behind a proxy that fails on command, and rows that say how each fault ends."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.kube.config import endpoint
from tests.integration.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.integration.provider import Engine, Failed, Provider, Resource
from tests.integration.provider_fixtures import Live, config_map

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
IMPATIENT = '{"timeout": 4}'
"""kubeClientSettings by which an answer has to be whole within four seconds."""
STALLING = ("silent", "stalled", "trickle")


@dataclass
class Scene:
    """A provider instance behind a proxy that can fail, and the cluster as it really is."""

    provider: Provider
    proxy: FaultProxy
    live: Live
    name: str

    def __post_init__(self) -> None:
        self.engine = self.attached()

    def attached(self, **settings: str) -> Engine:
        return self.provider.engine(self.proxy.kubeconfig(self.live.namespace), **settings)

    def wanted(self, **labels: str) -> dict[str, Any]:
        wanted = config_map(self.name, a="1")
        return {**wanted, "metadata": {**wanted["metadata"], "labels": labels}} if labels else wanted

    def create(self) -> Resource:
        return self.engine.create(CONFIG_MAP, self.name, self.wanted())

    def is_there(self) -> bool:
        return self.live.is_there("ConfigMap", self.name)

    def object(self) -> dict[str, Any]:
        return self.live.get("ConfigMap", self.name)


@pytest.fixture
def scene(kubeconfig: Path, running: Provider, live: Live, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with fault_proxy(endpoint(kubeconfig)) as proxy:
        name = f"f{zlib.crc32(request.node.name.encode()):x}"
        yield Scene(running, proxy, live, name)


@dataclass(frozen=True)
class Row:
    """`asked`: how often the proxy saw each method, the first two at least `apart` seconds apart.

    `error`: words of the refusal; without, all ends well.
    """

    work: str
    fault: str
    faults: tuple[Fault, ...]
    asked: dict[str, int]
    error: str = ""
    apart: float = 0.0

    def __str__(self) -> str:
        return f"{self.work}: {self.fault}"


@contextmanager
def told(row: Row, scene: Scene) -> Iterator[None]:
    """Runs the block under the row's faults; it must end as the row says, having asked as often as the row says."""
    if any(fault.kind in STALLING for fault in row.faults):
        scene.engine = scene.attached(kubeClientSettings=IMPATIENT)
    scene.proxy.fail(*row.faults)
    if row.error:
        with pytest.raises(Failed, match=row.error):
            yield
    else:
        yield
    assert {method: scene.proxy.count(method) for method in row.asked} == row.asked
    assert not row.apart or scene.proxy.gap(next(iter(row.asked))) >= row.apart
    scene.proxy.fail()
