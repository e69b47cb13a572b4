"""The running pods of dev are as confined as their manifests say, seen from the host: most images have no shell."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import testinfra

from cli.paths import sandbox_kubeconfig
from cli.progress import Silent
from cli.sandbox import build
from tests.harness import Environment

pytestmark = pytest.mark.pods

HOST = testinfra.get_host("local://")
STACKS = ("dev", "dev-monitoring", "dev-agents")
SERVED = {"api": {8080, 9090}, "tools": {8080, 9090}, "postgres": {5432}, "redis": {6379}, "prometheus": {9090}}
SECCOMP_FILTER = "2"


@dataclass(frozen=True)
class Running:
    """One container of a running pod, and its first process on the host."""

    workload: str
    spec: dict[str, Any]
    pod: dict[str, Any]
    pid: int

    def status(self, field: str) -> str:
        """A line of /proc/PID/status (proc_pid_status(5))."""
        text = HOST.file(f"/proc/{self.pid}/status").content_string
        found = re.search(rf"^{field}:\s*(.*)$", text, re.MULTILINE)
        assert found, f"no {field} in the status of {self.workload}"
        return found.group(1)

    def mount_options(self, path: str) -> set[str]:
        """How `path` is mounted in the container (proc_pid_mountinfo(5))."""
        for line in HOST.file(f"/proc/{self.pid}/mountinfo").content_string.splitlines():
            words = line.split()
            if words[4] == path:
                return set(words[5].split(","))
        raise AssertionError(f"{self.workload} mounts nothing at {path}")

    def listens(self) -> set[int]:
        """TCP ports that anything in the pod's network namespace listens on."""
        said = HOST.check_output("nsenter --target %s --net ss -Hltn", str(self.pid))
        return {int(line.split()[3].rsplit(":", 1)[1]) for line in said.splitlines()}


@pytest.fixture(scope="module")
def containers(dev: Environment) -> list[Running]:
    """Every container of dev that runs now, and is to go on."""
    found = list(_running(dev))
    assert {one.workload for one in found} >= set(SERVED)
    return found


def _running(dev: Environment) -> Iterator[Running]:
    processes = _first_processes()
    for namespace in STACKS:
        for pod in dev.kube.list("v1", "Pod", namespace):
            owners = {owner["kind"] for owner in pod["metadata"].get("ownerReferences", [])}
            if pod["status"]["phase"] != "Running" or "deletionTimestamp" in pod["metadata"] or "Job" in owners:
                continue
            specs = {one["name"]: one for one in pod["spec"]["containers"]}
            for state in pod["status"]["containerStatuses"]:
                container = state["containerID"].removeprefix("containerd://")
                name = pod["metadata"]["labels"]["app.kubernetes.io/name"]
                yield Running(name, specs[state["name"]], pod, processes[container])


def _first_processes() -> dict[str, int]:
    """Container id to the process that began first: the one that the image's entrypoint became.

    A probe's command has a lower number once the numbers have begun anew.
    """
    found: dict[str, tuple[int, int]] = {}
    said = HOST.check_output("grep -sHo -E '[0-9a-f]{64}' /proc/[0-9]*/cgroup || true")
    for line in said.splitlines():
        path, container = line.rsplit(":", 1)
        with suppress(FileNotFoundError, ProcessLookupError):
            one = (_began(Path(path).parent), int(Path(path).parent.name))
            found[container] = min(one, found.get(container, one))
    return {container: pid for container, (_, pid) in found.items()}


def _began(process: Path) -> int:
    """In clock ticks since boot (proc_pid_stat(5))."""
    return int((process / "stat").read_text().rpartition(")")[2].split()[19])


def test_every_process_runs_as_the_user_that_its_pod_names(containers: list[Running]) -> None:
    users = {one.workload: one.status("Uid").split()[1] for one in containers}
    wanted = {one.workload: str(_user(one)) for one in containers}
    assert users == wanted
    assert "0" not in {user for name, user in users.items() if name != "collector"}


def test_no_process_can_gain_privileges_or_make_any_system_call(containers: list[Running]) -> None:
    for one in containers:
        assert one.status("NoNewPrivs") == "1", one.workload
        assert one.status("Seccomp") == SECCOMP_FILTER, one.workload
        if "add" not in one.spec["securityContext"]["capabilities"]:
            assert int(one.status("CapEff"), 16) == 0, one.workload


def test_every_root_is_read_only(containers: list[Running]) -> None:
    assert {one.workload for one in containers if "ro" not in one.mount_options("/")} == set()


def test_services_listen_on_their_ports_and_no_other(containers: list[Running]) -> None:
    for one in containers:
        if one.workload in SERVED:
            assert one.listens() == SERVED[one.workload], one.workload


def test_configuration_and_secrets_are_mounted_as_directories_read_only(containers: list[Running]) -> None:
    for one in containers:
        volumes = {item["name"]: item for item in one.pod["spec"].get("volumes", [])}
        for mount in one.spec.get("volumeMounts", []):
            if volumes.get(mount["name"], {}).keys() & {"configMap", "secret"}:
                assert "subPath" not in mount
                assert "ro" in one.mount_options(mount["mountPath"]), f"{one.workload} {mount['mountPath']}"
                assert HOST.file(f"/proc/{one.pid}/root{mount['mountPath']}").is_directory


def test_postgres_answers_from_inside_its_pod(dev: Environment, sandbox: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its image has a shell, so testinfra can be there itself."""
    kubectl = build.ensure(["kubectl"], Silent())["kubectl"]
    monkeypatch.setenv("PATH", f"{kubectl.parent}{os.pathsep}{os.environ['PATH']}")
    config = sandbox_kubeconfig(sandbox)
    inside = testinfra.get_host(f"kubectl://postgres-0?namespace=dev&container=postgres&kubeconfig={config}")
    assert inside.check_output("id -u") == "999"
    assert inside.run("touch /etc/anything").rc != 0
    assert "accepting connections" in inside.check_output("pg_isready")
    assert dev.kube.find("v1", "Pod", "postgres-0", "dev")


def _user(one: Running) -> int:
    return int(one.spec["securityContext"].get("runAsUser", one.pod["spec"]["securityContext"]["runAsUser"]))
