"""Engine, provider and turnout are killed at some moments of a soak's lane; one repair and one more `up` mend it.

The whole soak is `make soak`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.kube.client import Kube
from tests.soak import cluster
from tests.soak.desired import Shape
from tests.soak.kills import Cycle, Kill, Measured, Next, Operation, Phase, Victim, changed
from tests.soak.lane import Lane

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds its victims in /proc"),
]

WHOLE = Shape(extras=True)
GUESSED = Measured(seconds=2.0, writes=16, files=200)
"""About what an operation takes. Too late a moment kills nobody, so the fractions here are small."""


@pytest.fixture(scope="module")
def lane(sandbox: str, kube: Kube, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    environment = f"kills{secrets.token_hex(3)}"
    lane = Lane(kube, tmp_path_factory.mktemp("kills") / "project", sandbox, environment)
    lane.shape = Shape(deployed=False)
    with cluster.namespace(kube, lane.project.namespace, lane.project.control), lane.proxy, lane.watcher:
        yield lane


def cycle(lane: Lane, operation: Operation, kill: Kill) -> Cycle:
    return Cycle(operation, lane.shape, changed(lane.shape, operation), kill)


CASES = [
    (Operation.CREATE, Kill(Victim.PROVIDER, Phase.ANSWER, 0.4)),
    (Operation.CREATE, Kill(Victim.ENGINE, Phase.ANSWER, 0.1)),
    (Operation.REPLACE, Kill(Victim.PROVIDER, Phase.ANSWER, 0.3)),
    (Operation.MIXED, Kill(Victim.ENGINE, Phase.FILE, 0.5, next=Next.BACK)),
    (Operation.UPDATE, Kill(Victim.TURNOUT, Phase.WRITE, 0.3, at_once=True)),
    (Operation.DELETE, Kill(Victim.ENGINE, Phase.ANSWER, 0.1, twice=0.5)),
    (Operation.REPLACE, Kill(Victim.TURNOUT, Phase.ANSWER, 0.6, next=Next.BACK)),
    (Operation.DESTROY, Kill(Victim.PROVIDER, Phase.WRITE, 0.4)),
]


@pytest.mark.parametrize(("operation", "kill"), CASES, ids=[f"{one[0]}-{one[1].victim}" for one in CASES])
def test_a_kill_loses_nothing_and_makes_nothing_twice(lane: Lane, operation: Operation, kill: Kill) -> None:
    result = lane.carry_out(cycle(lane, operation, kill), GUESSED)
    assert not result.faults, "\n".join([*result.faults, *(done.told() for done in result.commands)])
    assert result.hits, "nobody was killed"
    assert not list(lane.project.folder.rglob("*.attrs")), "a sidecar half written makes a state unreadable"


def test_the_comparison_sees_what_is_done_behind_its_back(lane: Lane) -> None:
    lane.project.ask_for(WHOLE)
    assert lane.project.run("up", "--yes").code == 0
    assert lane.differences(WHOLE) == []
    for sabotage, told in (("twice", "times in the cluster"), ("delete", "in the state, but not in the cluster")):
        lane.sabotage = sabotage
        lane.sabotaged()
        assert any(told in fault for fault in lane.differences(WHOLE, limit=0)), sabotage
