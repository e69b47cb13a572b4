"""Which cluster a pending operation is looked up in: its provider's own, also when that is a secret of the state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.engine import readback, secrets
from cli.engine.failures import WrongPassphrase
from cli.errors import TurnoutError

KUBECONFIG = "/etc/kube/config"
RIGHT = {"PULUMI_CONFIG_PASSPHRASE": "right"}


def closed() -> tuple[dict[str, Any], dict[str, Any]]:
    """(a provider's inputs, the deployment that they are in)"""
    crypter = secrets.create("right")
    sealed = {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        "ciphertext": crypter.encrypt(json.dumps(KUBECONFIG)),
    }
    providers = {"type": "passphrase", "state": {"salt": crypter.salt}}
    return {"kubeconfig": sealed, "namespace": "dev"}, {"secrets_providers": providers}


def test_what_is_no_secret_needs_no_passphrase(tmp_path: Path) -> None:
    given = {"kubeconfig": KUBECONFIG, "context": "prod", "upsertExistingObjects": "true"}
    assert readback.opened(given, {}, tmp_path, {}) == {"kubeconfig": KUBECONFIG, "context": "prod"}


def test_a_secret_kubeconfig_is_opened(tmp_path: Path) -> None:
    inputs, deployment = closed()
    assert readback.opened(inputs, deployment, tmp_path, RIGHT) == {"kubeconfig": KUBECONFIG}


def test_one_that_stays_closed_is_told_and_not_taken_for_another_cluster(tmp_path: Path) -> None:
    inputs, deployment = closed()
    with pytest.raises(WrongPassphrase):
        readback.opened(inputs, deployment, tmp_path, {"PULUMI_CONFIG_PASSPHRASE": "wrong"})
    with pytest.raises(TurnoutError, match="not at hand"):
        readback.opened(inputs, {"secrets_providers": {"type": "cloud"}}, tmp_path, {})
