"""Addresses that collide with nothing on this machine, and free ports."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

import pytest

from cli.errors import TurnoutError
from cli.sandbox import network
from cli.sandbox.layout import Subnets

Network = ipaddress.IPv4Network


def test_a_name_usually_gets_the_same_block_and_others_another() -> None:
    assert network.choose("main", ()) == network.choose("main", ())
    assert len({network.choose(name, ()).block for name in ("main", "test", "demo", "ci")}) > 1


def test_blocks_in_use_are_passed_over() -> None:
    first = network.choose("main", ())
    second = network.choose("main", [Network(f"{first.block}.7.0/24")])
    third = network.choose("main", [Network(first.whole), Network(second.whole)])
    assert len({first, second, third}) == 3


def test_the_search_wraps_around_and_ends() -> None:
    all_but_one = [Network(f"10.{n}.0.0/16") for n in network.CANDIDATES if n != 100]
    assert network.choose("main", all_but_one) == Subnets("10.100")
    with pytest.raises(TurnoutError, match="no free block"):
        network.choose("main", [Network("10.0.0.0/8")])


def test_the_parts_of_a_block_do_not_overlap() -> None:
    subnets = Subnets("10.9")
    parts = [Network(subnets.pods), Network(subnets.services), Network(subnets.link)]
    assert all(part.subnet_of(Network(subnets.whole)) for part in parts)
    assert not any(a.overlaps(b) for a in parts for b in parts if a is not b)
    addresses = map(ipaddress.IPv4Address, (subnets.first_service, subnets.dns))
    assert all(address in Network(subnets.services) for address in addresses)
    assert {*map(str, Network(subnets.link).hosts())} == {subnets.host, subnets.node}


def test_name_servers_on_loopback_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    servers = ("127.0.0.53", "10.0.0.2", "::1", "10.0.0.2")
    file.write_text("# mine\nsearch x\n" + "".join(f"nameserver {server}\n" for server in servers))
    assert network.nameservers([file, tmp_path / "none"]) == ["10.0.0.2"]


def test_free_ports_are_free_and_differ() -> None:
    ports = network.free_ports(["a", "b", "c"])
    assert len({*ports.values()}) == 3
    for port in ports.values():
        with socket.socket() as each:
            each.bind(("127.0.0.1", port))


def test_this_machines_own_addresses_are_taken() -> None:
    assert any(Network("127.0.0.1/32").subnet_of(each) for each in network.taken())
