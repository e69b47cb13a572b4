"""The state of a project moves from its folder into a bucket of a real S3 server, and everything goes on there."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.engine import settle
from cli.engine.store import place as places
from cli.engine.store.place import Place
from tests.integration import small as projects
from tests.integration.object_store import ObjectStore, serving
from tests.integration.small import Small, ended

pytestmark = pytest.mark.cluster

PULUMI = f"# what this is\nname: {projects.NAME} # short\nruntime: python\n"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    with serving(tmp_path / "store") as found:
        for name, value in found.variables.items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def project(tmp_path: Path, sandbox: str, kubeconfig: Path, store: ObjectStore) -> Iterator[Small]:
    folder = tmp_path / "project"
    folder.mkdir()
    with projects.small(folder, sandbox, kubeconfig) as made:
        made.variables.update(store.variables)
        (folder / "Pulumi.yaml").write_text(PULUMI)
        yield made


def place(project: Small, environment: str = "") -> Place:
    return places.of(project.folder, environment or project.environment, {**os.environ, **project.variables})


def contents(where: Place) -> dict[str, bytes]:
    found = {entry.key: where.bucket.read(entry.key) or b"" for entry in where.bucket.find(".pulumi/")}
    return {key: data for key, data in found.items() if "/locks/" not in key}


def second(project: Small) -> str:
    """Another environment of the same project, with a state of its own."""
    name = f"{project.environment}b"
    settings = (project.folder / f"Pulumi.{project.environment}.yaml").read_text()
    (project.folder / f"Pulumi.{name}.yaml").write_text(settings)
    project.run("refresh", name)
    return name


def test_state_moves_with_everything_and_work_goes_on_there(project: Small, store: ObjectStore) -> None:
    environment = project.environment
    project.run("up", environment, "--yes")
    project.run("up", environment, "--yes", MARK="two")
    other = second(project)
    before = contents(place(project))
    try:
        _refused_and_shown(project, store, before)
        project.run("state", "move", store.url, "--yes", "--reason", "one place for all")
        _is_there(project, store, before, other)
        _work_goes_on(project)
        _locks_hold(project)
        _copies_and_history_are_there(project)
        _what_a_killed_run_left_is_repaired(project)
        assert (
            contents(places.of(project.folder, environment, {**os.environ, "PULUMI_BACKEND_URL": _old(project)}))
            == before
        )
        project.run("destroy", environment, "--yes")
        assert project.maps() == {}
    finally:
        project.kube.delete("v1", "Namespace", f"turnout-{other}")


def _refused_and_shown(project: Small, store: ObjectStore, before: dict[str, bytes]) -> None:
    """What changes nothing: only showing, a wrong key, no such bucket, a held lock, another state there."""
    move = ("state", "move", store.url)
    assert "+  url: s3://state/team" in project.run(*move, expect=3).stdout
    assert project.run(*move, "--json", expect=3).stdout.count('"environment"') == 2
    wrong = project.run(*move, "--yes", expect=1, AWS_SECRET_ACCESS_KEY="wrong")
    assert "AWS_ACCESS_KEY_ID" in wrong.stderr and "wrong" not in wrong.stderr.replace("wrong with", "")
    project.run("state", "move", store.url.replace("state/", "nowhere/"), "--yes", expect=1)
    project.run(*move, "--yes", expect=2, PULUMI_BACKEND_URL=_old(project))
    lock = project.locks / "00000000-0000-4000-8000-000000000000.json"
    lock.write_text(json.dumps(_held("elsewhere")))
    assert "ann@elsewhere" in project.run(*move, "--yes", expect=5).stderr
    lock.unlink()
    there = places.of(project.folder, project.environment, {**os.environ, "PULUMI_BACKEND_URL": store.url})
    there.bucket.write(there.stack.state, b'{"version":3,"checkpoint":{"latest":{}}}')
    assert "another state" in project.run(*move, "--yes", expect=1).stderr
    there.bucket.write(there.stack.state, before[there.stack.history + _first_checkpoint(before)])
    assert contents(place(project)) == before
    assert (project.folder / "Pulumi.yaml").read_text() == PULUMI


def _first_checkpoint(before: dict[str, bytes]) -> str:
    return min(Path(key).name for key in before if ".checkpoint." in key)


def _is_there(project: Small, store: ObjectStore, before: dict[str, bytes], other: str) -> None:
    assert place(project).bucket.url == store.url
    assert contents(place(project)) == before
    assert {path.name for path in store.folder.glob("team/.pulumi/stacks/*/*.json")} == {
        f"{project.environment}.json",
        f"{other}.json",
    }
    text = (project.folder / "Pulumi.yaml").read_text()
    assert text == f"{PULUMI}backend:\n  url: {store.url}\n"


def _work_goes_on(project: Small) -> None:
    environment = project.environment
    assert "no changes" in project.run("preview", environment, MARK="two").stdout.lower()
    project.run("up", environment, "--yes", MARK="three")
    assert set(project.maps().values()) == {"three"}
    project.run("refresh", environment)


def _locks_hold(project: Small) -> None:
    """Of two at once one loses, by the environment's lock; and the state's own lock in the bucket counts as well."""
    environment = project.environment
    project.ask_for(sleep=3)
    first = project.start("up", environment, "--yes", MARK="four")
    second = project.start("up", environment, "--yes", MARK="four")
    done = (ended(first), ended(second))
    assert sorted(one.returncode for one in done) == [0, 5], [one.stderr for one in done]
    project.ask_for()
    where = place(project)
    key = f"{where.stack.locks}00000000-0000-4000-8000-000000000000.json"
    where.bucket.write(key, json.dumps(_held("elsewhere")).encode())
    assert "ann@elsewhere" in project.run("up", environment, "--yes", expect=5).stderr
    where.bucket.delete(key)
    assert not where.bucket.find(where.stack.locks)


def _copies_and_history_are_there(project: Small) -> None:
    environment = project.environment
    listed = json.loads(project.run("state", "list", environment, "--json").stdout)
    assert [copy["kind"] for copy in listed[2:]] == ["up", "refresh", "up", "up", "up"]
    project.run("state", "verify", environment)
    updates = json.loads(project.run("history", environment, "--updates", "--json").stdout)
    assert [update["kind"] for update in updates] == ["update", "refresh", "update", "update", "update"]
    assert len(list(settle.checkpoints(place(project)))) == 5
    project.run("state", "restore", environment, "--from", "5", "--yes")
    project.run("refresh", environment)
    assert "no changes" in project.run("preview", environment, MARK="four").stdout.lower()


def _what_a_killed_run_left_is_repaired(project: Small) -> None:
    """A map that the cluster has and the state does not, with its operation pending, as a kill leaves it."""
    environment, where = project.environment, place(project)
    key, data = where.read_current()
    document = json.loads(data)
    latest = document["checkpoint"]["latest"]
    made = next(entry for entry in latest["resources"] if entry["urn"].endswith("map-1"))
    latest["resources"].remove(made)
    pending = {name: made[name] for name in ("urn", "custom", "type", "inputs", "parent", "provider", "dependencies")}
    latest["pending_operations"] = [{"type": "creating", "resource": pending}]
    where.bucket.write(key, json.dumps(document).encode())
    assert f"turnout repair {environment}" in project.run("up", environment, "--yes", expect=1, MARK="four").stderr
    project.run("repair", environment, "--yes")
    assert "no changes" in project.run("preview", environment, MARK="four").stdout.lower()


def _old(project: Small) -> str:
    return f"file://{project.folder}/.turnout/state"


def _held(host: str) -> dict[str, str | int]:
    host = host or socket.gethostname()
    return {"pid": 4_000_000, "username": "ann", "hostname": host, "timestamp": "2026-01-01T00:00:00Z"}
