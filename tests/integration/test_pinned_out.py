"""What a rollback pinned out, met by everybody who could bring it back: our commands, the bare engine, a preview."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.demo.project import PROGRAM, link
from cli.engine.failures import AdmissionRefused
from cli.engine.run import Engine
from cli.kube.client import Kube, connect
from cli.progress import Silent
from cli.rollout import pins
from cli.rollout.where import Cluster
from tests.harness import COMMAND, ROOT

pytestmark = pytest.mark.cluster

OFF = ("prometheus", "alertmanager", "grafana", "loki", "collector", "node-exporter", "postgres", "redis")
OLD, BAD = "1.0.0", "1.1.0"
_ADDED: dict[str, Any] = {"calls": [], "args": ["tools"]}
ADDED: dict[str, dict[str, Any]] = {
    "services": {"extra": {**_ADDED, "replicas": 1}, "sizer": {**_ADDED, "autoscale": {"minimum": 1, "maximum": 2}}},
    "jobs": {"sweep": {"schedule": "0 4 1 1 *"}},
}


@dataclass(frozen=True)
class Checkout:
    """An environment of two services, its settings, and the commands in it."""

    folder: Path
    name: str
    sandbox: str
    kube: Kube

    def describe(
        self, *, version: str = OLD, replicas: int = 2, added: Mapping[str, dict[str, Any]] | None = None, **tools: Any
    ) -> None:
        """`tools`: settings of the service that the other one calls; `added`: more services, and jobs."""
        services = {
            "api": {"replicas": replicas, "calls": ["tools"]},
            "tools": {"calls": [], **tools},
            **(added or {}).get("services", {}),
        }
        app = {"image": "agents", "version": version, "services": services, "jobs": (added or {}).get("jobs", {})}
        sections: dict[str, Any] = {"cluster": {"tier": "dev", "sandbox": self.sandbox}, "app": app}
        sections |= {key: {"enabled": False} for key in OFF}
        file = self.folder / f"Pulumi.{self.name}.yaml"
        known = yaml.safe_load(file.read_text()) if file.exists() else {}
        file.write_text(yaml.safe_dump(known | {"config": {f"turnout:{key}": row for key, row in sections.items()}}))

    def turnout(self, *words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [COMMAND, *words], cwd=self.folder, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: str) -> Any:
        return json.loads(self.turnout(*words, "--json").stdout)

    def image(self, service: str) -> str:
        spec = self.kube.get("apps/v1", "Deployment", f"{service}-a", self.name)["spec"]
        return str(spec["template"]["spec"]["containers"][0]["image"].rpartition(":")[2])

    def asked(self) -> Any:
        """Everything of the api's Deployment that somebody asked for: all but what its controller tells of its pods."""
        found = self.kube.get("apps/v1", "Deployment", "api-a", self.name)
        metadata = {key: value for key, value in found["metadata"].items() if key != "resourceVersion"}
        writers = [row for row in metadata["managedFields"] if row.get("subresource") != "status"]
        return metadata | {"managedFields": writers}, found["spec"]

    def stopped(self) -> list[bool]:
        """Of each workload that was added, whether a rollback has ended it."""
        services = [self.kube.get("apps/v1", "Deployment", f"{name}-a", self.name) for name in ADDED["services"]]
        [job] = [self.kube.get("batch/v1", "CronJob", name, self.name) for name in ADDED["jobs"]]
        return [*(not row["spec"]["replicas"] for row in services), bool(job["spec"].get("suspend"))]

    @property
    def engine(self) -> Engine:
        """As plain Pulumi works: it knows nothing of pins, and of tracks what the state says."""
        return Engine(self.folder, self.name, Silent())


@pytest.fixture(scope="module")
def checkout(sandbox: str, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    folder = tmp_path_factory.mktemp("pinned")
    for program in PROGRAM:
        link(folder / program, ROOT / program)
    (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    with connect(Cluster(kubeconfig, None)) as kube:
        one = Checkout(folder, f"it{secrets.token_hex(3)}", sandbox, kube)
        one.describe()
        try:
            one.turnout("init", one.name)
            one.turnout("up", one.name, "--yes")
            one.describe(version=BAD)
            one.turnout("up", one.name, "--yes")
            one.turnout("rollback", one.name, "--yes", "--reason", "it errs")
            yield one
        finally:
            one.describe()
            subprocess.run([COMMAND, "destroy", one.name, "--yes"], cwd=folder, timeout=300, check=False)
            kube.delete("v1", "Namespace", f"turnout-{one.name}")


@pytest.fixture
def left(checkout: Checkout) -> Checkout:
    """The settings still say what was taken back, with something else edited around it."""
    checkout.describe(version=BAD, replicas=3, env={"EDITED": "around"})
    return checkout


@pytest.mark.parametrize("words", ["up {} --yes", "rollout start {} --yes", "preview {}"])
def test_our_commands_refuse_it_before_anything_is_touched(left: Checkout, words: str) -> None:
    before = left.asked()
    said = left.turnout(*words.format(left.name).split(), expect=4).stderr
    assert "it errs" in said
    assert f"turnout unpin {left.name} 2" in said
    assert left.asked() == before


def test_a_plain_preview_and_a_plain_up_are_refused_with_the_reason(left: Checkout) -> None:
    with pytest.raises(AdmissionRefused) as refused:
        left.engine.preview()
    assert "it errs" in refused.value.why
    assert refused.value.next == f"turnout unpin {left.name} 2"
    outcome = left.engine.up()
    assert not outcome.ok
    assert any("it errs" in failure.message for failure in outcome.failures)
    assert (left.image("api"), left.image("tools")) == (OLD, OLD)


def test_settings_put_back_change_nothing_and_other_changes_pass(checkout: Checkout) -> None:
    checkout.describe()
    checkout.turnout("up", checkout.name, "--yes")
    assert checkout.json("preview", checkout.name)["environments"][0]["changes"] == []
    checkout.describe(replicas=1, env={"EDITED": "around"})
    checkout.turnout("up", checkout.name, "--yes")
    assert checkout.kube.get("apps/v1", "Deployment", "api-a", checkout.name)["spec"]["replicas"] == 1


def test_one_service_goes_back_alone_and_only_its_image_is_pinned_for_it(checkout: Checkout) -> None:
    checkout.describe()
    checkout.turnout("unpin", checkout.name, "2")
    checkout.turnout("up", checkout.name, "--yes")
    checkout.describe(version=BAD)
    checkout.turnout("up", checkout.name, "--yes")
    before = checkout.json("releases", "list", checkout.name)[0]["number"]
    answer = checkout.json("rollback", checkout.name, "--service", "tools", "--yes")
    assert (checkout.image("tools"), checkout.image("api")) == (OLD, BAD)
    [pin] = pins.read(checkout.kube, checkout.name).pins
    assert pin.blame.workloads == ("tools",)
    rows = checkout.json("releases", "list", checkout.name)
    assert rows[0]["number"] == answer["release"] == before + 1
    shown = checkout.json("releases", "show", checkout.name)
    assert {row["name"]: row["images"][0].rpartition(":")[2] for row in shown["workloads"]} == {
        "tools": OLD,
        "api": BAD,
    }
    checkout.turnout("rollback", checkout.name, "--yes")
    assert (checkout.image("tools"), checkout.image("api")) == (OLD, OLD)


def test_what_a_rollback_would_meet_is_said_beforehand(checkout: Checkout) -> None:
    checkout.describe(env={"NEWER": "yes"})
    checkout.turnout("up", checkout.name, "--yes")
    answers = checkout.json("rollback", checkout.name, "--check")
    assert answers[0]["possible"] is True
    assert any(
        row["message"].startswith("rollback: release ")
        for row in checkout.json("preview", checkout.name)["environments"][0]["diagnostics"]
    )


def test_what_a_rollback_stopped_runs_again_mended_or_let_in(checkout: Checkout) -> None:
    checkout.describe(env={"NEWER": "yes"})
    checkout.turnout("up", checkout.name, "--yes")
    checkout.describe(version=BAD, added=ADDED)
    for number in {pin.number for pin in pins.read(checkout.kube, checkout.name).pins}:
        checkout.turnout("unpin", checkout.name, str(number))
    checkout.turnout("up", checkout.name, "--yes")
    bad = checkout.json("releases", "list", checkout.name)[0]["number"]
    assert checkout.stopped() == [False] * 3
    for version, unpin in ((BAD, True), (OLD, False)):
        checkout.turnout("rollback", checkout.name, "--yes")
        assert checkout.stopped() == [True] * 3
        checkout.describe(version=version, added=ADDED)
        if unpin:
            checkout.turnout("unpin", checkout.name, str(bad))
        changes = checkout.json("preview", checkout.name)["environments"][0]["changes"]
        assert {"extra-a", "sizer-a", "sweep"} <= {row["name"].rpartition("/")[2] for row in changes}
        checkout.turnout("up", checkout.name, "--yes")
        assert checkout.stopped() == [False] * 3
        assert checkout.json("preview", checkout.name)["environments"][0]["changes"] == []
    checkout.describe()
    checkout.turnout("up", checkout.name, "--yes")


def test_old_releases_go_with_what_only_they_need(checkout: Checkout) -> None:
    before = [row["number"] for row in checkout.json("releases", "list", checkout.name)]
    dropped = checkout.json("releases", "prune", checkout.name, "--keep", "2", "--yes")["dropped"]
    after = [row["number"] for row in checkout.json("releases", "list", checkout.name)]
    assert dropped
    assert sorted(before) == sorted([*dropped, *after])
    assert after[0] == before[0]
