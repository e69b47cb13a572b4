"""Text that others chose, made harmless to show: what a terminal or a page would act on is spelled out instead.

Spelled out are control characters (ANSI escapes among them), marks that turn the direction of text, what has no width,
lone surrogates and what XML may not hold, each as Python writes it (`\\x1b`, `\\u202e`). See Unicode's UTR 36,
CVE-2021-42574.
"""

from __future__ import annotations

import json
import re
from typing import Any

from cli.engine.model import ABSENT, SECRET, UNKNOWN

_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\ufffe\uffff\U000e0000-\U000e0fff]"
)
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_PLACEHOLDERS = frozenset({SECRET, UNKNOWN})
_AMBIGUOUS = re.compile(
    r"|\s.*|.*\s|true|false|null|~|[-+]?[\d.]+(e[-+]?\d+)?|\[.*|\{.*|\".*", re.IGNORECASE | re.DOTALL
)
NAME_LENGTH = 120
VALUE_LENGTH = 160
MESSAGE_LENGTH = 2000


def visible(text: str, keep: str = "") -> str:
    """The text with every harmful character spelled out, except those in `keep` (`\\n`, `\\t`)."""
    return _HARMFUL.sub(lambda found: found[0] if found[0] in keep else _spelled(found[0]), text)


def clipped(text: str, longest: int = VALUE_LENGTH) -> str:
    """At most `longest` characters: of a longer text its beginning and its end."""
    if len(text) <= longest:
        return text
    half = (longest - 3) // 2
    return f"{text[:half]} … {text[-half:]}"


def name(text: str) -> str:
    """A name on one line, of bounded length."""
    return clipped(visible(text), NAME_LENGTH)


def message(text: str) -> str:
    """A message for people, of bounded length; it may have several lines."""
    return clipped(visible(text, keep="\n"), MESSAGE_LENGTH)


def value(given: Any, longest: int = VALUE_LENGTH) -> str:
    """A value on one line, of bounded length; quoted where it could be taken for something else."""
    if given is ABSENT:
        return "(none)"
    if isinstance(given, str):
        quoted = given not in _PLACEHOLDERS and _AMBIGUOUS.fullmatch(given)
        return clipped(visible(json.dumps(given, ensure_ascii=False) if quoted else given), longest)
    return clipped(visible(json.dumps(whole(given), ensure_ascii=False)), longest)


def whole(given: Any) -> Any:
    """The value with numbers that are whole written so (Pulumi knows only floating ones)."""
    if isinstance(given, float) and given.is_integer():
        return int(given)
    if isinstance(given, dict):
        return {key: whole(entry) for key, entry in given.items()}
    return [whole(entry) for entry in given] if isinstance(given, list) else given


def _spelled(character: str) -> str:
    point = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
