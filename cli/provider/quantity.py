"""Kubernetes quantities (`500m`, `1.5Gi`, `1e3`) in the one spelling that Kubernetes gives back."""

from __future__ import annotations

import re
from decimal import ROUND_UP, Decimal, localcontext
from typing import Any

_QUANTITY = re.compile(r"[+-]?(?:(\d+)\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d+)|([KMGTPE]i)|([numkMGTPE]))?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"": 0, "Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_SMALLEST = Decimal("1e-9")
_DIGITS = 80
_QUICK = 18
"""Digits up to which Kubernetes keeps a text that it takes for canonical."""


def canonical(value: Any) -> str:
    """The quantity as Kubernetes writes it. Raises ValueError for what is none."""
    text = str(value).strip()
    whole, part, only, exponent, binary, decimal = _parts(value)
    digits, places = (whole or "").lstrip("0") + (part or only or ""), len(part or only or "")
    power = int(exponent) if exponent else _DECIMAL[decimal or ""]
    if _is_kept(digits, places, power, bool(binary)):
        return text
    with localcontext(prec=_DIGITS):
        return _written(_number(value), bool(binary), bool(exponent))


def exact(value: Any) -> Decimal:
    """The number that it stands for, in its base unit; like Kubernetes, nothing finer than a billionth, rounded up.

    Raises ValueError for what is no quantity.
    """
    with localcontext(prec=_DIGITS):
        return _number(value)


def _parts(value: Any) -> tuple[str | None, ...]:
    match = _QUANTITY.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        raise ValueError(f"{value!r} is not a quantity")
    return match.groups()


def _number(value: Any) -> Decimal:
    whole, part, only, exponent, binary, decimal = _parts(value)
    fraction = part or only or ""
    unit = Decimal(1024) ** _BINARY[binary] if binary else Decimal(10) ** int(exponent or _DECIMAL[decimal or ""])
    number = Decimal(int((whole or "") + fraction or "0")).scaleb(-len(fraction)) * unit
    number = -number if str(value).strip().startswith("-") else number
    return number.quantize(_SMALLEST, ROUND_UP) if number % _SMALLEST else number


def _is_kept(digits: str, places: int, power: int, binary: bool) -> bool:
    if binary:
        return not places and bool(digits) and int(digits) & 7 != 0
    fits = 0 < len(digits) <= _QUICK and power - places >= -9
    return fits and (power - places) % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def _written(number: Decimal, binary: bool, with_exponent: bool) -> str:
    if number == 0:
        return "0"
    if binary and abs(number) >= 1024 and number % 1 == 0:
        return _largest(number, 1024, 0, {power: suffix for suffix, power in _BINARY.items()})
    if with_exponent:
        return _largest(number, 1000, -3, {power: f"e{3 * power}" if power else "" for power in range(-3, 99)})
    return _largest(number, 1000, -3, {power // 3: suffix for suffix, power in _DECIMAL.items()})


def _largest(number: Decimal, base: int, power: int, suffixes: dict[int, str]) -> str:
    """With the largest power of `base` that leaves a whole number."""
    number = number / Decimal(base) ** power
    while power + 1 in suffixes and number % base == 0:
        number, power = number / base, power + 1
    return f"{int(number)}{suffixes[power]}"
