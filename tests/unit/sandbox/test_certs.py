"""The sandbox's own certificates."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509

from cli.sandbox import certs
from cli.sandbox.layout import Layout, Settings

SETTINGS = Settings("t", "real", "10.77", {"kube-apiserver": 6443})


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("TURNOUT_STATE", str(tmp_path))
    found = Layout("t")
    found.make()
    certs.ensure(found, SETTINGS)
    return found


def _load(layout: Layout, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((layout.pki / f"{name}.crt").read_bytes())


def test_every_certificate_is_signed_by_its_authority_and_no_other(layout: Layout) -> None:
    for wish in certs.needed(SETTINGS):
        for authority in certs.AUTHORITIES:
            try:
                _load(layout, wish.file).verify_directly_issued_by(_load(layout, authority))
                signed = True
            except Exception:
                signed = False
            assert signed is (authority == wish.authority), (wish.file, authority)


def test_the_api_server_may_be_called_by_all_its_names(layout: Layout) -> None:
    names = _load(layout, "kube-apiserver").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = {str(name.value) for name in names}
    assert {"kubernetes.default.svc", "127.0.0.1", "10.77.255.2", "10.77.128.1"} <= found


def test_keys_are_closed_to_other_users(layout: Layout) -> None:
    assert {path.stat().st_mode & 0o777 for path in layout.pki.glob("*.key")} == {0o600}


def test_nothing_is_made_twice(layout: Layout) -> None:
    before = {path: path.read_bytes() for path in layout.pki.iterdir()}
    certs.ensure(layout, SETTINGS)
    assert {path: path.read_bytes() for path in layout.pki.iterdir()} == before


def test_a_certificate_about_to_end_or_for_other_hosts_is_made_anew(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _load(layout, "kubelet")
    certs.ensure(layout, Settings("t", "real", "10.78", {"kube-apiserver": 6443}))
    assert _load(layout, "kubelet") != before
    monkeypatch.setattr(certs, "RENEW_BEFORE", dt.timedelta(days=certs.LEAF_DAYS + 1))
    before = _load(layout, "admin")
    certs.ensure(layout, SETTINGS)
    assert _load(layout, "admin") != before


def test_a_client_cannot_pose_as_a_server(layout: Layout) -> None:
    purposes = _load(layout, "admin").extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [purpose.dotted_string for purpose in purposes] == ["1.3.6.1.5.5.7.3.2"]
