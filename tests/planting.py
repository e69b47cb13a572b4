"""Secrets planted for a test, and the look for them in whatever came out.

`TURNOUT_SECRETS_SEED` makes the same ones again; without it each run has its own, and says its seed.
"""

from __future__ import annotations

import base64
import gzip
import os
import random
import re
import secrets
from collections.abc import Iterable, Mapping

_BLOB = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")


class Generator:
    """Makes secrets; the same ones for the same seed."""

    def __init__(self) -> None:
        self.seed = os.environ.get("TURNOUT_SECRETS_SEED") or secrets.token_hex(8)
        self._random = random.Random(self.seed)

    def __repr__(self) -> str:
        return f"TURNOUT_SECRETS_SEED={self.seed}"

    def values(self, places: Iterable[str]) -> dict[str, str]:
        """One secret for each place."""
        return {place: f"hush-{self._random.getrandbits(96):024x}" for place in places}


def forms(value: str) -> list[bytes]:
    """As it is, and what of its base64 is the same wherever it stands in the encoded text."""
    found = [value.encode()]
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + value.encode())
        found.append(encoded[4 if before else 0 : len(encoded) // 4 * 4 - 4])
    return found


def seen(planted: Mapping[str, str], content: bytes) -> list[str]:
    """The places whose secret is in the content: plain, in base64, or in something compressed there."""
    texts = [content, *_unpacked(content)]
    return sorted(
        place for place, value in planted.items() if any(form in text for form in forms(value) for text in texts)
    )


def _unpacked(content: bytes) -> Iterable[bytes]:
    for found in _BLOB.findall(content):
        try:
            plain = base64.b64decode(found[: len(found) // 4 * 4])
            yield gzip.decompress(plain) if plain[:2] == b"\x1f\x8b" else plain
        except (ValueError, OSError, EOFError):
            continue
