"""The pack under the real engine, as `pulumi preview --policy-pack` starts it. Needs no cluster.

What the program declares are components with the types of Kubernetes objects: they need no provider, and the engine
shows them to the pack as it shows any resource.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest

from cli.engine.operation import Ended
from cli.engine.run import Engine
from cli.progress import Silent
from components.manifest import type_token
from infra.policies import fixtures

PACK = Path(__file__).parents[2] / "infra" / "policies" / "pack"
STARTER = "pulumi-analyzer-policy-python"


class Shop:
    """A project of another shape; `objects` are what its program declares."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects: list[dict[str, Any]] = fixtures.sound()
        (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        (folder / "Pulumi.prod.yaml").write_text("config: {}\n")

    def program(self) -> None:
        for made in self.objects:
            pulumi.ComponentResource(type_token(made), made["metadata"]["name"], made).register_outputs(made)

    def preview(self) -> Ended:
        engine = Engine(self.folder, "prod", Silent(), program=self.program)
        return engine._operate("preview", "previewing with the pack", ["--policy-pack", str(PACK)])


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """With what starts packs where Pulumi's Python language host, which does it otherwise, is not installed."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / STARTER).write_text(f'#!/bin/sh\nexec "{sys.executable}" -u . "$1"\n')
    (tools / STARTER).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{_without_hosts()}")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "of this test alone")
    folder = tmp_path / "shop"
    folder.mkdir()
    return Shop(folder)


def test_a_sound_stack_passes(shop: Shop) -> None:
    ended = shop.preview()
    assert ended.finished.code == 0, ended.finished.err + ended.finished.out


def test_a_mandatory_policy_fails_the_engines_own_preview(shop: Shop) -> None:
    shop.objects = fixtures.patched(fixtures.sound(), fixtures.of("host-path").fails)
    ended = shop.preview()
    said = ended.finished.err + ended.finished.out
    assert ended.finished.code != 0, said
    assert "host-path" in said
    assert "Deployment shop/web: mounts /var/log of its node" in said


def _without_hosts() -> str:
    folders = os.environ["PATH"].split(":")
    return ":".join(folder for folder in folders if not (Path(folder) / "pulumi-language-python").exists())
