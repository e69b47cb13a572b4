"""The audit trail on its way to Loki: in order, in pieces, marked when sent, and never in the way of a command."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from cli.kube.client import Kube
from cli.kube.config import Endpoint
from cli.rollout import aside, audit, trail
from cli.rollout.audit import Entry
from cli.rollout.control import stamp

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PUSH = "/api/v1/namespaces/dev-monitoring/services/loki:http/proxy/loki/api/v1/push"


def written(age: timedelta, what: str = "turnout up dev") -> dict[str, Any]:
    return audit.manifest("dev", Entry("anna", "anna@desk", what, stamp(NOW - age)), "0001")


class Loki:
    """A cluster in memory whose proxy leads to a Loki that answers with `status`."""

    def __init__(self, cluster: Any, status: int = 204) -> None:
        self.cluster, self.status, self.lines = cluster, status, []  # type: tuple[Any, int, list[Any]]
        self.waits = threading.Event()
        self.waits.set()

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path != PUSH:
            found: httpx2.Response = self.cluster.answer(request)
            return found
        self.waits.wait(10)
        if self.status == 204:
            [stream] = json.loads(request.content)["streams"]
            assert stream["stream"] == {"job": "turnout-audit", "environment": "dev"}
            self.lines += [(int(at), json.loads(line)) for at, line in stream["values"]]
        return httpx2.Response(self.status, json={"message": "no"} if self.status != 204 else None)


@pytest.fixture
def loki(cluster: Any) -> Loki:
    return Loki(cluster)


@pytest.fixture
def reaching(loki: Loki) -> Any:
    with Kube(Endpoint("http://api", "default", "t", None, None), transport=httpx2.MockTransport(loki.answer)) as kube:
        yield kube


def sent(cluster: Any) -> list[str]:
    rows = [row for (_, plural, _), row in cluster.objects.items() if plural == "configmaps"]
    return [row["metadata"]["labels"][trail.SENT] for row in rows if "who" in row["data"]]


def test_entry_arrives_and_is_marked(cluster: Any, loki: Loki, reaching: Kube) -> None:
    made = audit.entry(reaching, "turnout up dev", why="more")
    audit.write(reaching, "dev", made)
    aside.finish()
    [(at, line)] = loki.lines
    assert line == made.to_json()
    assert at == int(datetime.fromisoformat(made.when).timestamp()) * 10**9 + int(made.when[20:26]) * 1000
    assert sent(cluster) == ["yes"]


def test_what_could_not_be_sent_goes_with_the_next(cluster: Any, loki: Loki, reaching: Kube) -> None:
    loki.status = 503
    audit.write(reaching, "dev", audit.entry(reaching, "first"))
    aside.finish()
    assert sent(cluster) == ["no"]
    loki.status = 204
    audit.write(reaching, "dev", audit.entry(reaching, "second"))
    aside.finish()
    assert sorted(line["what"] for _, line in loki.lines) == ["first", "second"]
    assert sent(cluster) == ["yes", "yes"]


def test_without_loki_nothing_fails_and_nothing_is_lost(cluster: Any, loki: Loki, reaching: Kube) -> None:
    loki.status = 404
    audit.write(reaching, "dev", audit.entry(reaching, "first"))
    aside.finish()
    assert [entry.what for entry in audit.entries(reaching, "dev")] == ["first"]
    assert sent(cluster) == ["no"]


def test_loki_that_hangs_holds_nobody_up(loki: Loki, reaching: Kube) -> None:
    loki.waits.clear()
    began = time.monotonic()
    audit.write(reaching, "dev", audit.entry(reaching, "first"))
    aside.finish(0.2)
    assert time.monotonic() - began < 5
    loki.waits.set()


def test_what_loki_calls_too_old_is_not_sent_and_the_rest_goes_in_pieces_oldest_first() -> None:
    rows = [written(timedelta(minutes=minutes)) for minutes in range(250)] + [written(timedelta(days=8))]
    found = trail.batches(rows, NOW)
    assert [len(batch) for batch in found] == [100, 100, 50]
    moments = [row["data"]["when"] for batch in found for row in batch]
    assert moments == sorted(moments)
    assert moments[0] == stamp(NOW - timedelta(minutes=249))


def test_moment_is_exact_to_the_microsecond() -> None:
    [stream] = trail.stream("dev", [{"data": {"when": "2026-11-21T12:00:00.123457Z"}}])["streams"]
    assert stream["values"][0][0] == "1795262400123457000"


def test_since_leaves_out_what_is_older() -> None:
    found = [Entry("a", "b", "new", stamp(NOW)), Entry("a", "b", "old", stamp(NOW - timedelta(hours=2)))]
    assert [entry.what for entry in audit.since(found, 3600, NOW)] == ["new"]
    assert audit.since(found, None, NOW) == found
