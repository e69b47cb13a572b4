from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cli.review import addresses

NETWORKS = some.builds(
    lambda first, length: IPv4Network((first << 24, length), strict=False), some.integers(0, 7), some.integers(5, 10)
)


@given(some.lists(NETWORKS, max_size=4), some.lists(NETWORKS, max_size=4), some.integers(0, 35))
def test_what_is_left_is_what_no_other_range_has(ours: list[IPv4Network], theirs: list[IPv4Network], at: int) -> None:
    address = IPv4Address(at << 22)
    left = addresses.without(ours, theirs)
    wanted = any(address in each for each in ours) and not any(address in each for each in theirs)
    assert any(address in each for each in left) == wanted


def test_a_range_further_up_takes_nothing() -> None:
    low, high = addresses.read(["0.0.0.0/6", "4.0.0.0/6"])
    assert addresses.without([low], [high]) == (low,)


def test_one_family_takes_nothing_from_the_other() -> None:
    assert addresses.without(addresses.EVERYWHERE, addresses.EVERYWHERE[:1]) == addresses.EVERYWHERE[1:]


def test_what_is_no_range_is_left_out() -> None:
    assert addresses.read(["[secret]", None, 5, "10.0.0.1/8"]) == (ip_network("10.0.0.0/8"),)


@pytest.mark.parametrize(
    ("stated", "public"),
    [
        ("10.0.0.0/8", False),
        ("169.254.20.10/32", False),
        ("100.64.0.0/10", False),
        ("fd00::/8", False),
        ("10.0.0.0/7", True),
        ("0.0.0.0/0", True),
        ("1.1.1.1/32", True),
        ("2606:4700::/32", True),
    ],
)
def test_what_is_of_the_internet(stated: str, public: bool) -> None:
    assert addresses.is_public([ip_network(stated)]) is public
