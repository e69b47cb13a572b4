"""Tracks: relettering, what is declared of a service wherever its tracks stand, and what the stack's output says."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components import tracks
from components.manifest import Manifest
from components.names import EPOCH, TEMPLATE
from components.tracks import Declared, Head, Letter, Tracks, lettered, template_hash
from components.workload import ApiServer, Autoscale, Calls, Rule, Spread, WorkloadSpec
from components.workload.kubernetes import manifests
from components.workload.standing import described, frozen, left_alone
from tests.unit.components.workloads import PLACEMENT, one, service

RULES = (Rule(resources=("pods",)), Rule(resources=("nodes",), cluster=True))


def whole(**changes: Any) -> WorkloadSpec:
    """A service with every kind of object that a track can have."""
    usual: dict[str, Any] = {
        "autoscale": Autoscale(minimum=3, maximum=9),
        "rules": RULES,
        "api_token": True,
        "calls": (Calls(target=ApiServer()),),
        "spread": Spread(required=True),
        "env": {"NAME": "api-a", "turnout.dev/track": "a"},
    }
    return service(**usual | changes)


def release(**changes: Any) -> list[Manifest]:
    return manifests(whole(**changes), PLACEMENT)


TRACKED = [manifest for manifest in release() if tracks.letter_of(manifest)]
TWO = Tracks(described="b", epoch=3, two=True)
BEFORE = Declared.of(release())


@settings(deadline=None)
@given(
    name=st.from_regex(r"\A[a-z]([a-z0-9-]{0,20}[a-z0-9])?\Z"),
    labels=st.dictionaries(st.sampled_from(["x", "y"]), st.text(max_size=5)),
    env=st.dictionaries(st.sampled_from(["A", "B", "TRACK"]), st.sampled_from(["a", "b", "api-a", "x-b"])),
    copies=st.integers(1, 4),
)
def test_to_the_other_track_and_back_is_the_same(name: str, labels: Any, env: Any, copies: int) -> None:
    spec = whole(name=name, labels=labels, env=env, replicas=copies, autoscale=None)
    for manifest in manifests(spec, PLACEMENT):
        assert lettered(lettered(manifest, "b"), "a") == manifest
        assert lettered(manifest, "a") == manifest


def test_every_object_of_a_track_is_relettered_in_all_that_it_names() -> None:
    kinds = {manifest["kind"] for manifest in TRACKED}
    assert {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "NetworkPolicy"} <= kinds
    assert {"Deployment", "PodDisruptionBudget", "HorizontalPodAutoscaler"} <= kinds
    for manifest in TRACKED:
        text = json.dumps({**lettered(manifest, "b"), "env": None})
        assert "api-b" in text
        unmoved = text.replace('{"name": "NAME", "value": "api-a"}', "").replace('"value": "a"', "")
        assert "api-a" not in unmoved and '"turnout.dev/track": "a"' not in unmoved, manifest["kind"]


def test_what_the_program_itself_is_told_is_not_touched() -> None:
    [container] = lettered(one(TRACKED, "Deployment"), "b")["spec"]["template"]["spec"]["containers"]
    assert {"name": "NAME", "value": "api-a"} in container["env"]


def test_what_all_tracks_share_stays_itself() -> None:
    shared = [manifest for manifest in release() if not tracks.letter_of(manifest)]
    assert {manifest["kind"] for manifest in shared} == {"ConfigMap", "Secret", "Service"}
    assert all(lettered(manifest, "b") is manifest for manifest in shared)


def test_a_template_has_one_hash_on_both_tracks_and_another_when_it_changes() -> None:
    deployment = one(release(), "Deployment")
    assert template_hash(lettered(deployment, "b")) == template_hash(deployment)
    assert deployment["metadata"]["annotations"][TEMPLATE] == template_hash(deployment)
    assert template_hash(one(release(image="example/api:2"), "Deployment")) != template_hash(deployment)
    assert template_hash(one(release(autoscale=None, replicas=7), "Deployment")) == template_hash(deployment)


def stood(where: Tracks, before: Declared = BEFORE, **changes: Any) -> list[Manifest]:
    spec = whole(**changes)
    return described(manifests(spec, PLACEMENT), spec, where, before)


def named(found: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {manifest["metadata"]["name"]: manifest for manifest in found if manifest["kind"] == kind}


def test_with_one_track_everything_is_as_in_the_release() -> None:
    assert stood(Tracks(), Declared()) == release()
    assert frozen(Tracks(), Declared()) == ()
    steady = whole(autoscale=None, replicas=3)
    assert not any(left_alone(manifest, Tracks(), steady) for manifest in stood(Tracks(), autoscale=None))


def test_an_autoscaler_takes_the_count_over_as_it_is() -> None:
    assert left_alone(one(release(), "Deployment"), Tracks(), whole()) == ["spec.replicas"]
    assert left_alone(one(release(), "HorizontalPodAutoscaler"), Tracks(), whole()) == []


def test_what_a_rollback_stopped_is_started_with_its_least_copies() -> None:
    """An autoscaler starts nothing that has no copies."""
    stopped = tracks.known({"api": {"objects": BEFORE.to_output(), "stopped": True}})["api"]
    for changes in ({}, {"autoscale": None, "replicas": 3}):
        deployment = one(stood(Tracks(), stopped, **changes), "Deployment")
        assert deployment["spec"]["replicas"] == 3
        assert left_alone(deployment, Tracks(), whole(**changes), stopped=True) == []
    assert left_alone(deployment, TWO, whole(), stopped=True) == ["spec.replicas"], "a rollout counts them"
    assert "replicas" not in one(release(), "Deployment")["spec"], "no release says so"


def test_that_it_was_stopped_is_said_until_it_is_started() -> None:
    stopped = tracks.known({"api": {"objects": BEFORE.to_output(), "stopped": True}})["api"]
    for where in (None, Tracks()):
        output = tracks.to_output(where, stopped)
        assert (output["stopped"], tracks.known({"api": output})["api"]) == (True, stopped)
        assert "stopped" not in tracks.to_output(where, BEFORE)


def test_the_second_track_starts_with_nobody_and_the_first_is_frozen() -> None:
    deployment = one(stood(TWO), "Deployment")
    assert (deployment["metadata"]["name"], deployment["spec"]["replicas"]) == ("api-b", 0)
    assert deployment["metadata"]["annotations"][EPOCH] == "3"
    assert {head.name for head in frozen(TWO, BEFORE)} == {"api-a", "turnout-dev-api-a"}
    assert {head.kind for head in frozen(TWO, BEFORE)} == {manifest["kind"] for manifest in TRACKED}


def test_counts_are_the_rollouts_while_there_are_two() -> None:
    found = stood(TWO)
    assert left_alone(one(found, "Deployment"), TWO, whole()) == ["spec.replicas"]
    assert left_alone(one(found, "HorizontalPodAutoscaler"), TWO, whole()) == ["spec.minReplicas", "spec.maxReplicas"]


def test_nobody_is_there_to_count_when_no_other_track_is_known() -> None:
    """A state that was lost, or an environment that was destroyed: the cursor outlives both."""
    deployment = one(stood(TWO, Declared(), autoscale=None, replicas=3), "Deployment")
    assert deployment["spec"]["replicas"] == 3


def test_each_track_has_a_service_of_its_own_beside_the_entry() -> None:
    selected = {
        name: each["spec"]["selector"]["turnout.dev/track"] for name, each in named(stood(TWO), "Service").items()
    }
    assert selected == {"api": "b", "api-a": "a", "api-b": "b"}
    assert {head.name for head in Declared.of(stood(TWO)).shared} >= {"api", "api-a", "api-b"}


def test_what_never_runs_twice_knows_nothing_of_tracks() -> None:
    spec = whole(tracked=False)
    alone = manifests(spec, PLACEMENT)
    assert described(alone, spec, Tracks(two=True, described="b"), Declared()) == alone


@pytest.mark.parametrize("letter", ["a", "b"])
def test_the_output_says_what_the_next_run_needs(letter: Letter) -> None:
    where = Tracks(described=letter, epoch=2, two=True)
    declared = Declared.of(stood(where)).with_track(tracks.other(letter), frozen(where, Declared.of(stood(TWO))))
    output = json.loads(json.dumps({"api": tracks.to_output(where, declared), "job": tracks.to_output(None, BEFORE)}))
    assert tracks.from_output(output) == {"api": where}
    assert tracks.known(output) == {"api": declared, "job": BEFORE}


def test_a_head_says_its_resources_name_only_where_it_is_another() -> None:
    heads = {head.kind: head for head in BEFORE.everything}
    assert str(heads["Deployment"]) == "apps/v1 Deployment dev/api-a"
    assert str(heads["ClusterRole"]) == "rbac.authorization.k8s.io/v1 ClusterRole turnout-dev-api-a"
    assert str(heads["ConfigMap"]).endswith(" dev/api-config")
    assert all(Head.parse(str(head)) == head for head in BEFORE.everything)


def test_an_older_stack_says_nothing_and_everything_has_its_default() -> None:
    assert (tracks.from_output({}), tracks.known({})) == ({}, {})


def test_loads_without_pulumi() -> None:
    code = "import sys, components.tracks, components.workload.standing; sys.exit('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
