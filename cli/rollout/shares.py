"""How many copies of two tracks give a share of traffic, where each ready copy gets an equal part of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor


@dataclass(frozen=True)
class Split:
    """Copies of the old and of the new track."""

    old: int
    new: int

    @property
    def share(self) -> float:
        """Percent of new connections that the new track gets."""
        return 100 * self.new / (self.old + self.new)


def split(wished: int, old: int, new: int) -> Split:
    """The copies that come nearest to `wished` percent on the new track.

    Never more than `old` and `new` copies, at least one of each, and together never fewer than the `old` that carry
    the load now. Of two that are equally near the one with more copies wins.
    """
    if not 0 < wished < 100:
        raise ValueError(f"a share is more than 0 and less than 100 percent, not {wished}")
    return min(_possible(wished, max(old, 1), max(new, 1)), key=lambda each: (_off(each, wished), -each.old - each.new))


def beside(wished: int, old: int, new: int) -> int:
    """The copies of a new track that come nearest to `wished` percent beside `old` ones that stay; at most `new`."""
    exact = old * wished / (100 - wished)
    near = {min(max(1, each), max(1, new)) for each in (floor(exact), ceil(exact))}
    return min(near, key=lambda each: (_off(Split(max(1, old), each), wished), -each))


def least(wished: int, wanted: int) -> int:
    """The copies of a new track that take `wished` percent of what `wanted` copies take; for exact weights."""
    return max(1, ceil(wanted * wished / 100))


def _possible(wished: int, most_old: int, most_new: int) -> Iterator[Split]:
    """For each number of new copies the numbers of old ones around the exact one, and the ends of what is allowed."""
    for new in range(1, most_new + 1):
        exact = new * (100 - wished) / wished
        lowest = max(1, most_old - new)
        for old in {lowest, floor(exact), ceil(exact), most_old}:
            if lowest <= old <= most_old:
                yield Split(old, new)


def _off(each: Split, wished: int) -> float:
    return round(abs(each.share - wished), 6)
