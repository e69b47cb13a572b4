"""What each program of the control plane is started with: pure functions from a sandbox's settings to arguments and
kubeconfigs. The node's programs are in `node_config`."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from cli.sandbox.layout import Layout, Settings

CONTROL_PLANE_PORTS = {
    "kube-apiserver": 6443,
    "etcd": 2379,
    "etcd-peer": 2380,
    "kube-controller-manager": 10257,
    "kube-scheduler": 10259,
}


def etcd(layout: Layout, settings: Settings) -> list[str]:
    client = f"https://127.0.0.1:{settings.ports['etcd']}"
    peer = f"https://127.0.0.1:{settings.ports['etcd-peer']}"
    return [
        "--name=sandbox",
        f"--data-dir={layout.etcd}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=sandbox={peer}",
        f"--cert-file={layout.pki / 'etcd.crt'}",
        f"--key-file={layout.pki / 'etcd.key'}",
        f"--trusted-ca-file={layout.pki / 'etcd-ca.crt'}",
        "--client-cert-auth",
        f"--peer-cert-file={layout.pki / 'etcd.crt'}",
        f"--peer-key-file={layout.pki / 'etcd.key'}",
        f"--peer-trusted-ca-file={layout.pki / 'etcd-ca.crt'}",
        "--peer-client-cert-auth",
        # nothing in a sandbox outlives a power cut, and each fsync costs milliseconds on a laptop's disk
        "--unsafe-no-fsync",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=30m",
        "--quota-backend-bytes=2147483648",
        "--log-level=warn",
    ]


def apiserver(layout: Layout, settings: Settings) -> list[str]:
    pki = layout.pki
    return [
        f"--advertise-address={settings.subnets.node if settings.pods == 'real' else '127.0.0.1'}",
        f"--bind-address={settings.address}",
        f"--secure-port={settings.ports['kube-apiserver']}",
        f"--etcd-servers=https://127.0.0.1:{settings.ports['etcd']}",
        f"--etcd-cafile={pki / 'etcd-ca.crt'}",
        f"--etcd-certfile={pki / 'etcd-client.crt'}",
        f"--etcd-keyfile={pki / 'etcd-client.key'}",
        f"--tls-cert-file={pki / 'kube-apiserver.crt'}",
        f"--tls-private-key-file={pki / 'kube-apiserver.key'}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        f"--kubelet-client-certificate={pki / 'kube-apiserver-kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'kube-apiserver-kubelet-client.key'}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-cluster-ip-range={settings.subnets.services}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki / 'service-accounts.pub'}",
        f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
        f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
        f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--endpoint-reconciler-type=lease" if settings.pods == "real" else "--endpoint-reconciler-type=none",
        "--profiling=false",
    ]


def controller_manager(layout: Layout, settings: Settings) -> list[str]:
    pki = layout.pki
    return [
        *_clients("kube-controller-manager", layout, settings),
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
        f"--service-account-private-key-file={pki / 'service-accounts.key'}",
        "--use-service-account-credentials=true",
        f"--service-cluster-ip-range={settings.subnets.services}",
        "--concurrent-deployment-syncs=10",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    ]


def scheduler(layout: Layout, settings: Settings) -> list[str]:
    return [
        *_clients("kube-scheduler", layout, settings),
        f"--client-ca-file={layout.pki / 'ca.crt'}",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    ]


def _clients(program: str, layout: Layout, settings: Settings) -> list[str]:
    file = kubeconfig_file(layout, program)
    return [
        f"--kubeconfig={file}",
        f"--authentication-kubeconfig={file}",
        f"--authorization-kubeconfig={file}",
        "--bind-address=127.0.0.1",
        f"--secure-port={settings.ports[program]}",
        f"--tls-cert-file={layout.pki / f'{program}.crt'}",
        f"--tls-private-key-file={layout.pki / f'{program}.key'}",
        "--leader-elect=false",
        "--profiling=false",
    ]


def kwok(layout: Layout, settings: Settings) -> list[str]:
    """What it does with nodes and pods is in `simulation`; the caller's own ~/.kwok is not read."""
    return [
        f"--kubeconfig={kubeconfig_file(layout, 'kwok')}",
        f"--config={layout.config / 'kwok.yaml'}",
        f"--cidr={settings.subnets.pods}",
        f"--node-ip={settings.subnets.node}",
        "--manage-all-nodes=true",
        "--node-lease-duration-seconds=40",
    ]


def kubeconfig_file(layout: Layout, user: str) -> Path:
    return layout.config / f"{user}.kubeconfig"


def kubeconfig(layout: Layout, settings: Settings, user: str) -> str:
    """A kubeconfig that carries its certificates in itself, as JSON (which is YAML too)."""
    name = f"turnout-{settings.name}"
    cluster = {"server": settings.server, "certificate-authority-data": _data(layout.pki / "ca.crt")}
    keys = {
        "client-certificate-data": _data(layout.pki / f"{user}.crt"),
        "client-key-data": _data(layout.pki / f"{user}.key"),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": keys}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
    }
    return json.dumps(document, indent=2) + "\n"


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
