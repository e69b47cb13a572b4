"""The probe against small servers that behave, and against ones that do not."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cli.errors import UsageError
from cli.rollout import probing
from cli.rollout.entries import Entry
from cli.rollout.probing import Dropped, Probe
from tests.harness import eventually

HOST = "api.example.com"
Behaviour = Callable[[BaseHTTPRequestHandler], object]


def good(handler: BaseHTTPRequestHandler) -> None:
    say(handler, 200)


def say(handler: BaseHTTPRequestHandler, status: int) -> None:
    handler.send_response(status)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"2\r\nhi\r\n0\r\n\r\n")


class Served:
    """A server whose behaviour a test changes, and what it was asked over which connections."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = good
        self.hosts: list[str] = []
        self.ports: list[int] = []
        self.port = 0

    def entry(self, scheme: str = "http") -> Entry:
        return Entry("api", scheme, "127.0.0.1", self.port, HOST)


@contextmanager
def server(tls: ssl.SSLContext | None = None) -> Iterator[Served]:
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.hosts.append(self.headers["host"])
            served.ports.append(self.client_address[1])
            served.behaviour(self)

        def log_message(self, *_: object) -> None:
            """Silent."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    if tls:
        listening.socket = tls.wrap_socket(listening.socket, server_side=True)
    served.port = listening.server_address[1]
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield served
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


until = partial(eventually, every=0.01)


def failure(behaviour: Behaviour) -> Dropped:
    """What the probe says of a server that turns bad."""
    with server() as served, Probe([served.entry()], rate=50) as probe:
        until(lambda: probe.sent > 3)
        assert probe.failed is None
        served.behaviour = behaviour
        until(lambda: probe.failed)
    assert probe.failed
    return probe.failed


def test_asks_under_the_entrys_host_half_over_new_connections() -> None:
    with server() as served, Probe([served.entry()], rate=50) as probe:
        until(lambda: probe.sent >= 20)
    assert set(served.hosts) == {f"{HOST}:{served.port}"}
    assert probe.counts["failed"] == 0 and probe.failed is None
    again = [port for port in set(served.ports) if served.ports.count(port) > 1]
    assert 1 <= len(again) <= probing.KEPT, "two connections are used again and again, all others once"
    assert sum(served.ports.count(port) for port in again) >= probe.sent // 2 - probing.KEPT


def test_an_error_is_a_dropped_request() -> None:
    dropped = failure(lambda handler: say(handler, 503))
    assert dropped.outcome == "status 503"
    assert f"api: GET http://{HOST}" in str(dropped) and "status 503" in str(dropped)


def test_a_connection_that_ends_without_an_answer_is_a_dropped_request() -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    assert "disconnected" in failure(cut).outcome or "closed" in failure(cut).outcome.lower()


def test_an_answer_that_does_not_come_is_a_dropped_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "TIMEOUT", 0.2)
    ended = threading.Event()
    try:
        assert failure(lambda _: ended.wait(20)).outcome.startswith("no answer in")
    finally:
        ended.set()


def test_requests_go_out_although_answers_do_not_come() -> None:
    """Open loop: one that waited for each answer would never send the next one."""
    ended = threading.Event()

    def late(handler: BaseHTTPRequestHandler) -> None:
        ended.wait(20)
        good(handler)

    with server() as served, Probe([served.entry()], rate=50):
        served.behaviour = late
        asked = len(served.hosts)
        until(lambda: len(served.hosts) > asked + 20)
        ended.set()


def test_at_its_end_every_request_that_was_sent_is_counted_and_none_is_sent_any_more() -> None:
    def late(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.5)
        say(handler, 503)

    with server() as served, Probe([served.entry()], rate=50) as probe:
        until(lambda: probe.sent > 3)
        served.behaviour = late
        asked = len(served.hosts)
        until(lambda: len(served.hosts) > asked + 5)
        probe.finish()
        counts, asked = probe.counts, len(served.hosts)
        assert probe.failed and counts["failed"] > 5
        assert counts["sent"] == asked - 1, "all but the first one, which is asked before the rollout"
        time.sleep(0.2)
        assert (probe.counts, len(served.hosts)) == (counts, asked)


def test_an_entry_that_does_not_answer_before_the_rollout_is_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "FIRST_PAUSE", 0.01)
    with server() as served:
        served.behaviour = lambda handler: say(handler, 404)
        with pytest.raises(UsageError, match="no good answer") as raised, Probe([served.entry()]):
            pass
    assert "--probe-url" in raised.value.next and "status 404" in raised.value.why


def test_the_certificate_is_asked_for_by_the_entrys_name(tmp_path: Path) -> None:
    offering, trusting = certificate(tmp_path, HOST)
    with server(offering) as served:
        with Probe([served.entry("https")], rate=50, verify=trusting) as probe:
            until(lambda: probe.sent > 3)
        assert probe.failed is None
        with pytest.raises(UsageError, match="no good answer"), Probe([served.entry("https")]):
            pass


def test_a_probe_that_breaks_does_not_look_like_one_that_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: object, **__: object) -> str:
        raise RuntimeError("a fault of ours")

    with server() as served, Probe([served.entry()], rate=50) as probe:
        monkeypatch.setattr(probing, "_outcome", breaks)
        until(lambda: probe.failed)
    assert "a fault of ours" in str(probe.failed)


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server offers, and what trusts nothing but that."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    offering = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offering.load_cert_chain(file)
    return offering, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
