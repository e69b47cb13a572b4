"""Status: health, versions, who serves, and the next command; as lines and as JSON."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from cli.rollout import screen, status
from cli.rollout.book import Book, Debt, Open, Release
from cli.rollout.control import moment
from cli.rollout.standing import Standing
from cli.rollout.status import Status
from components.tracks import TRACK_LABEL


def pod(workload: str, name: str, version: str, make: Any, *, ready: bool = True, restarts: int = 0) -> Any:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "dev", "labels": make.labels(workload)},
        "spec": {"containers": [{"name": workload, "image": f"{workload}:{version}"}]},
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": workload, "restartCount": restarts}],
        },
    }


@pytest.fixture
def half(make: Any) -> list[Any]:
    """`api` half-way from 1 to 2."""
    live = make.ready(make.deployment("api", "2"))
    live["metadata"]["generation"] = 1
    live["status"] |= {"updatedReplicas": 1, "readyReplicas": 2}
    return [live]


def test_workload_tells_who_serves_on_what(half: list[Any], make: Any) -> None:
    pods = [pod("api", "a", "1", make), pod("api", "b", "1", make, restarts=3), pod("api", "c", "2", make, ready=False)]
    [found] = status.judge(half, pods)
    assert (found.name, found.healthy, found.ready, found.desired) == ("api", False, 2, 2)
    assert (found.serving, found.versions, found.restarts) == ({"1": 2}, ("2",), 3)
    assert found.reason == "1 of 2 replicas updated"


def test_pods_that_crash_by_turns_make_a_workload_unhealthy_at_every_moment(make: Any) -> None:
    crashed = {"exitCode": 3, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"}
    one = pod("api", "a", "1", make, restarts=1)
    one["status"]["containerStatuses"][0] |= {
        "state": {"running": {"startedAt": "2026-01-01T00:00:02Z"}},
        "lastState": {"terminated": crashed},
    }
    live = make.ready(make.deployment("api", "1"))
    [early], [late] = (status.judge([live], [one], moment(f"2026-01-01T00:00:{second:02}Z")) for second in (3, 30))
    assert (early.healthy, early.reason) == (False, "pod a, container api: ended with exit code 3, restarted 1 time")
    assert (late.healthy, late.reason) == (True, "")


def test_pods_count_for_their_own_track(make: Any) -> None:
    copies, pods = [], []
    for letter, version in (("a", "1"), ("b", "2")):
        made = make.ready(make.deployment("api", version))
        made["metadata"] |= {"name": f"api-{letter}", "labels": {**make.labels("api"), TRACK_LABEL: letter}}
        one = pod("api", f"api-{letter}-1", version, make)
        one["metadata"]["labels"] = made["metadata"]["labels"]
        copies.append(made)
        pods.append(one)
    assert [(one.track, dict(one.serving)) for one in status.judge(copies, pods)] == [("a", {"1": 1}), ("b", {"2": 1})]


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("agents:1.2.0", "1.2.0"),
        ("registry:5000/agents:1.2.0@sha256:abc", "1.2.0"),
        ("registry:5000/agents@sha256:0123456789abcdef", "0123456789ab"),
        ("registry:5000/agents", "latest"),
    ],
)
def test_version_of_an_image(image: str, version: str) -> None:
    assert status.version(image) == version


def test_next_command_follows_from_what_goes_on(half: list[Any], make: Any) -> None:
    unhealthy = tuple(status.judge(half, []))
    healthy = tuple(status.judge([make.ready(make.deployment("api", "1"))], []))
    one = Book().numbered(Release(0, "release-1", "2026"))
    opened = Open("up", "anna", "", "2026")
    assert Status("dev", ()).next == "turnout up dev"
    assert Status("dev", healthy, one).next == "turnout preview dev"
    assert Status("dev", unhealthy, one).next == "turnout logs dev api"
    assert Status("dev", healthy, Book(one.releases, open=opened)).next.startswith("turnout rollback dev")
    assert "release 1 back" in Status("dev", healthy, Book(one.releases, debt=Debt(1, "release-1"))).next


def test_screen_names_the_reason_under_the_unhealthy_one(half: list[Any]) -> None:
    lines = [text for text, _ in screen.status(Standing(Status("dev", tuple(status.judge(half, [])))))]
    assert lines[0] == "dev: 0 of 1 workloads healthy"
    at = next(index for index, line in enumerate(lines) if line.startswith("✗"))
    assert lines[at].split() == ["✗", "api", "2/2", "2", "0", "dev/api-a", "(Deployment)"]
    assert lines[at + 1].strip() == "1 of 2 replicas updated"


def test_environment_is_read_from_the_cluster(cluster: Any, kube: Any, make: Any) -> None:
    cluster.put(make.ready(make.deployment("api", "1")), "deployments")
    cluster.put(pod("api", "api-1", "1", make), "pods")
    monitoring = copy.deepcopy(make.ready(make.deployment("prometheus", "3")))
    monitoring["metadata"]["namespace"] = "dev-monitoring"
    cluster.put(monitoring, "deployments")
    cluster.put(make.record("release-1", [])[0], "configmaps")
    found = status.read(kube, "dev")
    assert [(one.name, one.namespace, one.healthy) for one in found.workloads] == [
        ("api", "dev", True),
        ("prometheus", "dev-monitoring", True),
    ]
    document = json.loads(json.dumps(found.to_json()))
    assert document["release"]["number"] == 1
    assert document["workloads"][0]["serving"] == {"1": 1}
