"""Gates against a real Prometheus: a track that turns bad, one that nobody asks, and a Prometheus that is not there."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.demo.cluster import build_everything
from cli.demo.project import Project
from cli.gates import watching
from cli.gates.answers import Answer
from cli.gates.watching import Sources, Wanted
from cli.kube.pods import is_ready
from cli.progress import Lines
from cli.rollout import renewing
from cli.sandbox import cluster as sandboxes
from components.prometheus.settings import Slo
from components.rollout.settings import GateSettings
from components.tracks import lettered
from tests.harness import ROOT, Environment, eventually, without_prometheus

pytestmark = pytest.mark.pods

NAME = "gates"
GOOD, BAD = 30, 20
"""Seconds that the new track answers well, and two gate intervals after them."""
RATE = 80
OFF = ("postgres", "redis", "loki", "grafana", "collector", "node-exporter")
SMALL = {"replicas": 3, "public": True, "calls": [], "resources": {"cpu": 5, "memory": "32Mi", "memory_limit": "128Mi"}}
SETTINGS: dict[str, Any] = {
    "turnout:app": {"image": "agents", "version": "1.0.0", "services": {"api": SMALL}},
    "turnout:prometheus": {"kubelet": {"verify_tls": True}},
    "turnout:rollout": {"baseline": True},
    **{f"turnout:{name}": {"enabled": False} for name in OFF},
}
WANTED = Wanted(
    NAME,
    slos=(
        Slo(name="http-availability", kind="availability", objective=99.9),
        Slo(name="http-latency", kind="latency", objective=99, threshold=1.0),
    ),
    baseline=True,
)


@pytest.fixture(scope="module")
def stage(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """A small environment with its Prometheus and nothing else, gone at the end."""
    project = Project(tmp_path_factory.mktemp(NAME))
    project.copy_from(ROOT)
    settings = {"config": {"turnout:cluster": {"tier": "dev", "sandbox": sandbox}, **SETTINGS}}
    (project.folder / f"Pulumi.{NAME}.yaml").write_text(yaml.safe_dump(settings))
    progress = Lines()
    sandboxes.load_images(sandbox, build_everything(ROOT, progress)[0], progress)
    environment = Environment(project, sandbox)
    environment.turnout("init", NAME)
    try:
        environment.turnout("up", NAME, "--yes")
        yield environment
    finally:
        environment.turnout("destroy", NAME, "--yes")
        environment.kube.close()


@pytest.fixture
def sources(stage: Environment) -> Iterator[Sources]:
    found = Sources(stage.kube, NAME)
    yield found
    found.close()


@contextmanager
def candidate(stage: Environment, **env: str) -> Iterator[float]:
    """Track b of the api beside a, in one Service with it; when its pod began."""
    made = [_lettered(stage, *kind) for kind in (("networking.k8s.io/v1", "NetworkPolicy"), ("apps/v1", "Deployment"))]
    spec = made[1]["spec"]
    spec["replicas"] = 1
    spec["template"]["spec"]["serviceAccountName"] = "api-a"
    spec["template"]["spec"]["containers"][0]["env"] += [{"name": name, "value": value} for name, value in env.items()]
    try:
        for manifest in made:
            stage.kube.create(manifest, "test")
        _select(stage, both=True)
        yield eventually(lambda: _began(stage))
    finally:
        _select(stage, both=False)
        for manifest in made:
            stage.kube.delete(manifest["apiVersion"], manifest["kind"], "api-b", NAME, propagation="Foreground")
        eventually(lambda: not stage.kube.list("v1", "Pod", NAME, labels="turnout.dev/track=b"))


def _lettered(stage: Environment, version: str, kind: str) -> dict[str, Any]:
    live = stage.kube.get(version, kind, "api-a", NAME)
    metadata = {name: live["metadata"][name] for name in ("name", "namespace", "labels")}
    kept = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": live["spec"]}
    made: dict[str, Any] = json.loads(json.dumps(lettered(kept, "b")))
    return made


def _select(stage: Environment, *, both: bool) -> None:
    selector = {"spec": {"selector": {"turnout.dev/track": None if both else "a"}}}
    stage.kube.patch("v1", "Service", "api", NAME, selector, "test")


def _began(stage: Environment) -> float | None:
    """When the new track's process was ready to begin, as the pod tells it."""
    for pod in stage.kube.list("v1", "Pod", NAME, labels="turnout.dev/track=b"):
        for status in pod["status"].get("containerStatuses", ()):
            if status["ready"]:
                return datetime.fromisoformat(status["state"]["running"]["startedAt"]).timestamp()
    return None


@contextmanager
def load(stage: Environment, folder: Path) -> Iterator[None]:
    spec = stage.kube.get("v1", "Service", "api", NAME)["spec"]
    aim = [
        "--url",
        f"http://{spec['clusterIP']}:{spec['ports'][0]['port']}/v1/hello",
        "--sandbox",
        f"{spec['clusterIP']}/32",
    ]
    words = ["--rate", str(RATE), "--slow-rate", "0", "--seconds", "600", "--out", str(folder / "load.json")]
    process = subprocess.Popen([sys.executable, "-m", "cli.load", *aim, *words])
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def looks(sources: Sources, began: float, ends: float) -> Iterator[dict[str, Answer]]:
    """What the gates say until then: at first some have no data yet."""
    while time.time() < ends:
        yield look(sources, began)
        time.sleep(1)


def look(sources: Sources, since: float, wanted: Wanted = WANTED) -> dict[str, Answer]:
    answers = watching.look(sources, wanted, "api", "b", "a", since, time.time())
    return {answer.gate: answer for answer in answers}


def test_a_track_that_turns_bad_is_seen_within_two_looks_and_not_before(
    stage: Environment, sources: Sources, tmp_path: Path
) -> None:
    """A tenth of its answers fail from the 30th second on; the command says so too, then and about that time later."""
    fault = {"FAULT": "errors-later", "FAULT_SHARE": "0.1", "FAULT_AFTER_SECONDS": str(GOOD)}
    with load(stage, tmp_path), candidate(stage, **fault) as began:
        good = list(looks(sources, began, began + GOOD))
        time.sleep(max(0.0, began + GOOD + BAD - time.time()))
        bad = look(sources, began)
        ended = datetime.now(UTC).isoformat()
        now = gate_test(stage)
        asked = look(sources, began, replace(WANTED, gates=questions(), slos=()))
    passed = dict.fromkeys(
        ("http-availability", "http-availability-budget", "http-latency", "p95", "restarts", "saturation"), "pass"
    )
    verdicts = [{name: one.verdict for name, one in found.items()} for found in good]
    assert passed in verdicts, [one.to_json() for one in good[-1].values()]
    assert "fail" not in verdicts[-1].values()
    assert bad["http-availability-budget"].verdict == "fail", "of a young record nothing is left"
    failed = bad["http-availability"]
    assert failed.verdict == "fail", failed.to_json()
    assert 'pod=~"api-b-' in failed.query
    assert now["http-availability"] == gate_test(stage, "--at", ended)["http-availability"] == "fail"
    assert {name: asked[name].verdict for name in questions()} == {
        "alive": "pass",
        "elsewhere": "fail",
        "asked": "pass",
        "busy": "fail",
        "unknown": "no data",
        "wrong": "no data",
        "script": "pass",
    }, [one.to_json() for one in asked.values()]


def questions() -> dict[str, GateSettings]:
    """What a team may ask besides."""
    written: dict[str, dict[str, Any]] = {
        "alive": {"http": "/v1/served"},
        "elsewhere": {"http": "/nowhere"},
        "asked": {
            "query": 'sum(rate(http_server_request_duration_seconds_count{pod=~"$pods"}[$window]))',
            "above": 1000,
        },
        "busy": {"query": 'sum by (pod) (up{service="$service", track="$track"})', "above": 0.5},
        "unknown": {"query": "no_such_metric", "above": 1},
        "wrong": {"query": "sum(", "above": 1},
        "script": {"command": ["sh", "-c", 'test "$TURNOUT_SERVICE $TURNOUT_TRACK" = "api b"']},
    }
    return {name: GateSettings.model_validate(one) for name, one in written.items()}


def gate_test(stage: Environment, *more: str) -> dict[str, str]:
    words = ("gate", "test", NAME, "--service", "api", "--track", "b", "--window", "30s", "--json", *more)
    found = json.loads(stage.turnout(*words, expect=1).stdout)
    assert found["verdict"] == "fail"
    return {gate["gate"]: gate["verdict"] for gate in found["gates"]}


def test_a_track_that_nobody_asks_has_no_data(stage: Environment, sources: Sources) -> None:
    with candidate(stage) as began:
        time.sleep(max(0.0, began + BAD - time.time()))
        found = look(sources, began)
    assert {found[name].verdict for name in ("http-availability", "http-latency", "p95")} == {"no data"}
    assert watching.worst(found.values()) == "no data"


def test_a_prometheus_that_is_not_there_is_no_data_and_says_so(stage: Environment, sources: Sources) -> None:
    with without_prometheus(stage.kube, NAME):
        found = look(sources, time.time() - 60)
    silent = {name for name, one in found.items() if one.verdict == "no data"}
    assert silent >= {"http-availability", "http-latency", "p95", "saturation"}
    assert "no endpoints available" in found["http-availability"].judgement.why
    assert "pass" not in {found[name].verdict for name in silent}


def test_the_other_track_gets_a_pod_of_the_new_ones_age_and_keeps_it(stage: Environment) -> None:
    place = ("apps/v1", "Deployment", "api-a", NAME)
    before = {pod["metadata"]["name"] for pod in ready(stage)}
    name = renewing.renew(stage.kube, NAME, "api", "a", "one")
    assert name not in before
    assert renewing.renew(stage.kube, NAME, "api", "a", "one") == name, "once for each rollout"
    try:
        stage.kube.patch(*place, {"spec": {"replicas": 1}}, "test")
        left = eventually(lambda: found if len(found := ready(stage)) == 1 else None)
        assert left[0]["metadata"]["name"] == name
        assert renewing.renew(stage.kube, NAME, "api", "a", "two") is None, "the only pod serves"
    finally:
        stage.kube.patch(*place, {"spec": {"replicas": 3}}, "test")
        eventually(lambda: len(ready(stage)) == 3)


def ready(stage: Environment) -> list[dict[str, Any]]:
    live = stage.kube.list("v1", "Pod", NAME, labels="app.kubernetes.io/name=api,turnout.dev/track=a")
    return [pod for pod in live if is_ready(pod) and not pod["metadata"].get("deletionTimestamp")]
