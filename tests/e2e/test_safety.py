"""Four people and one environment: each does what their role is for, and hears why not where it is not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.demo.project import NEW, OLD
from cli.engine.secrets import Crypter, passphrase
from cli.progress import Lines
from cli.rollout import opened
from components.access.rights import ROLES
from tests.harness import COMMAND, eventually
from tests.integration import accounts
from tests.soak.rollouts.place import Place, Ran, Shape, Under, place
from tests.webhook import TOKEN, Hook, listening

pytestmark = pytest.mark.pods

NAME = "safe"
SHAPE = Shape(strategy="blue-green", replicas=1, soak=1, warm=600)
ALWAYS = [{"weekly": "Mon 00:00", "until": "Mon 00:00", "reason": "the great migration"}]


@dataclass
class Safe:
    """The environment, its people, and a webhook that hears of it."""

    place: Place
    people: Path
    hook: Hook

    def describe(self, version: str = OLD, **rollout: Any) -> None:
        """Write the settings: who has which role, that an approval is needed, and what else is said."""
        self.place.describe(replace(SHAPE, version=version))
        document = yaml.safe_load(self.place.settings.read_text())
        access = {role: [f"ServiceAccount:{NAME}/{role}"] for role in ROLES}
        sealed = _sealed(self.place.folder, document["encryptionsalt"], self.hook.url)
        said = {"approval": True, "access": access, "notify": {"chat": {"url": {"secure": sealed}}}}
        document["config"]["turnout:rollout"] = said | rollout
        self.place.settings.write_text(yaml.safe_dump(document, sort_keys=False))

    def start(self, who: str, *words: str) -> Under:
        """A command in the checkout, by one of them."""
        self.now(who)
        return self.place.start(*words)

    def now(self, who: str) -> None:
        """Whose kubeconfig the checkout's commands find; its path is in the state, so it is the same for all."""
        source = _kubeconfig(self.people / who, self.place)
        file = _kubeconfig(self.people / "now", self.place)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(source.read_bytes())
        self.place.variables["TURNOUT_STATE"] = str(self.people / "now")

    def turnout(self, who: str, *words: str, expect: int = 0) -> Ran:
        return self.start(who, *words).done(expect)

    def alone(self, who: str, *words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """A command with nothing but their kubeconfig: no checkout, no state, no passphrase."""
        folder = self.people / who
        command = [COMMAND, *words, "--kubeconfig", str(_kubeconfig(folder, self.place))]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def serving(self) -> str:
        """The image of the track that serves."""
        letter = self.place.kube.get("v1", "Service", "api", NAME)["spec"]["selector"]["turnout.dev/track"]
        found = self.place.kube.get("apps/v1", "Deployment", f"api-{letter}", NAME)
        return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


@cache
def _sealed(folder: Path, salt: str, url: str) -> str:
    """The address as a Pulumi secret."""
    return Crypter(salt, passphrase(folder, {})).encrypt(url)


def _kubeconfig(folder: Path, one: Place) -> Path:
    """Where a command looks for a sandbox's, with that folder as its state."""
    return folder / "sandboxes" / one.sandbox / "kubeconfig"


def _who(one: Place, folder: Path, roles: Sequence[str]) -> None:
    """An account for each, and the sandbox's own administrator."""
    for role in roles:
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": role, "namespace": NAME}}
        one.kube.apply(account, "test")
        file = _kubeconfig(folder / role, one)
        file.parent.mkdir(parents=True)
        accounts.as_account(one.kube, NAME, role, one.kubeconfig, file.parent).rename(file)
    file = _kubeconfig(folder / "admin", one)
    file.parent.mkdir(parents=True)
    file.write_bytes(one.kubeconfig.read_bytes())


@pytest.fixture(scope="module")
def safe(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Safe]:
    folder = tmp_path_factory.mktemp("safe")
    with listening() as hook, place(folder, NAME, sandbox, Lines(), SHAPE) as one:
        made = Safe(one, tmp_path_factory.mktemp("people"), hook)
        _who(one, made.people, list(ROLES))
        made.describe()
        made.turnout("admin", "up", NAME, "--yes")
        yield made
        made.describe()
        made.turnout("admin", "destroy", NAME, "--yes")


def test_rollout_waits_for_an_approver_and_its_starter_is_none(safe: Safe) -> None:
    safe.describe(NEW)
    under = safe.start("deployer", "rollout", "start", NAME, "--yes", "--reason", "the new one")
    try:
        eventually(lambda: _waits(safe), seconds=180)
        assert OLD in safe.serving()
        refused = safe.alone("deployer", "approve", NAME, "--yes", expect=4)
        assert "somebody other than who started it" in refused.stderr
        safe.alone("approver", "approve", NAME, "--yes", "--reason", "checked")
    finally:
        done = under.done(0)
    assert NEW in safe.serving()
    assert TOKEN not in done.out + done.err
    told = json.loads(safe.alone("viewer", "audit", NAME, "--json").stdout)
    assert {row["what"] for row in told} >= {f"turnout approve {NAME}", f"turnout rollout start {NAME}"}
    eventually(
        lambda: {"turnout: a rollout of safe began", "turnout: the rollout of safe ended"} <= set(safe.hook.titles)
    )


def _waits(safe: Safe) -> bool:
    """The rollout waits for an approval."""
    rollout = opened.under_way(safe.place.kube, NAME)
    return bool(rollout and "approv" in rollout.waits)


def test_viewer_sees_it_and_changes_nothing(safe: Safe) -> None:
    for words in (("status", NAME), ("rollout", "status", NAME), ("audit", NAME), ("releases", "list", NAME)):
        safe.alone("viewer", *words)
    refused = safe.alone("viewer", "rollback", NAME, "--yes", expect=1)
    assert "ask for the role on-call (or deployer)" in refused.stderr


def test_on_call_rolls_back_with_a_kubeconfig_and_nothing_else(safe: Safe) -> None:
    safe.alone("on-call", "rollback", NAME, "--yes", "--reason", "it errs")
    assert OLD in safe.serving()
    eventually(lambda: "turnout: safe was rolled back" in safe.hook.titles)
    refused = safe.turnout("deployer", "rollout", "start", NAME, "--yes", expect=4)
    assert "it errs" in refused.err


def test_freeze_stops_everything_but_going_back(safe: Safe) -> None:
    safe.describe(NEW, freeze=ALWAYS)
    safe.alone("on-call", "unpin", NAME, "--reason", "it was the database")
    for words in (("up", "--yes"), ("rollout", "start", "--yes"), ("rollout", "advance"), ("destroy", "--yes")):
        refused = safe.turnout("deployer", *words, NAME, expect=4)
        assert "the great migration" in refused.err
    refused = safe.turnout("deployer", "destroy", NAME, "--yes", "--override-freeze", "clearing up", expect=4)
    assert "administrator" in refused.err
    told = json.loads(safe.alone("viewer", "audit", NAME, "--json").stdout)
    [overridden] = [row for row in told if row["what"].endswith("--override-freeze")]
    assert overridden["why"] == "clearing up"
