from __future__ import annotations

import pytest

from cli.errors import UsageError
from cli.load.target import Target, target


def test_loopback_is_allowed() -> None:
    assert target("http://127.0.0.1:8080/v1/hello") == Target("127.0.0.1", 8080, "/v1/hello")
    assert target("http://localhost") == Target("127.0.0.1", 80, "/")


def test_a_service_of_the_sandbox_is_allowed_when_its_network_is_named() -> None:
    assert target("http://10.97.0.7/", sandbox="10.97.0.0/16").host == "10.97.0.7"


@pytest.mark.parametrize("url", ["http://10.97.0.7/", "http://192.0.2.1/", "http://[2001:db8::1]/"])
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no load is sent to"):
        target(url)


def test_an_address_beside_the_sandbox_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no load is sent to 10\.98\.0\.7"):
        target("http://10.98.0.7/", sandbox="10.97.0.0/16")


@pytest.mark.parametrize("url", ["http://example.org/", "https://127.0.0.1/", "127.0.0.1"])
def test_names_and_other_protocols_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        target(url)
