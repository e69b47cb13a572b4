"""A rollback with real pods when nothing else works: no state, a broken program, a dead driver, few rights."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.demo.project import NEW, OLD
from cli.kube.requests import Request
from cli.progress import Lines
from cli.rollout import cursor, moves, opened, pins
from components.access.roles import role_name
from tests.harness import eventually
from tests.soak.rollouts.place import SERVICE, Place, Ran, Shape, place

pytestmark = pytest.mark.pods

NIGHT = Shape(strategy="blue-green", replicas=2, soak=1, warm=900)
SLOW = Shape(version=NEW, strategy="blue-green", replicas=2, soak=120, warm=900)
BAD = Shape(version=NEW, strategy="blue-green", replicas=2, soak=1, warm=900)


@pytest.fixture(scope="module")
def night(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The old version serves; there is no monitoring at all, so no Prometheus that could be asked."""
    with place(tmp_path_factory.mktemp("night"), "night", sandbox, Lines(), NIGHT) as one:
        yield one


def back(one: Place, *words: str, folder: Path | None = None) -> dict[str, Any]:
    """`turnout rollback`, from the checkout or (with --kubeconfig) from anywhere; what it said."""
    where = one if folder is None else one.another(folder, one.shape)
    ran = where.turnout("rollback", one.environment, "--yes", "--json", "--reason", "it errs", *words)
    report(ran)
    answer: dict[str, Any] = json.loads(ran.out)
    return answer


def report(ran: Ran) -> None:
    Lines().note(f"{' '.join(ran.words)}: {ran.ended - ran.began:.1f} s from Enter")


def serving(one: Place) -> str:
    """The version that answers new connections, of its Deployment."""
    letter = moves.selected(one.kube.get("v1", "Service", SERVICE, one.environment))
    pod = one.kube.get("apps/v1", "Deployment", f"{SERVICE}-{letter}", one.environment)["spec"]["template"]["spec"]
    return str(pod["containers"][0]["image"].rpartition(":")[2])


def to_bad(one: Place) -> None:
    """The bad release serves again, and nothing is pinned out."""
    bad = unpin_all(one)
    one.turnout("rollback", one.environment, "--yes", "--to", str(bad))
    assert serving(one) == NEW
    unpin_all(one)


def unpin_all(one: Place) -> int:
    """Returns the lowest number that was pinned."""
    numbers = {pin.number for pin in pins.read(one.kube, one.environment).pins}
    for number in sorted(numbers):
        one.turnout("unpin", one.environment, str(number))
    return min(numbers)


def test_a_rollout_whose_driver_was_killed_is_taken_back(night: Place) -> None:
    night.describe(SLOW)
    driver = night.start("rollout", "start", night.environment, "--yes")
    eventually(lambda: watches(night) or driver.process.poll() is not None, seconds=300, every=0.5)
    assert serving(night) == NEW
    driver.process.send_signal(signal.SIGKILL)
    driver.process.wait()
    answer = back(night, "--take-over")
    assert (answer["half_done"], answer["tracks"][0]["warm"]) == (True, True)
    assert serving(night) == OLD
    ended = opened.read(night.kube, night.environment)
    assert ended and (ended.open, ended.status) == (False, "aborted")


def test_settings_left_are_refused_with_nothing_touched_and_put_back_change_nothing(night: Place) -> None:
    before = cursor.read(night.kube, night.environment)
    for words in (("up", night.environment, "--yes"), ("rollout", "start", night.environment, "--yes")):
        said = night.turnout(*words, expect=4).err
        assert "pinned out" in said
        assert f"turnout unpin {night.environment}" in said
    assert (serving(night), cursor.read(night.kube, night.environment)) == (OLD, before)
    night.describe(NIGHT)
    assert night.json("preview", night.environment)["environments"][0]["changes"] == []


def test_the_on_call_role_alone_suffices(night: Place, tmp_path: Path) -> None:
    night.turnout("unpin", night.environment)
    night.describe(BAD)
    night.turnout("rollout", "start", night.environment, "--yes")
    assert serving(night) == NEW
    role = on_call(night, tmp_path)
    where = Place(tmp_path / "nowhere", night.environment, night.sandbox)
    ran = where.turnout("rollback", night.environment, "--yes", "--json", "--kubeconfig", str(role))
    report(ran)
    assert json.loads(ran.out)["tracks"][0]["warm"]
    assert serving(night) == OLD


def test_a_program_that_does_not_even_import_is_no_obstacle(night: Place, tmp_path: Path) -> None:
    to_bad(night)
    broken = night.another(tmp_path / "broken", BAD)
    (broken.folder / "infra").unlink()
    shutil.copytree(Path(__file__).parents[2] / "infra", broken.folder / "infra")
    (broken.folder / "infra" / "program.py").write_text("def program( -> None:\n")
    report(broken.turnout("rollback", night.environment, "--yes", "--json"))
    assert serving(night) == OLD


def test_a_state_that_is_gone_is_no_obstacle(night: Place) -> None:
    to_bad(night)
    state = night.folder / ".turnout" / "state"
    state.rename(state.with_name("elsewhere"))
    try:
        answer = back(night)
        assert answer["state"].startswith("owed: ")
        assert serving(night) == OLD
    finally:
        shutil.rmtree(state, ignore_errors=True)
        state.with_name("elsewhere").rename(state)
    night.describe(NIGHT)
    night.turnout("up", night.environment, "--yes")
    assert night.json("preview", night.environment)["environments"][0]["changes"] == []


def watches(one: Place) -> bool:
    found = opened.under_way(one.kube, one.environment)
    return bool(found and found.step and found.step.does == "watch")


def on_call(one: Place, folder: Path) -> Path:
    """A kubeconfig of an account with that role and nothing else."""
    name = {"name": "on-call", "namespace": one.environment}
    one.kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name}, "test")
    subject = {"kind": "ServiceAccount", **name}
    for namespace in (one.environment, f"turnout-{one.environment}"):
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role_name("on-call")}
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "on-call-at-night", "namespace": namespace},
            "roleRef": reference,
            "subjects": [subject],
        }
        one.kube.apply(binding, "test")
    path = f"/api/v1/namespaces/{one.environment}/serviceaccounts/on-call/token"
    body = b'{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}'
    token = one.kube.request(Request("POST", path, "ask for a token", body=body)).json()["status"]["token"]
    config = yaml.safe_load(one.kubeconfig.read_text())
    config["users"] = [{"name": row["name"], "user": {"token": token}} for row in config["users"]]
    file = folder / "on-call.kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file
