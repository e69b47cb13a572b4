"""Every strategy out and back, and every change between strategies, under load: no request may be lost.

`make soak` is the long form of it, and `test_rollout.py` has the counter-test.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest

from cli.demo.project import NEW
from cli.progress import Lines
from tests.soak.rollouts import figures
from tests.soak.rollouts.drive import APPEARS_WITHIN, LOOK, drive, settle
from tests.soak.rollouts.place import SERVICE, SMALL, Place, place
from tests.soak.rollouts.rounds import short

pytestmark = pytest.mark.pods

FAILS_AT_ONCE = (("FAULT", "errors-later"), ("FAULT_AFTER_SECONDS", "0"), ("FAULT_SHARE", "1"))
"""A release whose pods are ready, and answer everything with an error."""

_KEPT = 4


@pytest.fixture(scope="module")
def rolls(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("rolls"), "rolls", sandbox, Lines()) as one:
        yield one


def test_every_strategy_and_every_change_between_them_loses_no_request(rolls: Place) -> None:
    rounds = short()
    found = figures.figures(drive(rolls, rounds, Lines().note))
    assert found.requests > 5000 and found.kinds["socket"]["sent"] > 100
    assert (found.rollouts, found.rollbacks) == (len(rounds), len(rounds))
    assert [*found.unanswered, *figures.lost(found)] == []


def test_a_probe_takes_back_what_drops_a_request(rolls: Place) -> None:
    settle(rolls, SMALL)
    rolls.describe(replace(SMALL, version=NEW, env=FAILS_AT_ONCE))
    ran = rolls.turnout("rollout", "start", rolls.environment, "--yes", "--probe", expect=6)
    assert f"GET {rolls.service().url('/')}" in ran.err and "status 500" in ran.err, "the request is the evidence"
    workloads = rolls.json("status", rolls.environment)["workloads"]
    assert next(one["serving"] for one in workloads if one["name"] == SERVICE) == {SMALL.version: SMALL.replicas}
    rolls.turnout("unpin", rolls.environment)


def test_a_probe_that_sees_nothing_wrong_counts_what_it_asked(rolls: Place) -> None:
    settle(rolls, SMALL)
    rolls.describe(replace(SMALL, version=NEW, strategy="blue-green"))
    told = rolls.json("rollout", "start", rolls.environment, "--yes", "--probe")
    assert told["probe"]["sent"] > 10 and told["probe"]["failed"] == 0


def test_connections_that_clients_keep_alive_leave_a_release_that_is_rolled_back(rolls: Place) -> None:
    """They are told to go (`Connection: close`) while its pods drain, and no answer is lost on the way."""
    settle(rolls, SMALL)
    rolls.describe(replace(SMALL, version=NEW, strategy="blue-green"))
    rolls.turnout("rollout", "start", rolls.environment, "--yes")
    url, opened = rolls.service().url("/v1/hello"), threading.Barrier(_KEPT + 1)
    with ThreadPoolExecutor(_KEPT) as pool:
        lives = [pool.submit(_told_to_go, url, opened) for _ in range(_KEPT)]
        opened.wait(APPEARS_WITHIN)
        rolls.turnout("rollback", rolls.environment, "--yes")
        rolls.turnout("unpin", rolls.environment)
        assert [life.result() for life in lives] == [{NEW}] * _KEPT, "a connection stays with the pod that took it"


def _told_to_go(url: str, opened: threading.Barrier) -> set[str]:
    """The versions that answer over one connection, until an answer ends it."""
    place, versions = urllib.parse.urlsplit(url), set()
    end = time.monotonic() + 2 * APPEARS_WITHIN
    with closing(http.client.HTTPConnection(str(place.hostname), place.port, timeout=10)) as kept:
        kept.connect()
        opened.wait(APPEARS_WITHIN)
        while time.monotonic() < end:
            kept.request("GET", place.path)
            answer = kept.getresponse()
            versions.add(json.loads(answer.read())["version"])
            if answer.will_close:
                return versions
            time.sleep(LOOK)
    pytest.fail("the connection was never ended")
