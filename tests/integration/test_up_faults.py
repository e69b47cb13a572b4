"""A whole `turnout up` while the API server fails: what is recorded is what is there, and the next one ends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.kube.config import endpoint
from tests.harness import eventually
from tests.integration.fault_proxy import FOREVER, Fault, FaultProxy, fault_proxy
from tests.integration.small import Small, ended, small

pytestmark = pytest.mark.cluster
MAPS = 6
SETTINGS = """\
config:
  turnout:cluster: {{tier: dev, kubeconfig: {folder}/kubeconfig}}
  turnout:app: {{image: agents, version: 1.0.0, digest: "sha256:{digest}"}}
"""


@dataclass
class Shaky:
    """A project all of whose requests, turnout's own and the provider's, go through a proxy that can fail."""

    project: Small
    proxy: FaultProxy

    @property
    def maps(self) -> str:
        """The path of the program's own ConfigMaps: turnout keeps others in a namespace of its own."""
        return f"/namespaces/{self.project.environment}/configmaps"

    def up(self, *, expect: int | None = 0) -> str:
        done = self.project.run("up", self.project.environment, "--yes", expect=expect, MARK="m")
        return done.stdout + done.stderr

    def assert_settled(self) -> None:
        """State, program and cluster agree, and nothing is left to do."""
        self.proxy.fail()
        wanted = {f"map-{number}": "m" for number in range(MAPS)}
        assert self.project.maps() == self.project.maps_in_state() == wanted
        self.project.run("preview", self.project.environment, "--exit-code", MARK="m")


@pytest.fixture
def shaky(tmp_path: Path, sandbox: str, kubeconfig: Path) -> Iterator[Shaky]:
    with small(tmp_path, sandbox, kubeconfig) as project, fault_proxy(endpoint(kubeconfig)) as proxy:
        (tmp_path / "kubeconfig").write_text(proxy.kubeconfig("default"))
        settings = SETTINGS.format(folder=tmp_path, digest="0" * 64)
        (tmp_path / f"Pulumi.{project.environment}.yaml").write_text(settings)
        project.ask_for(maps=MAPS)
        yield Shaky(project, proxy)


def test_a_storm_of_faults_is_weathered(shaky: Shaky) -> None:
    shaky.proxy.fail(
        Fault("answer", "POST", shaky.maps, status=429, headers={"retry-after": "1"}),
        Fault("reset", "POST", shaky.maps),
        Fault("reset after", "POST", shaky.maps),
        Fault("cut", "POST", shaky.maps),
        Fault("answer after", "POST", shaky.maps, status=504),
        Fault("answer", "POST", status=500, times=2),
        Fault("reset", "GET", times=2),
        Fault("reset after", "PUT"),
        Fault("answer", "PATCH", status=503),
    )
    shaky.up()
    shaky.assert_settled()


def test_a_right_lost_in_the_middle_stops_at_once_and_the_next_up_goes_on(shaky: Shaky) -> None:
    shaky.proxy.fail(Fault("as nobody", "POST", shaky.maps, skip=2, times=FOREVER))
    said = shaky.up(expect=1)
    assert "kubectl auth can-i create configmaps" in said, "which right is missing"
    assert shaky.proxy.count("POST", shaky.maps) <= MAPS, "nobody asked twice"
    assert len(shaky.project.maps()) == len(shaky.project.maps_in_state()) == 2, "what was made is recorded"
    shaky.proxy.fail()
    shaky.up()
    shaky.assert_settled()


def test_an_outcome_that_nobody_can_tell_is_read_back_by_the_next_up(shaky: Shaky) -> None:
    shaky.proxy.fail(
        Fault("reset after", "POST", shaky.maps),
        Fault("answer", "GET", f"{shaky.maps}/map-", times=FOREVER, status=401),
    )
    said = shaky.up(expect=1)
    assert "may have been created" in said, said
    made = shaky.project.maps()
    assert made == shaky.project.maps_in_state() != {}, "it was made, and the state knows of it"
    shaky.proxy.fail()
    shaky.up()
    assert shaky.proxy.count("POST", shaky.maps) == MAPS - len(made), "nothing is made twice"
    shaky.assert_settled()


def test_a_server_that_restarts_in_the_middle_is_waited_for(shaky: Shaky) -> None:
    process = shaky.project.start("up", shaky.project.environment, "--yes", MARK="m")
    eventually(
        lambda: shaky.proxy.count("POST", shaky.maps) or process.poll() is not None, "the first map is made", every=0.1
    )
    shaky.proxy.down_for(3)
    done = ended(process)
    assert done.returncode == 0, done.stdout + done.stderr
    shaky.assert_settled()
