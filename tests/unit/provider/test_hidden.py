from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest

from cli.provider import hidden
from cli.provider.values import Secret, encode


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("hunter22", 'Invalid value: "hunter22": no'),
        ('two\nlines "quoted"', 'Invalid value: "two\\nlines \\"quoted\\"": no'),
        ("hunter22", f"data: {base64.b64encode(b'hunter22').decode()}"),
        (base64.b64encode(b"hunter22").decode(), "it says hunter22"),
        ({"deep": ["hunter22", 1]}, "it says hunter22"),
        (87654321, "port 87654321"),
    ],
)
@pytest.mark.parametrize("place", ["properties", "news", "olds", "inputs", "args"])
def test_a_secret_of_the_request_stands_in_no_message(secret: Any, text: str, place: str) -> None:
    asked = SimpleNamespace(**{place: encode({"metadata": {"labels": {"a": Secret(secret)}}, "open": "Invalid"})})
    token = hidden.ASKED.set(asked)
    try:
        masked = hidden.masked(text)
    finally:
        hidden.ASKED.reset(token)
    assert "[secret]" in masked
    assert "hunter22" not in masked
    assert "lines" not in masked
    assert "87654321" not in masked
    assert masked.startswith(text[:4])


def test_what_is_no_secret_stays() -> None:
    asked = SimpleNamespace(news=encode({"a": "visible", "b": Secret("no"), "c": Secret(True)}))
    token = hidden.ASKED.set(asked)
    try:
        assert hidden.masked("visible: no, it is True") == "visible: no, it is True"
    finally:
        hidden.ASKED.reset(token)
    assert hidden.masked("outside of a call") == "outside of a call"
