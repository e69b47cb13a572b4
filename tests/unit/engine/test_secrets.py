from __future__ import annotations

from pathlib import Path

import pytest

from cli.engine import secrets
from cli.engine.failures import NoPassphrase, WrongPassphrase

# From pulumi's own pkg/secrets/passphrase/manager_test.go.
SALT = "v1:fozI5u6B030=:v1:F+6ZduKKd8G0/V7L:PGMFeIzwobWRKmEAzUdaQHqC5mMRIQ=="


def test_pulumis_own_vector_opens() -> None:
    crypter = secrets.Crypter(SALT, "password")
    assert crypter.decrypt(SALT.split(":", 2)[2]) == "pulumi"
    assert crypter.decrypt(crypter.encrypt("pässword")) == "pässword"
    assert crypter.encrypt("a") != crypter.encrypt("a")


def test_a_wrong_passphrase_is_refused() -> None:
    with pytest.raises(WrongPassphrase):
        secrets.Crypter(SALT, "password123")


def test_a_fresh_salt_opens_with_its_passphrase_only() -> None:
    made = secrets.create("one")
    assert secrets.Crypter(made.salt, "one").decrypt(made.encrypt("x")) == "x"
    with pytest.raises(WrongPassphrase):
        secrets.Crypter(made.salt, "two")


def test_a_crypter_shows_nothing() -> None:
    assert repr(secrets.Crypter(SALT, "password")) == "Crypter(…)"


def test_the_passphrase_is_looked_for_where_pulumi_does_then_in_the_project(tmp_path: Path) -> None:
    with pytest.raises(NoPassphrase):
        secrets.passphrase(tmp_path, {})
    own = tmp_path / ".turnout" / "passphrase"
    own.parent.mkdir()
    own.write_text("mine\n")
    other = tmp_path / "other"
    other.write_text("theirs\n")
    assert secrets.passphrase(tmp_path, {}) == "mine"
    assert secrets.passphrase(tmp_path, {"PULUMI_CONFIG_PASSPHRASE_FILE": str(other)}) == "theirs"
    assert secrets.passphrase(tmp_path, {"PULUMI_CONFIG_PASSPHRASE": ""}) == ""
