"""Completes a settings file with an encryption salt and the secrets that it lacks; comments and order are kept."""

from __future__ import annotations

import os
import secrets as random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.engine import environ
from cli.engine.failures import NoPassphrase
from cli.engine.render import missing
from cli.engine.secrets import Crypter, create, passphrase
from cli.yamlfile import YamlFile, put

_SALT = "encryptionsalt"
_KEYS = (_SALT, "secretsprovider", "encryptedkey")
_PASSPHRASE_BYTES = 32
_SECRET_BYTES = 24


@dataclass(frozen=True)
class Initialised:
    """What was written. `secrets` are names of settings, never values."""

    environment: str
    file: Path
    secrets: tuple[str, ...]
    passphrase_file: Path | None

    def to_json(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "file": str(self.file),
            "secrets": list(self.secrets),
            "passphrase_file": str(self.passphrase_file) if self.passphrase_file else None,
        }

    def lines(self) -> list[str]:
        """For people."""
        made = [f"made {self.passphrase_file}: keep a copy, it opens every secret"] if self.passphrase_file else []
        wrote = [f"wrote {name} to {self.file.name} (encrypted)" for name in self.secrets]
        return [*made, *(wrote or [f"{self.file.name} has every secret it needs"]), "next: turnout validate"]


def initialise(root: Path, environment: str, variables: Mapping[str, str] | None = None) -> Initialised:
    """Make the passphrase where there is none, then write the salt and the missing secrets into the settings file.

    Raises TurnoutError (exit 2) when the settings file is missing or broken, or needs another passphrase.
    """
    file = root / f"Pulumi.{environment}.yaml"
    leaves = missing(root, environment)
    made = _ensure_passphrase(root, os.environ if variables is None else variables)
    words = passphrase(root, os.environ if variables is None else variables)
    _complete(file, words, leaves)
    return Initialised(environment, file, tuple(".".join((key, *path)) for key, path in leaves), made)


def give_salt(root: Path, environment: str, variables: Mapping[str, str]) -> None:
    """Write the salt into a settings file that has no key yet, where there is a passphrase.

    The engine would do it when it makes the stack, but in place: ended then, it leaves the settings cut short.
    """
    file = root / f"Pulumi.{environment}.yaml"
    if not file.is_file():
        return
    settings = YamlFile(file)
    if any(key in settings.document for key in _KEYS):
        return
    with suppress(NoPassphrase):
        settings.document[_SALT] = create(passphrase(root, variables)).salt
        settings.save()


def _ensure_passphrase(root: Path, variables: Mapping[str, str]) -> Path | None:
    """The file that was made; None when there is a passphrase already."""
    try:
        passphrase(root, variables)
        return None
    except NoPassphrase:
        if variables.get(environ.PASSPHRASE_FILE):
            raise
    file = environ.passphrase_file(root)
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(random.token_urlsafe(_PASSPHRASE_BYTES) + "\n")
    return file


def _complete(file: Path, words: str, leaves: list[tuple[str, tuple[str, ...]]]) -> None:
    settings = YamlFile(file)
    document = settings.document
    if _SALT in document and not leaves:
        Crypter(document[_SALT], words)
        return
    crypter = Crypter(document[_SALT], words) if _SALT in document else create(words)
    document[_SALT] = crypter.salt
    for key, path in leaves:
        put(document, ("config", key, *path), {"secure": crypter.encrypt(random.token_urlsafe(_SECRET_BYTES))})
    settings.save()
