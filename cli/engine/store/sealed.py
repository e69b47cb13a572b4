"""Whether the secrets in a state open with the passphrase at hand. Nothing of them is kept or shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cli import protocol
from cli.engine.failures import NoPassphrase, WrongPassphrase
from cli.engine.secrets import Crypter, passphrase
from cli.engine.store.verify import Problem


def problems(deployment: Mapping[str, Any], root: Path, variables: Mapping[str, str]) -> list[Problem]:
    """What keeps the secrets of a deployment closed. Keys that a cloud keeps are not looked at."""
    provider = deployment.get("secrets_providers") or {}
    kind = provider.get("type", "") if isinstance(provider, Mapping) else ""
    sealed = list(ciphertexts(deployment.get("resources")))
    if kind != "passphrase":
        return [Problem("secrets", "it holds secrets, but not how to open them")] if sealed and not kind else []
    try:
        crypter = _crypter(provider["state"]["salt"], passphrase(root, variables))
    except (WrongPassphrase, NoPassphrase) as error:
        return [Problem("secrets", f"{error.what}{f': {error.why}' if error.why else ''}")]
    except (ValueError, KeyError, TypeError, AttributeError):
        return [Problem("secrets", "the salt of its secrets is damaged")]
    closed = sum(1 for text in sealed if not _opens(crypter, text))
    return (
        [Problem("secrets", f"{closed} of its {len(sealed)} secrets do not open: they are damaged")] if closed else []
    )


def opened(deployment: Mapping[str, Any], root: Path, variables: Mapping[str, str]) -> Any:
    """The resources of a deployment with their secrets in plain, to be compared and thrown away; where a cloud keeps
    the key they stay closed, as one mark. Raises WrongPassphrase."""
    provider = deployment.get("secrets_providers") or {}
    if provider.get("type") != "passphrase":
        return _replaced(deployment.get("resources") or [], lambda _: "")
    crypter = _crypter(provider["state"]["salt"], passphrase(root, variables))
    return _replaced(deployment.get("resources") or [], crypter.decrypt)


def _replaced(value: Any, opener: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        if value.get(protocol.SIGNATURE) == protocol.SECRET and isinstance(value.get("ciphertext"), str):
            return {protocol.SIGNATURE: opener(value["ciphertext"])}
        return {key: _replaced(entry, opener) for key, entry in value.items()}
    if isinstance(value, list):
        return [_replaced(entry, opener) for entry in value]
    return value


@lru_cache(maxsize=4)
def _crypter(salt: str, words: str) -> Crypter:
    """Every copy of a state has the same salt as a rule, and a key takes some tenths of a second to derive."""
    return Crypter(salt, words)


def ciphertexts(value: Any) -> Iterator[str]:
    """Every sealed text in a state, however deep."""
    if isinstance(value, Mapping):
        if value.get(protocol.SIGNATURE) == protocol.SECRET and isinstance(value.get("ciphertext"), str):
            yield value["ciphertext"]
            return
        for entry in value.values():
            yield from ciphertexts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from ciphertexts(entry)


def _opens(crypter: Crypter, text: str) -> bool:
    try:
        crypter.decrypt(text)
    except (WrongPassphrase, ValueError):
        return False
    return True
