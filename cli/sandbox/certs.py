"""The sandbox's own certificate authorities and the certificates that its programs show each other.

What is needed is data (`needed`); issuing is apart from it. Certificates are made anew when their wish changes or when
fewer than 30 days of validity are left; the authorities stay.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cli.sandbox.layout import NODE, Layout, Settings, write

CA_YEARS = 10
LEAF_DAYS = 365
RENEW_BEFORE = dt.timedelta(days=30)
AUTHORITIES = ("ca", "etcd-ca", "front-proxy-ca")


@dataclass(frozen=True)
class Wish:
    """One certificate: who signs it, whom it names, where it serves (no addresses: a client only)."""

    file: str
    authority: str
    name: str
    organization: str = ""
    hosts: tuple[str, ...] = ()


def needed(settings: Settings) -> list[Wish]:
    """Every certificate of a sandbox, after Kubernetes' PKI requirements (kubernetes.io, "PKI certificates")."""
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    api = (*names, "localhost", "127.0.0.1", settings.address, settings.subnets.first_service)
    return [
        Wish("kube-apiserver", "ca", "kube-apiserver", hosts=tuple(dict.fromkeys(api))),
        Wish("kube-apiserver-kubelet-client", "ca", "kube-apiserver", "turnout:kubelet-api"),
        Wish("front-proxy-client", "front-proxy-ca", "front-proxy-client"),
        Wish("etcd", "etcd-ca", "etcd", hosts=("localhost", "127.0.0.1")),
        Wish("etcd-client", "etcd-ca", "kube-apiserver"),
        Wish("admin", "ca", "turnout-admin", "system:masters"),
        Wish("kube-controller-manager", "ca", "system:kube-controller-manager", hosts=("localhost", "127.0.0.1")),
        Wish("kube-scheduler", "ca", "system:kube-scheduler", hosts=("localhost", "127.0.0.1")),
        Wish("kubelet", "ca", f"system:node:{NODE}", "system:nodes", (NODE, settings.subnets.node)),
        Wish("kube-proxy", "ca", "system:kube-proxy"),
        Wish("keeper", "ca", "turnout:keeper"),
        Wish("kwok", "ca", "turnout:kwok", "system:masters"),
    ]


def ensure(layout: Layout, settings: Settings) -> None:
    """Make what is missing or about to end."""
    for name in AUTHORITIES:
        _authority(layout.pki, name)
    for wish in needed(settings):
        issue(layout, wish)
    _service_account_key(layout.pki)


def issue(layout: Layout, wish: Wish) -> None:
    """Make one certificate, unless a good one is there. Its files: `<pki>/<file>.crt` and `.key`."""
    if not _still_good(layout.pki, wish):
        _issue(layout.pki, wish, *_authority(layout.pki, wish.authority))


def _authority(folder: Path, name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    if not (certificate.exists() and key.exists()):
        _create_authority(folder, name)
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    return x509.load_pem_x509_certificate(certificate.read_bytes()), loaded


def _create_authority(folder: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(f"turnout sandbox {name}", "")
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        _builder(subject, subject, key.public_key(), dt.timedelta(days=365 * CA_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _store(folder, name, certificate, key)


def _issue(folder: Path, wish: Wish, authority: x509.Certificate, signer: ec.EllipticCurvePrivateKey) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(wish.name, wish.organization)
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    builder = (
        _builder(subject, authority.subject, key.public_key(), dt.timedelta(days=LEAF_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage(_purposes(wish)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if wish.hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(_names(wish.hosts)), critical=False)
    _store(folder, wish.file, builder.sign(signer, hashes.SHA256()), key)


def _still_good(folder: Path, wish: Wish) -> bool:
    path = folder / f"{wish.file}.crt"
    if not (path.exists() and (folder / f"{wish.file}.key").exists()):
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    authority = x509.load_pem_x509_certificate((folder / f"{wish.authority}.crt").read_bytes())
    try:
        certificate.verify_directly_issued_by(authority)
    except Exception:
        return False
    fresh = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC) > RENEW_BEFORE
    return fresh and certificate.subject == _subject(wish.name, wish.organization) and _hosts(certificate) == wish.hosts


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, validity: dt.timedelta
) -> x509.CertificateBuilder:
    """Valid from an hour ago, so that a clock set back a little harms nothing."""
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + validity)
    )


def _purposes(wish: Wish) -> list[x509.ObjectIdentifier]:
    client = [ExtendedKeyUsageOID.CLIENT_AUTH]
    return [ExtendedKeyUsageOID.SERVER_AUTH, *client] if wish.hosts else client


def _names(hosts: tuple[str, ...]) -> list[x509.GeneralName]:
    return [_general_name(host) for host in hosts]


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _subject(name: str, organization: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _store(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    write(folder / f"{name}.key", _pem(key))
    write(folder / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM).decode())


def _service_account_key(folder: Path) -> None:
    private, public = folder / "service-accounts.key", folder / "service-accounts.pub"
    if private.exists() and public.exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    write(private, _pem(key))
    write(public, key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
