"""One question to a name server, to know whether cluster DNS really answers (RFC 1035, section 4)."""

from __future__ import annotations

import secrets
import socket
import struct

PORT = 53
TIMEOUT = 1.0
TRIES = 3
_STANDARD_QUERY = 0x0100  # recursion desired
_ADDRESS, _INTERNET = 1, 1
_RESPONSE, _CODE = 0x8000, 0x000F


def answers(server: str, name: str) -> bool:
    """Whether the server knows an IPv4 address of the name; as resolvers do, it asks more than once."""
    return any(_answers(server, name) for _ in range(TRIES))


def _answers(server: str, name: str) -> bool:
    number = secrets.randbits(16)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(TIMEOUT)
        try:
            udp.connect((server, PORT))
            udp.send(question(number, name))
            return is_answer(number, udp.recv(4096))
        except OSError:
            return False


def question(number: int, name: str) -> bytes:
    """The message that asks for the name's addresses."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.strip(".").split("."))
    header = struct.pack(">6H", number, _STANDARD_QUERY, 1, 0, 0, 0)
    return header + labels + b"\0" + struct.pack(">2H", _ADDRESS, _INTERNET)


def is_answer(number: int, message: bytes) -> bool:
    """Whether it answers the question of that number, without an error and with at least one record."""
    if len(message) < 12:
        return False
    identity, flags, _, records, _, _ = struct.unpack(">6H", message[:12])
    return identity == number and bool(flags & _RESPONSE) and not flags & _CODE and records > 0
