"""Ranges of addresses, as NetworkPolicies and load balancers name them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network, summarize_address_range
from typing import Any, Final

Network = IPv4Network | IPv6Network
Ranges = tuple[Network, ...]

EVERYWHERE: Final[Ranges] = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def read(stated: Iterable[Any]) -> Ranges:
    """Those that are ranges: what is hidden, or of another shape, is left out."""
    found = []
    for each in stated:
        try:
            found.append(ip_network(str(each), strict=False))
        except ValueError:
            continue
    return tuple(found)


def without(ranges: Iterable[Network], others: Iterable[Network]) -> Ranges:
    """What lies in `ranges` and in none of `others`."""
    known = sorted((other.version, *_ends(other)) for other in others)
    return tuple(
        piece
        for each in ranges
        for first, last in _gaps(each, [ends for version, *ends in known if version == each.version])
        for piece in _spelt(each, first, last)
    )


def is_public(ranges: Iterable[Network]) -> bool:
    """Whether an address of the internet is among them. Private ones are the IANA's, and what carriers share."""
    return any(each.is_global for each in ranges)


def _gaps(each: Network, known: Iterable[list[int]]) -> Iterator[tuple[int, int]]:
    """First and last address of what none of `known` covers; they are in order of where they start."""
    start, end = _ends(each)
    for first, last in known:
        if first > end:
            break
        if start < first:
            yield start, first - 1
        start = max(start, last + 1)
    if start <= end:
        yield start, end


def _spelt(each: Network, first: int, last: int) -> Iterator[Network]:
    """As ranges again; of the whole, that itself."""
    if (first, last) == _ends(each):
        yield each
        return
    address = type(each.network_address)
    yield from summarize_address_range(address(first), address(last))


def _ends(each: Network) -> tuple[int, int]:
    return int(each.network_address), int(each.broadcast_address)
