"""Pulumi's passphrase secrets, bit for bit: what `turnout init` writes, any `pulumi` reads, and the other way round.

PBKDF2-HMAC-SHA256 with 1,000,000 iterations gives the AES-256-GCM key; a ciphertext is `v1:<nonce>:<ciphertext and
tag>`, a salt `v1:<salt>:<ciphertext of "pulumi">`, all in base64. Source: sdk/go/common/resource/config/crypt.go of
pulumi/pulumi.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from cli.engine import environ
from cli.engine.failures import NoPassphrase, WrongPassphrase

_ITERATIONS = 1_000_000
_SALT_BYTES = 8
_NONCE_BYTES = 12
_KEY_BYTES = 32
_CHECK = "pulumi"


class Crypter:
    """Opens and closes the secrets of one salt. Raises WrongPassphrase when the passphrase is not the salt's."""

    def __init__(self, salt: str, passphrase: str) -> None:
        self.salt = salt
        version, raw, check = salt.split(":", 2)
        if version != "v1":
            raise WrongPassphrase(f"an encryption salt of version {version} is not known", next="update turnout")
        self._key = derive(passphrase, base64.b64decode(raw))
        if self.decrypt(check) != _CHECK:
            raise _wrong()

    def encrypt(self, text: str) -> str:
        """`v1:…` as it stands under `secure:` in a settings file."""
        return _seal(self._key, text)

    def decrypt(self, text: str) -> str:
        """The plain text of a `secure:` value. Raises WrongPassphrase when it was closed with another key."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        version, nonce, sealed = text.split(":")
        if version != "v1":
            raise WrongPassphrase(f"a secret of version {version} is not known", next="update turnout")
        try:
            return AESGCM(self._key).decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None).decode()
        except InvalidTag:
            raise _wrong() from None

    def __repr__(self) -> str:
        return "Crypter(…)"


def create(passphrase: str) -> Crypter:
    """A crypter with a fresh salt."""
    raw = os.urandom(_SALT_BYTES)
    check = _seal(derive(passphrase, raw), _CHECK)
    return Crypter(f"v1:{base64.b64encode(raw).decode()}:{check}", passphrase)


def derive(passphrase: str, salt: bytes) -> bytes:
    """The key of a passphrase and a salt; takes some tenths of a second, on purpose."""
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, _ITERATIONS, _KEY_BYTES)


def passphrase(root: Path, environment: Mapping[str, str]) -> str:
    """The passphrase where Pulumi looks for it, else the project's own file. Raises NoPassphrase when there is none."""
    if environ.PASSPHRASE in environment:
        return environment[environ.PASSPHRASE]
    file = Path(environment.get(environ.PASSPHRASE_FILE) or environ.passphrase_file(root))
    try:
        return file.read_text().strip()
    except OSError as error:
        raise NoPassphrase(
            "there is no passphrase for the secrets",
            why=f"{file}: {error.strerror}",
            next="for a new environment: turnout init ENV; else set PULUMI_CONFIG_PASSPHRASE_FILE",
        ) from error


def _seal(key: bytes, text: str) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), None)
    return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"


def _wrong() -> WrongPassphrase:
    return WrongPassphrase(
        "the passphrase does not open these secrets",
        why="they were encrypted with another one",
        next="set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the right one",
    )
