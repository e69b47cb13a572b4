"""A blast radius as a few lines, in the units that people use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cli.report import plain
from cli.review.model import Amount, Blast


@dataclass(frozen=True)
class Fact:
    """One line of the blast radius: what, how much, and which."""

    label: str
    text: str = ""
    items: tuple[str, ...] = ()
    serious: bool = False


def of(blast: Blast) -> tuple[Fact, ...]:
    """What to show of it; what is zero or empty is left out."""
    restarted = (Fact("pods restarted", str(blast.pods_restarted)),) if blast.pods_restarted else ()
    lists = (
        ("restarted on every node", blast.every_node, False),
        ("data at risk", blast.data_at_risk, True),
        ("downtime", blast.downtime, True),
        ("deleted", blast.deleted, True),
        ("replaced", blast.replaced, False),
        ("security", blast.security, True),
        ("services affected", blast.services, False),
        ("no rollback afterwards", blast.rollback, True),
    )
    told = (Fact(label, items=_items(items), serious=serious) for label, items, serious in lists if items)
    capacity = tuple(_amount(label, amount) for label, amount in blast.capacity.items())
    return (*restarted, *told, *((Fact("capacity", items=capacity),) if capacity else ()))


def _items(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(plain.message(item) for item in items)


def _amount(label: str, amount: Amount) -> str:
    size = _bytes if any(word in label for word in ("memory", "storage", "volume")) else _number
    difference = amount.after - amount.before
    sign = "+" if difference >= 0 else "-"
    return f"{plain.name(label)} {size(amount.before)} → {size(amount.after)} ({sign}{size(abs(difference))})"


def _number(given: float) -> str:
    return f"{given:,.3f}".rstrip("0").rstrip(".")


def _bytes(given: float) -> str:
    for unit in ("", "Ki", "Mi", "Gi"):
        if abs(given) < 1024:
            return f"{_number(given)}{unit}" if unit else _number(given)
        given /= 1024
    return f"{_number(given)}Ti"
