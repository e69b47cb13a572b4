"""Release records: read in any order of pieces, refused when damaged, incomplete or too new."""

from __future__ import annotations

from typing import Any

import pytest

from cli.errors import TurnoutError
from cli.rollout import records
from components import record
from components.tracks import template_hash
from components.workload import Autoscale
from components.workload.kubernetes import manifests
from tests.unit.components.workloads import PLACEMENT, one, service


def test_record_comes_back_whole(make: Any) -> None:
    objects = [make.config_map("api-config-1", key="value"), make.deployment("api", "1")]
    read = records.decode(make.record("release-aaa", objects))
    assert list(read.objects) == objects
    hashed = template_hash(objects[1])
    assert read.workloads == (records.Workload("api", "Deployment", "dev", "api-a", ("api:1",), template=hashed),)
    assert (read.name, read.environment, read.schema) == ("release-aaa", "dev", 1)


def test_record_that_the_program_writes_is_read(make: Any) -> None:
    objects = [make.config_map("api-config-1", key="value"), make.deployment("api", "1")]
    written = record.encode("dev", "turnout-dev", objects, {})
    read = records.decode(written.manifests)
    assert read.name == written.name
    assert [row["metadata"]["name"] for row in read.objects] == ["api-config-1", "api-a"]
    hashed = template_hash(objects[1])
    assert read.workloads == (records.Workload("api", "Deployment", "dev", "api-a", ("api:1",), template=hashed),)
    assert set(read.pulumi) == {"dev/ConfigMap/api-config-1", "dev/Deployment/api-a"}


def test_pieces_come_in_any_order_and_ten_follows_nine(make: Any) -> None:
    objects = [make.deployment(f"service-{number}", "1") for number in range(30)]
    pieces = make.record("release-aaa", objects, pieces=12)
    assert list(records.decode(sorted(pieces, key=lambda row: row["metadata"]["name"])).objects) == objects


def test_missing_piece_is_named(make: Any) -> None:
    pieces = make.record("release-aaa", [make.deployment("api", "1")], pieces=3)
    with pytest.raises(TurnoutError, match=r"release-aaa is incomplete: 2 of 3 pieces"):
        records.decode(pieces[:2])


@pytest.mark.parametrize("content", ["", "bm90IGd6aXA=", "%%%"])
def test_damaged_record_is_refused(make: Any, content: str) -> None:
    [piece] = make.record("release-aaa", [])
    piece["binaryData"]["record"] = content
    with pytest.raises(TurnoutError, match="release-aaa cannot be read"):
        records.decode([piece])


def test_record_of_a_newer_turnout_is_refused(make: Any) -> None:
    with pytest.raises(TurnoutError, match=r"has schema 4; this turnout reads up to 3"):
        records.decode(make.record("release-aaa", [], schema=4))


def test_what_a_release_says_of_its_workloads_and_steps_comes_back() -> None:
    migrate = service(name="migrate", runs="once", tracked=False, reversible=False, ports=(), accepts=())
    api = service(strategy="canary", autoscale=Autoscale(minimum=4, maximum=9))
    objects = [*manifests(migrate, PLACEMENT), *manifests(api, PLACEMENT)]
    read = records.decode(record.encode("dev", "turnout-dev", objects, {}, [migrate, api]).manifests)
    [found] = read.workloads
    assert (found.strategy, found.calls, found.replicas) == ("canary", ("postgres",), 4)
    assert found.template == one(objects, "Deployment")["metadata"]["annotations"]["turnout.dev/template"]
    [step] = read.steps
    assert (step.name, step.when, step.reversible) == ("migrate", "before", False)
    assert step.run == one(objects, "Job")["metadata"]["name"]
    assert read.to_json()["steps"] == [vars(step)]


@pytest.mark.parametrize("pieces", [1, 3])
def test_one_record_is_fetched_by_name(cluster: Any, kube: Any, make: Any, pieces: int) -> None:
    for piece in make.record("release-aaa", [make.deployment("api", "1")], pieces=pieces):
        cluster.put(piece, "configmaps")
    assert records.fetch(kube, "dev", "release-aaa").workloads[0].object == "api-a"


def test_record_that_is_gone_is_named(kube: Any) -> None:
    with pytest.raises(TurnoutError, match="release-aaa is gone from namespace turnout-dev"):
        records.fetch(kube, "dev", "release-aaa")
