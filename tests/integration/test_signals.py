"""What a signal does to a command that drives the engine: one ends it cleanly, a second one at once."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cli.rollout import lease
from cli.rollout.lease import Claim
from tests.harness import eventually
from tests.integration.small import Small, ended, small

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("hang_ups")]

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LEASE = ("coordination.k8s.io/v1", "Lease", "lock")
FINALIZER = "turnout.dev/test"


@pytest.fixture
def project(tmp_path: Path, sandbox: str, kubeconfig: Path) -> Iterator[Small]:
    with small(tmp_path, sandbox, kubeconfig) as project:
        yield project


def waiting_for_readiness(project: Small, *words: str) -> subprocess.Popen[str]:
    """The command in the middle of waiting for a Deployment that does not get ready."""
    process = project.start(*words)
    place = ("apps/v1", "Deployment", "never", project.environment)
    eventually(lambda: project.kube.find(*place) or process.poll() is not None, "the Deployment is there")
    time.sleep(1.5)
    assert process.poll() is None, ended(process)
    return process


def signalled(process: subprocess.Popen[str], *numbers: signal.Signals) -> subprocess.CompletedProcess[str]:
    """As a terminal does: to the whole group of the command."""
    began = time.monotonic()
    for number in numbers:
        os.killpg(process.pid, number)
        time.sleep(0.1)
    done = ended(process)
    print(f"{' '.join(done.args[1:])}: {[n.name for n in numbers]} ended it in {time.monotonic() - began:.1f} s")
    return done


def assert_left_clean(project: Small, done: subprocess.CompletedProcess[str]) -> None:
    """Exit 8, both locks free, nothing pending, no process left."""
    assert done.returncode == 8, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not list(project.locks.glob("*.json"))
    assert not lease.holder(project.kube.find(*LEASE, control(project)))
    assert '"pending_operations":[{' not in state_text(project)
    assert not children(project)


def control(project: Small) -> str:
    return f"turnout-{project.environment}"


def state_text(project: Small) -> str:
    file = project.state_folder / "stacks/small" / f"{project.environment}.json"
    return file.read_text() if file.exists() else ""


def children(project: Small) -> list[str]:
    """Processes that were started in the project's folder and still run."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if place.readlink() == project.folder:
                found.append((place.parent / "cmdline").read_text().replace("\0", " "))
    return found


@pytest.mark.parametrize("number", ENDING)
def test_one_signal_ends_an_up_that_waits_for_readiness_cleanly(project: Small, number: signal.Signals) -> None:
    project.ask_for(never=True)
    done = signalled(waiting_for_readiness(project, "up", project.environment, "--yes"), number)
    assert_left_clean(project, done)
    project.ask_for()
    project.run("up", project.environment, "--yes")
    project.run("preview", project.environment, "--exit-code")


def test_one_signal_ends_a_rollout_cleanly(project: Small) -> None:
    project.ask_for(never=True)
    done = signalled(waiting_for_readiness(project, "rollout", "start", project.environment, "--yes"), signal.SIGINT)
    assert_left_clean(project, done)
    assert "turnout rollout resume" in done.stderr


def test_two_signals_stop_an_up_now_and_the_next_command_finds_what_is_left(project: Small) -> None:
    project.ask_for(never=True)
    done = signalled(waiting_for_readiness(project, "up", project.environment, "--yes"), signal.SIGINT, signal.SIGINT)
    assert done.returncode == 8, done.stderr
    assert not children(project)
    project.ask_for()
    project.run("repair", project.environment, "--yes")
    project.run("up", project.environment, "--yes")
    project.run("preview", project.environment, "--exit-code")


def test_one_signal_ends_a_destroy_that_waits_for_a_finalizer(project: Small) -> None:
    project.run("up", project.environment, "--yes")
    with kept_by_a_finalizer(project, "map-1"):
        process = project.start("destroy", project.environment, "--yes")
        eventually(lambda: being_deleted(project, "map-1"), "the map is being deleted")
        time.sleep(1)
        assert process.poll() is None, ended(process)
        assert_left_clean(project, signalled(process, signal.SIGINT))
    project.run("destroy", project.environment, "--yes")
    assert project.state() == []


def being_deleted(project: Small, name: str) -> bool:
    found = project.kube.find("v1", "ConfigMap", name, project.environment)
    return bool(found and found["metadata"].get("deletionTimestamp"))


@contextmanager
def kept_by_a_finalizer(project: Small, name: str) -> Iterator[None]:
    place = ("v1", "ConfigMap", name, project.environment)
    project.kube.patch(*place, {"metadata": {"finalizers": [FINALIZER]}}, "test", how="merge")
    try:
        yield
    finally:
        if project.kube.find(*place):
            project.kube.patch(*place, {"metadata": {"finalizers": []}}, "test", how="merge")


@pytest.mark.parametrize("verb", ["refresh", "preview"])
def test_one_signal_ends_what_waits_for_a_cluster_that_does_not_answer(project: Small, verb: str) -> None:
    project.run("up", project.environment, "--yes")
    before = state_text(project)
    config = project.folder / "kubeconfig"
    whole = config.read_text()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        config.write_text(re.sub(r"https://[\d.]+:\d+", f"https://127.0.0.1:{port}", whole))
        project.ask_for(maps=4)
        process = project.start(verb, project.environment)
        silent.settimeout(60)
        with silent.accept()[0]:
            time.sleep(1)
            assert process.poll() is None, ended(process)
            done = signalled(process, signal.SIGINT)
    config.write_text(whole)
    assert_left_clean(project, done)
    assert urns(before) == urns(state_text(project))
    project.run("up", project.environment, "--yes")


def urns(text: str) -> list[str]:
    return sorted(re.findall(r'"urn":"([^"]+)"', text))


def test_one_signal_ends_a_preview_whose_program_takes_long(project: Small) -> None:
    project.ask_for(sleep=600)
    process = project.start("preview", project.environment)
    eventually((project.folder / "started").exists, "the program has started")
    time.sleep(1)
    assert_left_clean(project, signalled(process, signal.SIGINT))


@pytest.mark.parametrize("verb", ["up", "destroy"])
def test_a_signal_before_the_engine_has_started_changes_nothing(project: Small, verb: str) -> None:
    process = project.start(verb, project.environment, "--yes")
    eventually(lambda: project.kube.find(*LEASE, control(project)), "the lock is taken", every=0.1)
    assert_left_clean(project, signalled(process, signal.SIGTERM))


def test_a_lock_taken_over_meanwhile_stops_an_up(project: Small) -> None:
    project.ask_for(never=True)
    process = waiting_for_readiness(project, "up", project.environment, "--yes")
    place = (*LEASE, control(project))
    bea = Claim("bea@laptop", "turnout rollback", "", 1, "", "token-of-bea")
    stamp = "2026-01-01T00:00:00.000000Z"
    project.kube.replace(lease.taken(project.kube.get(*place), project.environment, bea, stamp), "test")
    done = ended(process)
    assert done.returncode == 5, done.stderr
    assert "taken over by bea@laptop (turnout rollback)" in done.stderr
    assert not list(project.locks.glob("*.json"))
    owner = lease.holder(project.kube.get(*place))
    assert owner and owner.who == "bea", "the lock of the other one is left alone"
