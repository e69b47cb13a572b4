"""Which Debian packages an image needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.errors import TurnoutError
from cli.progress import Silent
from cli.sandbox import debian
from cli.sandbox.debian import Package

_STANZAS = """Package: redis-server
Version: 5:7.0.15-1~deb12u1
Depends: redis-tools (= 5:7.0.15-1~deb12u1), libc6 (>= 2.34) [amd64], init | upstart:any
Pre-Depends: init-helpers (>= 1.54~)
Description: a store
 with: a colon in its long text

Package: redis-server
Version: 5:7.0.11
Depends: nothing

Package: libc6
Version: 2.36
"""


def test_stanzas_are_read_and_the_first_version_counts() -> None:
    found = debian.parse(_STANZAS)
    needs = (("init-helpers",), ("redis-tools",), ("libc6",), ("init", "upstart"))
    assert found == {
        "redis-server": Package("redis-server", "5:7.0.15-1~deb12u1", needs),
        "libc6": Package("libc6", "2.36"),
    }


def test_nothing_known_is_no_package() -> None:
    assert debian.parse("") == {}


def _closure(packages: dict[str, str], *roots: str, without: Sequence[str] = ()) -> list[str]:
    known = {
        name: Package(name, "1", tuple(tuple(need.split("|")) for need in needs.split()))
        for name, needs in packages.items()
    }
    found = debian.closure(roots, without, lambda names: {name: known[name] for name in names if name in known})
    return [package.name for package in found]


def test_everything_needed_comes_along_once() -> None:
    packages = {"app": "lib tools", "tools": "lib libc", "lib": "libc", "libc": "lib", "other": ""}
    assert _closure(packages, "app") == ["app", "lib", "libc", "tools"]


def test_what_is_left_out_takes_its_own_needs_with_it() -> None:
    packages = {"app": "perl lib", "perl": "perl-base", "perl-base": "", "lib": ""}
    assert _closure(packages, "app", without=["perl"]) == ["app", "lib"]


def test_the_first_alternative_that_exists_is_taken() -> None:
    assert _closure({"app": "virtual|real|spare", "real": "", "spare": ""}, "app") == ["app", "real"]


def test_a_need_that_nothing_meets_is_named() -> None:
    with pytest.raises(TurnoutError, match="none of: gone, lost"):
        _closure({"app": "gone|lost"}, "app")


def test_a_machine_without_apt_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", dict[str, str]().get)
    with pytest.raises(TurnoutError, match="has no apt-get, apt-cache, dpkg-deb") as failed:
        debian.fetch(["redis"], [], Path("nowhere"), Silent().step("x").__enter__())
    assert "simulated" in failed.value.next
