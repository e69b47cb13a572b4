"""What the engine keeps secret is kept out of messages: the API server quotes the values that it refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from cli.provider.values import Secret, decode, plain

ASKED: ContextVar[Any] = ContextVar("asked", default=None)
"""The request of the present call."""

_PLACES = ("properties", "inputs", "news", "olds", "args")
_SHORTEST = 4
"""Shorter ones are no secrets, and taking them out would spoil the words around them."""


def masked(text: str) -> str:
    """A message without the secrets of the present call, in none of the ways in which they may stand in it."""
    request = ASKED.get()
    if request is None or not text:
        return text
    for form in sorted(_forms(request), key=len, reverse=True):
        text = text.replace(form, "[secret]")
    return text


def _forms(request: Any) -> set[str]:
    found: set[str] = set()
    for place in _PLACES:
        for secret in _secrets(decode(getattr(request, place, None))):
            found |= {secret, json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode(), _decoded(secret)}
    return {form for form in found if len(form) >= _SHORTEST}


def _secrets(value: Any) -> Iterator[str]:
    """Every text in what is marked as secret."""
    if isinstance(value, Secret):
        yield from _texts(plain(value))
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _secrets(item)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def _decoded(text: str) -> str:
    """What the data of a Secret stands for."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""
