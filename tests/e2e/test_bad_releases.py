"""Releases that start well and turn bad after 20 s: a canary's gates notice them at 10 %, and take them back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cli.demo.project import NEW, OLD
from cli.progress import Lines
from tests.e2e.test_rollback_at_night import back, serving, watches
from tests.harness import eventually, without_prometheus
from tests.soak.rollouts import bad
from tests.soak.rollouts.bad import GATED, caught, of_traffic
from tests.soak.rollouts.place import INTERVAL, Place, place

pytestmark = pytest.mark.pods

ASKED = {"errors": "http_server_request_duration_seconds_count", "slow": "http_server_request_duration_seconds_bucket"}
OWN = {"errors": {"ok", "status 500"}, "slow": {"ok", "timeout"}}
"""What a request may end with: on a busy machine five times as long can be more than the generator waits."""


@pytest.fixture(scope="module")
def gated(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("gated"), "gated", sandbox, Lines(), GATED, bad.VARIANTS) as one:
        yield one


@pytest.mark.parametrize("variant", bad.VARIANTS)
def test_a_release_that_turns_bad_is_noticed_at_ten_percent_and_rolled_back(gated: Place, variant: str) -> None:
    one = caught(gated, variant, Lines().note)
    assert ASKED[variant] in one.ran.err, "the evidence names the query"
    assert "fail" in {row["verdict"] for row in of_traffic(one.answers)}
    assert one.met.affected > 100 and one.met.bounded, f"{one.met.share:.1%} met it, more than chance makes of 10 %"
    assert set(one.counted["outcomes"]) <= OWN[variant], "nothing but its own errors was lost"
    assert one.counted["new_connections"][-1][0] == OLD
    assert one.noticed < 3 * INTERVAL, "two looks, and the time of going back"


def test_a_rollback_needs_no_prometheus(gated: Place) -> None:
    """From half-way through a canary whose gates asked it."""
    gated.describe(replace(GATED, version=NEW))
    driver = gated.start("rollout", "start", gated.environment, "--yes")
    eventually(lambda: watches(gated) or driver.process.poll() is not None, seconds=300, every=0.5)
    driver.process.kill()
    driver.process.wait()
    with without_prometheus(gated.kube, gated.environment):
        answer = back(gated, "--take-over")
    assert (answer["half_done"], answer["state"]) == (True, "settled")
    assert serving(gated) == OLD
