"""A project with a state in a folder, as the engine leaves it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.engine import secrets
from cli.engine.secrets import Crypter
from cli.engine.store import place as places
from cli.engine.store.place import Place

ROOT = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
PASSPHRASE = "right"


@pytest.fixture(scope="session")
def crypter() -> Crypter:
    return secrets.create(PASSPHRASE)


@dataclass
class Kept:
    """The state of `dev` in a project, and how a test makes more of it."""

    folder: Path
    crypter: Crypter

    @property
    def variables(self) -> dict[str, str]:
        return {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}

    @property
    def place(self) -> Place:
        return places.of(self.folder, "dev", self.variables)

    @property
    def state(self) -> Path:
        return self.folder / ".turnout/state/.pulumi/stacks/shop/dev.json"

    def put(self, data: bytes, name: str = "") -> Path:
        """Write the state, or a file beside it."""
        file = self.state.parents[2] / name if name else self.state
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def backup(self, data: bytes, number: int) -> Path:
        return self.put(data, f"backups/shop/dev/dev.{1_700_000_000_000_000_000 + number * 10**9}.json")

    def history(self, number: int, kind: str = "update", result: str = "succeeded") -> Path:
        name = f"history/shop/dev/dev-{1_700_000_000_000_000_000 + number * 10**9 - 1000}"
        self.put(b"{}", f"{name}.checkpoint.json")
        return self.put(json.dumps({"kind": kind, "result": result}).encode(), f"{name}.history.json")

    def document(self, *names: str, secret: str = "") -> dict[str, Any]:
        """A state that holds these ConfigMaps."""
        maps = [self.config_map(name) for name in names]
        if secret:
            sealed = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": secret}
            maps[-1]["inputs"] = {"data": sealed}
        root = {"urn": ROOT, "custom": False, "type": "pulumi:pulumi:Stack"}
        magic = hashlib.sha256(b"v3.259.0").hexdigest()
        latest = {
            "manifest": {"time": "2026-11-21T10:00:00Z", "version": "v3.259.0", "magic": magic},
            "secrets_providers": {"type": "passphrase", "state": {"salt": self.crypter.salt}},
            "resources": [root, *maps],
            "metadata": {},
        }
        return {"version": 3, "checkpoint": {"stack": "organization/shop/dev", "latest": latest}}

    def bytes(self, *names: str, secret: str = "") -> bytes:
        return json.dumps(self.document(*names, secret=secret)).encode()

    @staticmethod
    def config_map(name: str) -> dict[str, Any]:
        kind = "kubernetes:core/v1:ConfigMap"
        return {
            "urn": f"urn:pulumi:dev::shop::{kind}::{name}",
            "custom": True,
            "id": name,
            "type": kind,
            "parent": ROOT,
        }


@pytest.fixture
def kept(tmp_path: Path, crypter: Crypter) -> Kept:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    return Kept(tmp_path, crypter)
