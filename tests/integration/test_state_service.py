"""The way to a service, whose files cannot be reached: by the engine alone, here into a folder in its place."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from cli.engine import failures, secrets
from cli.engine.store import place, service
from cli.engine.store.service import Elsewhere
from cli.progress import Silent

ROOT = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"


def state(salt: str, sealed: str, mark: str) -> bytes:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": sealed}
    outputs = {"mark": mark, "token": secret}
    magic = hashlib.sha256(b"v3.259.0").hexdigest()
    latest = {
        "manifest": {"time": "2026-11-21T10:00:00Z", "version": "v3.259.0", "magic": magic},
        "secrets_providers": {"type": "passphrase", "state": {"salt": salt}},
        "resources": [{"urn": ROOT, "custom": False, "type": "pulumi:pulumi:Stack", "outputs": outputs}],
        "metadata": {},
    }
    return json.dumps({"version": 3, "checkpoint": {"stack": "organization/shop/dev", "latest": latest}}).encode()


def test_a_service_gets_state_secrets_and_tags_and_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "right")
    crypter = secrets.create("right")
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(f"encryptionsalt: {crypter.salt}\n")
    (tmp_path / "there").mkdir()
    here = place.of(tmp_path, "dev", os.environ)
    here.bucket.write(here.stack.state, state(crypter.salt, crypter.encrypt('"hush"'), "one"))
    here.bucket.write(here.stack.tags, b'{"version":1,"tags":{"team":"web","pulumi:project":"shop"}}')
    there = Elsewhere(tmp_path, "dev", f"file://{tmp_path}/there", os.environ, Silent())
    service.arrive(here, there, copied=False)
    service.arrive(here, there, copied=False)
    known = place.of(tmp_path, "dev", os.environ, f"file://{tmp_path}/there")
    assert json.loads(known.bucket.read(known.stack.tags) or b"")["tags"]["team"] == "web"
    assert known.examine(known.read_current()[1]).problems == ()
    here.bucket.write(here.stack.state, state(crypter.salt, crypter.encrypt('"hush"'), "two"))
    with pytest.raises(failures.StateUnreadable, match="another state"):
        service.arrive(here, there, copied=False)
    with pytest.raises(failures.StateUnreadable, match="stays where it is"):
        service.arrive(here, there, copied=True)
