"""What stands for encrypted settings in a hermetic preview: nobody has the passphrase, so ciphertexts are compared.

A placeholder is a keyed hash of its ciphertext, under a key that lives as long as the preview: two renders agree on
it, names that hold a hash of configuration follow it, and nothing can be learnt from it. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from cli.engine.render import PLACEHOLDER, Place, Stand

_DIGITS = 32


def following(key: bytes) -> Stand:
    """Placeholders that change exactly with the ciphertext."""
    return lambda _, ciphertext: _of(key, ciphertext)


def as_before(key: bytes, before: Mapping[Place, str]) -> Stand:
    """The same, but as if no value that was there before had changed: encrypting a value anew changes its text."""
    return lambda place, ciphertext: _of(key, before.get(place, ciphertext))


def rotated(before: Mapping[Place, str], after: Mapping[Place, str]) -> tuple[Place, ...]:
    """The values whose ciphertext differs, whether or not they do."""
    return tuple(place for place, ciphertext in after.items() if before.get(place, ciphertext) != ciphertext)


def _of(key: bytes, ciphertext: str) -> str:
    return f"{PLACEHOLDER}{hmac.new(key, ciphertext.encode(), hashlib.sha256).hexdigest()[:_DIGITS]}"
