"""What real pods need from the host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.errors import TurnoutError
from cli.progress import Lines, Silent
from cli.sandbox import prerequisites


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host on which nothing is installed but a shell."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(prerequisites, "SEARCH_PATH", "/bin-of-nowhere")
    return tmp_path


def install(folder: Path, name: str, text: str = "") -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


def install_all(folder: Path) -> None:
    for need in prerequisites.NEEDS:
        install(folder, need.program)


def test_each_missing_package_is_named_once(host: Path) -> None:
    install(host, "ip")
    assert prerequisites.missing() == ["containerd", "runc", "nftables", "iptables", "util-linux", "mount"]


def test_with_everything_there_nothing_is_run(host: Path) -> None:
    install_all(host)
    install(host, "apt-get", "echo must not run; exit 1")
    prerequisites.ensure(Silent())


def test_without_apt_get_the_error_says_what_to_install(host: Path) -> None:
    install_all(host)
    (host / "nft").unlink()
    (host / "runc").unlink()
    with pytest.raises(TurnoutError) as raised:
        prerequisites.ensure(Silent())
    assert raised.value.what == "real pods need runc, nftables"
    assert "apt-get install --yes --no-install-recommends runc nftables" in raised.value.next
    assert "--pods simulated" in raised.value.next


def test_apt_get_installs_what_is_missing_and_its_words_are_shown(
    host: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install_all(host)
    (host / "nft").unlink()
    install(host, "apt-get", f'echo "Setting up nftables"; : > {host}/nft; /bin/chmod +x {host}/nft')
    prerequisites.ensure(Lines())
    assert "installing nftables: Setting up nftables" in capsys.readouterr().err


def test_a_failed_install_refreshes_the_lists_and_tries_again(host: Path) -> None:
    install_all(host)
    (host / "nft").unlink()
    words = f'echo "$*" >> {host}/said; case "$*" in *update*) : > {host}/fresh;; esac'
    install(host, "apt-get", f"{words}; [ -e {host}/fresh ] || exit 100; : > {host}/nft; /bin/chmod +x {host}/nft")
    prerequisites.ensure(Silent())
    said = [line.split("120 ")[1].split()[0] for line in (host / "said").read_text().splitlines()]
    assert said == ["install", "update", "install"]


def test_an_install_that_does_not_help_is_an_error(host: Path) -> None:
    install_all(host)
    (host / "nft").unlink()
    install(host, "apt-get", "exit 100")
    with pytest.raises(TurnoutError, match="nftables did not install"):
        prerequisites.ensure(Silent())


def test_real_pods_need_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not prerequisites.can_run_real_pods()
