"""Which programs a sandbox consists of, and how each is started: from settings and binaries to `Program`s."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli import paths
from cli.sandbox import cgroups, config, node, node_config, parts, prerequisites, simulation
from cli.sandbox.layout import Layout, Settings, write
from cli.sandbox.processes import Program
from components import versions

USERS = ("kube-controller-manager", "kube-scheduler")
CNI_PLUGINS = ("bridge", "host-local", "loopback", "portmap")
NODE_USERS = ("kubelet", "kube-proxy")
# what a pull through containerd, or a program of our own started from another folder, has to know
_PROXY = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_PLACES = (*paths.VARIABLES, "HOME")


def binaries(settings: Settings) -> Sequence[str]:
    """The parts to have built before the first of them starts."""
    return (*parts.CONTROL_PLANE, *(("cni",) if settings.pods == "real" else parts.SIMULATED))


def render(layout: Layout, settings: Settings, found: Mapping[str, Path], upstream: Sequence[str]) -> None:
    """Write every file that the programs read, each whole or not at all."""
    node_users = ("keeper", *NODE_USERS) if settings.pods == "real" else ("keeper", "kwok")
    for user in (*USERS, *node_users):
        write(config.kubeconfig_file(layout, user), config.kubeconfig(layout, settings, user))
    write(layout.kubeconfig, config.kubeconfig(layout, settings, "admin"))
    if settings.pods == "simulated":
        write(layout.config / "kwok.yaml", simulation.config())
    else:
        _render_node(layout, settings, found, upstream)


def _render_node(layout: Layout, settings: Settings, found: Mapping[str, Path], upstream: Sequence[str]) -> None:
    folder = layout.config
    pause = versions.SANDBOX_IMAGES["pause"]
    (folder / "cni").mkdir(exist_ok=True)
    _install_plugins(folder / "cni-plugins", found)
    write(folder / "cni" / "10-sandbox.conflist", node_config.cni(settings))
    file_system = node.file_system(layout.root, Path("/proc/self/mountinfo").read_text())
    containerd = node_config.containerd(layout, folder / "cni-plugins", pause, file_system)
    write(folder / "containerd.toml", containerd)
    write(folder / "resolv.conf", node_config.resolv_conf(upstream), mode=0o644)
    kubelet = node_config.kubelet(layout, settings, folder / "resolv.conf", cgroups.path(layout.identity()))
    write(folder / "kubelet.json", kubelet)
    write(folder / "kube-proxy.json", node_config.kube_proxy(layout, settings))


def _install_plugins(folder: Path, found: Mapping[str, Path]) -> None:
    """All plugins in one folder, as CNI wants them; ours as a program of its own, whatever becomes of this package."""
    folder.mkdir(exist_ok=True)
    for name in CNI_PLUGINS:
        link = folder / name
        if not link.is_symlink() or link.readlink() != found[name]:
            link.unlink(missing_ok=True)
            link.symlink_to(found[name])
    source = Path(__file__).with_name("policy_plugin.py").read_text()
    write(folder / node_config.POLICY_PLUGIN, f"#!{sys.executable} -IS\n{source}", mode=0o700)


def etcd(layout: Layout, settings: Settings, found: Mapping[str, Path]) -> Program:
    return _program("etcd", found, config.etcd(layout, settings), stamp=_certificate(layout, "etcd"))


def apiserver(layout: Layout, settings: Settings, found: Mapping[str, Path]) -> Program:
    stamp = _certificate(layout, "kube-apiserver")
    return _program("kube-apiserver", found, config.apiserver(layout, settings), stamp=stamp)


def controllers(layout: Layout, settings: Settings, found: Mapping[str, Path]) -> list[Program]:
    """What needs a ready API server and would end without one."""
    return [
        _program("kube-controller-manager", found, config.controller_manager(layout, settings)),
        _program("kube-scheduler", found, config.scheduler(layout, settings)),
        keeper(layout, settings),
    ]


def containerd(layout: Layout) -> Program:
    file = layout.config / "containerd.toml"
    command = (prerequisites.where("containerd") or "containerd", "--config", str(file))
    return Program("containerd", command, file.read_text(), _kept(_PROXY))


def node_programs(layout: Layout, settings: Settings, found: Mapping[str, Path]) -> list[Program]:
    """What waits for the API server by itself; kubelet needs containerd."""
    kubelet = _program(
        "kubelet",
        found,
        node_config.kubelet_arguments(layout, settings),
        stamp=(layout.config / "kubelet.json").read_text(),
    )
    file = layout.config / "kube-proxy.json"
    proxy = _program("kube-proxy", found, [f"--config={file}"], stamp=file.read_text())
    return [kubelet, proxy]


def kwok(layout: Layout, settings: Settings, found: Mapping[str, Path]) -> Program:
    return _program("kwok", found, config.kwok(layout, settings), stamp=simulation.config())


def keeper(layout: Layout, settings: Settings) -> Program:
    """The sandbox's own loops, see `keeper`."""
    command = (sys.executable, "-m", "cli.sandbox.keeper", layout.name, settings.pods)
    code = Path(__file__).parent
    sources = [
        code / name for name in ("keeper.py", "mirror.py", "netpol.py", "newcomers.py", "selectors.py", "volumes.py")
    ]
    stamp = "".join(path.read_text() for path in sources)
    return Program("keeper", command, stamp, (*_kept(_PLACES), ("PYTHONPATH", str(code.parent.parent))))


def _program(name: str, found: Mapping[str, Path], arguments: Sequence[str], *, stamp: str = "") -> Program:
    return Program(name, (str(found[name]), *arguments), stamp)


def _certificate(layout: Layout, name: str) -> str:
    return (layout.pki / f"{name}.crt").read_text()


def _kept(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, os.environ[name]) for name in names if name in os.environ)
