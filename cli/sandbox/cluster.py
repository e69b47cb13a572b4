"""Bringing a sandbox up and taking it down, each as a sequence of named steps.

`up` may be called in any state: it starts what does not run, restarts what has changed, and leaves the rest alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cli.errors import TurnoutError, UsageError
from cli.progress import Progress
from cli.sandbox import api, build, certs, config, images, manifests, network, node, prerequisites, programs, runtime
from cli.sandbox.addons import NAMESPACE, Addon
from cli.sandbox.addons import find as find_addons
from cli.sandbox.layout import Layout, Pods, Settings, write
from cli.sandbox.locking import locked
from cli.sandbox.manifests import MANAGER
from cli.sandbox.node import Node
from cli.sandbox.parts import ADDONS
from cli.sandbox.processes import Program, Supervisor, plainly
from components import versions

API_SECONDS = 90.0
NODE_SECONDS = 120.0
SOCKET_SECONDS = 30.0
FIRST_IMAGES = ("pause", "coredns")


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    name: str
    pods: Pods
    server: str
    kubeconfig: Path
    started: bool
    """Whether anything had to be started."""
    seconds: float


def up(
    name: str,
    progress: Progress,
    *,
    pods: Pods | None = None,
    load: Sequence[str] = (),
    addons: Sequence[str] = (),
) -> Sandbox:
    """Have the sandbox run. `pods` None: as it was, else real where this machine can. `load`: images to bring in.

    Raises TurnoutError with the reason and the end of the log of the program that failed.
    """
    began = time.monotonic()
    layout, wanted = Layout(name), find_addons(addons)
    with locked(name, progress):
        settings = _settings(layout, pods, progress)
        started = _Start(layout, settings, progress).run(load, wanted)
    return Sandbox(name, settings.pods, settings.server, layout.kubeconfig, started, time.monotonic() - began)


def load_images(name: str, wanted: Sequence[runtime.Archive], progress: Progress) -> int:
    """Bring images into a running sandbox with real pods; simulated pods need none. Says how many were missing."""
    layout = Layout(name)
    settings = require(layout)
    return runtime.load(Node(layout), wanted, progress) if settings.pods == "real" else 0


def load_known_images(name: str, progress: Progress) -> int:
    """Bring in every image that components use, built where missing; those of add-ons come with them."""
    if require(Layout(name)).pods == "simulated":
        return 0
    wanted = [each for each in images.names() if each not in ADDONS]
    return load_images(name, images.ensure(wanted, progress), progress)


def list_images(name: str) -> list[runtime.Present]:
    """The images in a running sandbox; none with simulated pods."""
    layout = Layout(name)
    return runtime.listing(Node(layout)) if require(layout).pods == "real" else []


def require(layout: Layout) -> Settings:
    """The settings of a sandbox that is there. Raises TurnoutError for one that is not."""
    settings = layout.settings()
    if settings is None:
        raise TurnoutError(f"there is no sandbox {layout.name}", next=_command("up", layout.name))
    return settings


def supervisor(layout: Layout, settings: Settings) -> Supervisor:
    return Supervisor(layout.run, layout.log, Node(layout).enter if settings.pods == "real" else plainly)


def _command(word: str, name: str) -> str:
    return f"turnout sandbox {word}" if name == "main" else f"turnout sandbox {word} {name}"


def _settings(layout: Layout, pods: Pods | None, progress: Progress) -> Settings:
    known = layout.settings()
    if known:
        _refuse_other_kind(known, pods)
        _check_host(known.pods, progress)
        return known
    kind: Pods = pods or ("real" if _real_pods_possible(progress) else "simulated")
    _check_host(kind, progress)
    layout.make()
    fixed = config.CONTROL_PLANE_PORTS
    ports = fixed if kind == "real" else network.free_ports([*fixed])
    block = network.choose(layout.name, network.taken()).block
    settings = Settings(layout.name, kind, block, dict(ports), layout.identity())
    layout.remember(settings)
    return settings


def _refuse_other_kind(known: Settings, pods: Pods | None) -> None:
    if pods and pods != known.pods:
        raise UsageError(
            f"sandbox {known.name} has {known.pods} pods",
            why="one kind cannot be turned into the other",
            next=f"{_command('down', known.name)}, then up again with --pods {pods}",
        )


def _real_pods_possible(progress: Progress) -> bool:
    if not prerequisites.can_run_real_pods():
        progress.note("pods are simulated: real ones need root on Linux")
        return False
    if problem := prerequisites.kernel_problem():
        progress.note(f"pods are simulated: {problem}")
        return False
    return True


def _check_host(kind: Pods, progress: Progress) -> None:
    if kind == "simulated":
        return
    if not prerequisites.can_run_real_pods():
        raise TurnoutError(
            "real pods need root on Linux",
            why="kubelet and containerd make namespaces, mounts and control groups",
            next="run it as root, or: turnout sandbox up --pods simulated",
        )
    prerequisites.ensure(progress)


class _Start:
    """One `up`, as steps that run side by side where nothing has to wait."""

    def __init__(self, layout: Layout, settings: Settings, progress: Progress) -> None:
        self._layout, self._settings, self._progress = layout, settings, progress
        self._node = Node(layout)
        self._supervisor = supervisor(layout, settings)
        self._started = False
        self._began = time.time()

    def run(self, load: Sequence[str], addons: Sequence[Addon]) -> bool:
        layout, settings, progress = self._layout, self._settings, self._progress
        found = build.ensure(programs.binaries(settings), progress)
        layout.make()
        certs.ensure(layout, settings)
        upstream = network.nameservers(network.RESOLV_CONF)
        programs.render(layout, settings, found, upstream)
        if settings.pods == "real":
            self._prepare_host()
        with ThreadPoolExecutor() as pool:
            waiting = [pool.submit(self._control_plane, found, upstream)]
            if settings.pods == "real":
                waiting.append(pool.submit(self._runtime, found, load))
            self._first_failure(waiting)
        self._wait_ready()
        for addon in addons:
            self._add(addon)
        return self._started

    def _prepare_host(self) -> None:
        borrowed = node.borrow(self._settings)
        if borrowed != self._settings:
            self._settings = borrowed
            self._layout.remember(borrowed)
        self._node.prepare(borrowed)

    def _control_plane(self, found: Mapping[str, Path], upstream: Sequence[str]) -> None:
        layout, settings = self._layout, self._settings
        fresh = self._ensure([programs.etcd(layout, settings, found), programs.apiserver(layout, settings, found)])
        self._wait_api(quiet=not fresh)
        self._bootstrap(upstream)
        self._ensure(programs.controllers(layout, settings, found))
        if settings.pods == "simulated":
            self._ensure([programs.kwok(layout, settings, found)])

    def _runtime(self, found: Mapping[str, Path], load: Sequence[str]) -> None:
        self._ensure([programs.containerd(self._layout)])
        self._wait_containerd()
        self._load(FIRST_IMAGES)
        self._ensure(programs.node_programs(self._layout, self._settings, found))
        self._load(load)

    def _load(self, names: Sequence[str]) -> None:
        if names:
            runtime.load(self._node, images.ensure(names, self._progress), self._progress)

    def _ensure(self, wanted: Sequence[Program]) -> bool:
        fresh = [self._supervisor.ensure(program) for program in wanted]
        self._started |= any(fresh)
        return any(fresh)

    def _wait_api(self, *, quiet: bool) -> None:
        if quiet and not api.not_ready(self._layout, self._settings):
            return
        with self._progress.step("API server") as step:
            problem = partial(api.not_ready, self._layout, self._settings)
            self._until(API_SECONDS, step.update, problem, ("etcd", "kube-apiserver"))

    def _wait_containerd(self) -> None:
        socket = self._layout.node / "run-containerd" / "containerd.sock"
        problem = partial(_socket_problem, socket)
        self._until(SOCKET_SECONDS, lambda _: None, problem, ("containerd",))

    def _wait_ready(self) -> None:
        problem = partial(api.cluster_problem, self._layout, self._settings, self._began if self._started else 0.0)
        if problem():
            what = "node and cluster DNS" if self._settings.pods == "real" else "simulated node"
            with self._progress.step(what) as step:
                self._until(NODE_SECONDS, step.update, problem, self._supervisor.names())

    def _until(
        self, seconds: float, tell: Callable[[str], None], problem: Callable[[], str], needs: Sequence[str]
    ) -> None:
        """Wait until there is no problem left, as long as the programs that it depends on run."""
        deadline = time.monotonic() + seconds
        while reason := problem():
            tell(reason)
            for name in needs:
                self._supervisor.require(name)
            if time.monotonic() > deadline:
                raise TurnoutError(
                    f"the sandbox was not ready within {seconds:.0f} s",
                    why=reason,
                    next=f"read the logs in {self._layout.log}, or start over: {_command('down', self._layout.name)}",
                )
            time.sleep(0.1)

    def _bootstrap(self, upstream: Sequence[str]) -> None:
        """Apply what the cluster holds from the start, unless that has been done."""
        wanted = manifests.always(self._settings)
        if self._settings.pods == "real":
            wanted += manifests.dns(self._settings, versions.SANDBOX_IMAGES["coredns"], upstream)
        digest = hashlib.sha256(json.dumps(wanted).encode()).hexdigest()
        marker = self._layout.run / "bootstrapped"
        if not marker.exists() or marker.read_text() != digest:
            self._apply(wanted)
            write(marker, digest)

    def _add(self, addon: Addon) -> None:
        if self._settings.pods == "real":
            runtime.load(self._node, addon.images(self._progress), self._progress)
        with self._progress.step(addon.name) as step:
            for name, text in addon.definitions(self._progress):
                api.define(self._layout, name, text, MANAGER)
                self._until(NODE_SECONDS, step.update, partial(api.undefined, self._layout, name), ())
            self._apply(addon.manifests(self._layout, self._settings))
            self._until(NODE_SECONDS, step.update, partial(_addon_problem, self._layout, addon), ())

    def _apply(self, wanted: Sequence[dict[str, Any]]) -> None:
        with api.client(self._layout) as kube:
            for manifest in wanted:
                kube.apply(manifest, MANAGER, force=True)

    @staticmethod
    def _first_failure(waiting: Sequence[Future[None]]) -> None:
        for future in waiting:
            future.result()


def _addon_problem(layout: Layout, addon: Addon) -> str:
    """Why it does not serve yet, or nothing; raises TurnoutError when waiting longer is of no use."""
    health = api.deployment_health(layout, addon.name, NAMESPACE)
    reason = "; ".join(health.lines()) or health.reason
    if health.failed:
        raise TurnoutError(f"{addon.name} failed", why=reason)
    return "" if health.ready else reason or "starting"


def _socket_problem(socket: Path) -> str:
    return "" if api.listens(socket) else f"nothing listens on {socket.name}"


def down(name: str, progress: Progress) -> bool:
    """End and remove everything of the sandbox, in whatever state it is; says whether there was anything."""
    layout = Layout(name)
    if not layout.root.exists():
        return False
    with locked(name, progress), progress.step(f"taking sandbox {name} down") as step:
        settings = _readable_settings(layout)
        step.update("ending its programs")
        programs_of = Supervisor(layout.run, layout.log)
        programs_of.kill(programs_of.names())
        if settings is None or settings.pods == "real":
            step.update("removing mounts, namespaces and tables")
            Node(layout).remove()
        if settings and settings.pods == "real":
            node.give_back(name, settings)
        shutil.rmtree(layout.root)
    return True


def _readable_settings(layout: Layout) -> Settings | None:
    try:
        return layout.settings()
    except TurnoutError:
        return None
