"""What moved between two worlds and two lists of changes; files that are read with distrust."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.engine.model import ABSENT, SECRET, Change, FieldChange, Mode, Operation, Plan
from cli.errors import StalePlan, UsageError
from cli.plans import binding, files, moved, objects, saving, world
from cli.plans.saved import Saved, State, World
from cli.review.asked import Asked
from cli.rollout import counts
from cli.rollout.counts import Count
from cli.rollout.cursor import Cursor, Place

DEPLOYMENT = "urn:pulumi:prod::turnout::kubernetes:apps/v1:Deployment::prod/api-a"
WORLD = World(
    commit="3f2a91c0d1e2f3a4b5c6",
    clean=True,
    files={"Pulumi.prod.yaml": "aa", "infra/program.py": "bb"},
    state=State(digest="c" * 64, written="2026-01-01T00:00:00Z", resources=62),
    server="https://prod",
    cluster="uid",
    tracks={"api": "a serves, a is described, epoch 1"},
    pins={},
    engine="pulumi 3.259.0",
    provider="official kubernetes plugin 4.34.2",
    turnout="0.1.0 (abc)",
)


def change(*fields: FieldChange, operation: Operation = Operation.UPDATE, **sides: Any) -> Change:
    return Change(DEPLOYMENT, "kubernetes:apps/v1:Deployment", "prod/api-a", operation, fields=fields, **sides)


def plan(*changes: Change) -> Plan:
    return Plan("prod", changes, {"update": len(changes)}, 1.0, "pulumi 3.259.0", "own")


def a_plan(**more: Any) -> Saved:
    given: dict[str, Any] = {
        "environment": "prod",
        "by": "anna",
        "on": "anna@laptop",
        "made": "2026-01-01T00:00:00Z",
        "expires": "2026-01-02T00:00:00Z",
        "world": WORLD,
    }
    return Saved(**(given | more))


def texts(found: list[moved.Moved]) -> list[str]:
    return [str(one) for one in found]


def test_nothing_moved() -> None:
    assert moved.in_world(WORLD, WORLD.model_copy()) == []


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"commit": "8b11ab2ffffff000"}, "commit: 3f2a91c0d1e2 → 8b11ab2fffff"),
        ({"clean": False}, "commit: 3f2a91c0d1e2 → 3f2a91c0d1e2 with changes of your own"),
        ({"commit": "", "clean": False}, "commit: 3f2a91c0d1e2 → (none)"),
        ({"files": {"Pulumi.prod.yaml": "ab", "infra/program.py": "bb"}}, "Pulumi.prod.yaml was edited"),
        ({"files": {"Pulumi.prod.yaml": "aa"}}, "infra/program.py is gone"),
        ({"files": {**WORLD.files, "components/x.py": "cc"}}, "components/x.py is new"),
        (
            {"state": State(digest="d" * 64, written="2026-01-01T00:00:09Z", resources=63)},
            "state: 62 resources, written 2026-01-01T00:00:00Z (cccccccccccc) → "
            "63 resources, written 2026-01-01T00:00:09Z (dddddddddddd)",
        ),
        ({"server": "https://other"}, "cluster: https://prod (uid) → https://other (uid)"),
        ({"cluster": "another"}, "cluster: https://prod (uid) → https://prod (another)"),
        ({"tracks": {}}, "tracks of api: a serves, a is described, epoch 1 → (none)"),
        ({"pins": {"p3": "api|x"}}, "pin p3: (none) → api|x"),
        ({"engine": "pulumi 3.260.0"}, "engine: pulumi 3.259.0 → pulumi 3.260.0"),
        ({"provider": "own"}, "provider: official kubernetes plugin 4.34.2 → own"),
        ({"turnout": "0.1.0 (abd)"}, "turnout: 0.1.0 (abc) → 0.1.0 (abd)"),
    ],
)
def test_each_thing_that_moved_is_said(now: dict[str, Any], said: str) -> None:
    assert texts(moved.in_world(WORLD, WORLD.model_copy(update=now))) == [said]


def test_every_part_of_the_world_is_compared() -> None:
    """A part that somebody adds and forgets would let a stale plan through."""
    other = {"commit": "x", "clean": False, "files": {"x": "y"}, "state": State(digest="d"), "tracks": {"x": "y"}}
    told = {**dict.fromkeys(World.model_fields, "x"), **other, "pins": {"x": "y"}}
    for name, value in told.items():
        assert moved.in_world(WORLD, WORLD.model_copy(update={name: value})), name


def test_changes_are_compared_whatever_their_order() -> None:
    one, two = FieldChange("spec.a", 1, 2), FieldChange("spec.b", "x", ABSENT)
    other = replace(change(one), urn=f"{DEPLOYMENT}-b")
    then = binding.changes(plan(change(one, two), other))
    assert moved.in_changes(then, binding.changes(plan(other, change(two, one)))) == []
    assert moved.in_changes(json.loads(json.dumps(then)), then) == []


def test_changes_that_differ_are_told() -> None:
    then = binding.changes(plan(change(FieldChange("spec.replicas", 2, 3), FieldChange("spec.x", ABSENT, SECRET))))
    assert texts(moved.in_changes(then, ())) == [
        "update of Deployment prod/api-a is in the plan and would not happen now"
    ]
    assert texts(moved.in_changes((), then)) == [
        "update of Deployment prod/api-a would happen now and is not in the plan"
    ]
    assert texts(moved.in_changes(then, binding.changes(plan(change(FieldChange("spec.replicas", 2, 4)))))) == [
        "Deployment prod/api-a spec.replicas: [2 → 3] → [2 → 4]",
        'Deployment prod/api-a spec.x: [(none) → "[secret]"] → no change',
    ]
    replaced = binding.changes(plan(change(operation=Operation.REPLACE)))
    assert texts(moved.in_changes(then, replaced)) == ["Deployment prod/api-a: update → replace"]
    possible = binding.changes(plan(replace(change(FieldChange("spec.replicas", 2, 3)), certain=False)))
    certain = binding.changes(plan(change(FieldChange("spec.replicas", 2, 3))))
    assert texts(moved.in_changes(possible, certain)) == [
        "update of Deployment prod/api-a would have other effects now"
    ]


def test_what_is_called_a_secret_is_none_of_a_plans_business() -> None:
    """Also where the program does not mark it as one."""
    env = FieldChange("spec.env", ABSENT, [{"name": "API_TOKEN", "value": "hunter2"}])
    [made] = binding.changes(plan(change(env)))
    assert made["fields"][0]["after"] == [{"name": "API_TOKEN", "value": SECRET}]


def test_of_very_many_the_first_are_told() -> None:
    told = moved.lines([moved.Moved(f"file {number}") for number in range(30)])
    assert (len(told), told[0], told[-1]) == (13, "file 0", "… and 18 more")


def test_copies_are_part_of_a_plan() -> None:
    none, two, three = (
        binding.changes(counts.told(plan(), [Count("api", "a", (1,), (wanted,))] if wanted else []))
        for wanted in (0, 2, 3)
    )
    assert texts(moved.in_changes(two, three)) == ["Deployment prod/api-a spec.replicas: [1 → 2] → [1 → 3]"]
    assert texts(moved.in_changes(none, two)) == [
        "update of Deployment prod/api-a would happen now and is not in the plan"
    ]
    assert moved.in_changes(two, two) == []


def live(**spec: Any) -> dict[str, Any]:
    return {"kind": "Deployment", "metadata": {"uid": "u", "resourceVersion": "7", "name": "api-a"}, "spec": spec}


def test_a_live_object_counts_as_far_as_the_program_declared_it() -> None:
    declared = {"kind": "Deployment", "spec": {"replicas": 2, "paused": False, "password": SECRET}}
    before = objects.fingerprint(live(replicas=2, paused=False, password="x"), declared)
    assert objects.fingerprint(live(replicas=9, paused=False, password="y", more="filled in"), declared) == before
    assert objects.fingerprint(live(replicas=2, paused=True, password="x"), declared) != before
    assert objects.fingerprint(None, declared) == "not there"


def test_nothing_of_a_secret_is_digested() -> None:
    declared = {"kind": "Secret", "data": {"password": SECRET}}
    secret = {"kind": "Secret", "metadata": {"uid": "u", "resourceVersion": "7"}, "data": {"password": "aHVudGVyMg=="}}
    assert objects.fingerprint(secret, declared) == "u 7"


class Cluster:
    """Has every object that it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find(self, *place: str) -> dict[str, Any]:
        self.asked.append(place[2])
        return {"metadata": {"uid": "u", "resourceVersion": "7"}}


def test_the_namespace_of_the_lock_is_no_stranger() -> None:
    """`up` makes it itself, between the preview and the first apply."""
    spaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("turnout-prod", "prod")
    ]
    unnamed = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "x-"}}
    changes = [replace(change(after=each), urn=f"urn::{number}") for number, each in enumerate([*spaces, unnamed, {}])]
    cluster: Any = Cluster()
    assert list(objects.look(cluster, plan(*changes))) == ["urn::1"]
    assert cluster.asked == ["prod"]


def test_a_plan_comes_back_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "a.plan"
    written = a_plan(changes=binding.changes(plan(change(FieldChange("spec.ä", None, [1, "b"])))), targets=("x",))
    files.write(written, file)
    assert files.read(file, "prod") == written
    assert json.loads(file.read_text())["digest"] == written.digest
    assert [path.name for path in tmp_path.iterdir()] == ["a.plan"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "cut off"),
        ("[" * 100_000, "cut off"),
        ("[]", "not a plan"),
        ('{"kind": "turnout/plan"}', "it has schema null"),
        ('{"kind": "turnout/plan", "schema": 1}', "digest"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "a.plan"
    file.write_text(text)
    with pytest.raises(StalePlan, match=why):
        files.read(file, "prod")


def test_a_plan_of_wrong_types_is_refused(tmp_path: Path) -> None:
    from cli.plans.saved import digest

    for name, value in {"world": {}, "expires": 3, "changes": [1], "unknown": 1}.items():
        content = a_plan().model_dump(mode="json", by_alias=True) | {name: value}
        (tmp_path / "a.plan").write_text(json.dumps({"digest": digest(content), **content}))
        with pytest.raises(StalePlan, match=name):
            files.read(tmp_path / "a.plan", "prod")


def test_another_environments_plan_is_refused(tmp_path: Path) -> None:
    files.write(a_plan(), tmp_path / "a.plan")
    with pytest.raises(StalePlan, match=r"a plan of prod, not of staging"):
        binding.load(tmp_path / "a.plan", "staging")


def test_a_plan_of_some_resources_is_not_rolled_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 resources alone"):
        binding.must_be_whole(binding.Bound(a_plan(targets=("a", "b")), tmp_path), "turnout rollout start prod")
    binding.must_be_whole(binding.Bound(a_plan(), tmp_path), "turnout rollout start prod")


def test_a_plan_is_over_at_its_time() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    assert a_plan().over(at)
    assert not a_plan().over(at.replace(day=1))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        files.write(a_plan(), tmp_path / "missing" / "a.plan")


@pytest.mark.parametrize(("expires", "seconds"), [("90m", 5400), ("7d", 604800), ("1h30m", 5400)])
def test_how_long_a_plan_lasts(expires: str, seconds: int) -> None:
    assert saving.order(Path("x"), Path(), Asked(("prod",)), expires).lasts.total_seconds() == seconds


@pytest.mark.parametrize(
    ("asked", "expires", "said"),
    [
        (Asked(("a", "b")), "24h", "of one environment"),
        (Asked(("a",), base="main"), "24h", "of a live preview"),
        (Asked(("a",), mode=Mode.STATE), "24h", "of a live preview"),
        (Asked(("a",)), "soon", "no length of time"),
        (Asked(("a",)), "9" * 20 + "w", "no length of time"),
    ],
)
def test_what_cannot_be_saved(asked: Asked, expires: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        saving.order(Path("x"), Path(), asked, expires)


def test_files_that_matter(tmp_path: Path) -> None:
    made = ("infra/__pycache__/a.pyc", "infra/__pycache__/a.pyc.77")
    for name in ("infra/a.py", "components/b/c.yaml", *made, "docs/x.md", "Pulumi.dev.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(world.files(tmp_path, "dev")) == ["Pulumi.dev.yaml", "components/b/c.yaml", "infra/a.py"]
    assert sorted(world.files(tmp_path, "prod")) == ["components/b/c.yaml", "infra/a.py"]
    assert world.checkout(tmp_path, "dev") == ("", False)


def test_tracks_in_words() -> None:
    at = Cursor({"api": Place("a", "b", 3, "t1", two=True)}, locks={"tools": "t2"})
    assert world.tracks(at) == {
        "api": "a serves, b is described, epoch 3, only template t1",
        "tools": "one track, only template t2",
    }
