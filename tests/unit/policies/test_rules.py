"""Each rule sees what breaks it, and nothing else does; what keeps it keeps every other rule too."""

from __future__ import annotations

import re
from datetime import date

import pytest

from components.manifest import Manifest
from components.tracks import TRACK_LABEL
from infra.policies import BY_ID, GROUPS, RULES, judge, levels
from infra.policies import fixtures as fixtures_of
from infra.policies.rule import LEVELS, Fault, Rule
from infra.policies.world import World

EVERY_RULE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
STRICT = dict.fromkeys(BY_ID, LEVELS[-1])
TODAY = date(2026, 11, 21)


def broken(objects: list[Manifest]) -> dict[str, list[str]]:
    """The rules that are broken, each with the objects that break it."""
    found: dict[str, list[str]] = {}
    for each in judge(objects, STRICT, (), TODAY).broken:
        found.setdefault(each.rule, []).append(each.where)
    return found


def test_the_sound_shop_keeps_every_rule() -> None:
    assert broken(fixtures_of.sound()) == {}


@EVERY_RULE
def test_only_the_rule_itself_sees_its_failing_fixture(rule: Rule) -> None:
    assert list(broken(fixtures_of.patched(fixtures_of.sound(), fixtures_of.of(rule.id).fails))) == [rule.id]


@EVERY_RULE
def test_the_passing_fixture_keeps_every_rule(rule: Rule) -> None:
    assert broken(fixtures_of.patched(fixtures_of.sound(), fixtures_of.of(rule.id).passes)) == {}


@EVERY_RULE
def test_the_passing_fixture_is_looked_at(rule: Rule) -> None:
    objects = fixtures_of.patched(fixtures_of.sound(), fixtures_of.of(rule.id).passes)
    assert any(rule.things(World(objects)))


@EVERY_RULE
def test_a_fault_names_a_field_that_its_object_has_or_lacks(rule: Rule) -> None:
    world = World(fixtures_of.patched(fixtures_of.sound(), fixtures_of.of(rule.id).fails))
    for thing in rule.things(world):
        for fault in rule.faults(thing):
            assert _reaches(thing.made, fault), fault


@EVERY_RULE
def test_a_rule_says_why_and_what_to_do_instead(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+|[a-z]+", rule.id)
    assert len(rule.why) > 40
    assert len(rule.remedy) > 15
    assert not rule.why.endswith(".")
    ranks = [LEVELS.index(rule.levels.of(tier)) for tier in ("dev", "staging", "prod")]
    assert ranks == sorted(ranks), "no tier is held to less than the one before it"
    assert ranks[-1] == len(LEVELS) - 1


def test_names_and_reasons_are_one_each() -> None:
    assert len(BY_ID) == len(RULES) == sum(len(group) for group in GROUPS.values())
    assert len({rule.why for rule in RULES}) == len(RULES)


def test_nobody_is_called_compliant() -> None:
    for rule in RULES:
        for text in (rule.why, rule.remedy, *map(str, rule.supports)):
            assert "complian" not in text.lower()


def test_every_control_of_the_restricted_standard_is_supported() -> None:
    supported = {each.control for rule in RULES for each in rule.supports if each.framework.startswith("Pod Security")}
    assert supported == {
        *("HostProcess", "Host Namespaces", "Privileged Containers", "HostPath Volumes", "Host Ports", "AppArmor"),
        *("Host Probes / Lifecycle Hooks (v1.34+)", "SELinux", "/proc Mount Type", "Sysctls", "Volume Types"),
        *("Privilege Escalation (v1.8+)", "Running as Non-root", "Running as Non-root user (v1.23+)"),
        *("Seccomp (v1.19+)", "Capabilities (v1.22+)"),
    }


@pytest.mark.parametrize("group", ["initContainers", "ephemeralContainers"])
def test_containers_beside_the_main_ones_are_held_to_the_same(group: str) -> None:
    bare = {"name": "other", "image": "example/tool:1.0@sha256:" + "3" * 64}
    patch = {
        "kind": "Deployment",
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"template": {"spec": {group: [bare]}}},
    }
    found = broken(fixtures_of.patched(fixtures_of.sound(), [patch]))
    assert {"capabilities", "privilege-escalation", "read-only-root", "resources"} <= set(found)


def test_a_frozen_track_that_is_only_named_is_passed_over() -> None:
    frozen = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "shop", "name": "web-b"}}
    assert broken([*fixtures_of.sound(), frozen]) == {}


@pytest.mark.parametrize(("app", "found"), [("web", set()), ("other", {"service-backend"})])
def test_the_service_of_a_track_waits_for_its_first_rollout(app: str, found: set[str]) -> None:
    web = next(each for each in fixtures_of.sound() if each["kind"] == "Service")
    selector = {**web["spec"]["selector"], "app.kubernetes.io/name": app, TRACK_LABEL: "b"}
    other = {**web, "metadata": {**web["metadata"], "name": "web-b"}, "spec": {**web["spec"], "selector": selector}}
    assert set(broken([*fixtures_of.sound(), other])) == found


@pytest.mark.parametrize(
    ("labels", "found"), [({TRACK_LABEL: "b"}, []), ({}, ["autoscaler-and-replicas", "empty-budget", "two-replicas"])]
)
def test_a_second_track_has_no_copies_before_its_rollout(labels: dict[str, str], found: list[str]) -> None:
    place = {"namespace": "shop", "name": "web"}
    patch = {"kind": "Deployment", "metadata": {**place, "labels": labels}, "spec": {"replicas": 0}}
    aim = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": place,
        "spec": {"scaleTargetRef": aim, "minReplicas": 1, "maxReplicas": 4},
    }
    objects = fixtures_of.patched(fixtures_of.sound(), [patch])
    assert sorted({*broken(objects), *broken([*objects, scaler])}) == found


def test_numbers_of_the_engine_and_unknown_values_are_understood() -> None:
    patch = {
        "kind": "Deployment",
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"replicas": 3.0, "template": {"spec": {"terminationGracePeriodSeconds": "[known after the apply]"}}},
    }
    assert broken(fixtures_of.patched(fixtures_of.sound(), [patch])) == {}


@pytest.mark.parametrize("spec", [None, {"template": {"spec": {"containers": "[secret]"}}}], ids=["frozen", "hidden"])
def test_of_a_workload_that_is_only_named_nothing_is_said(spec: Manifest | None) -> None:
    target = {"kind": "Deployment", "name": "web"}
    scaler = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 4}
    metadata = {"namespace": "shop", "name": "web"}
    objects = [made for made in fixtures_of.sound() if made["kind"] != "Deployment"]
    objects.append({"kind": "Deployment", "metadata": metadata, **({"spec": spec} if spec else {})})
    objects.append({"kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": scaler})
    assert broken(objects) == {}


def test_levels_can_be_raised_and_never_lowered() -> None:
    assert levels("dev", {"image-digest": "mandatory"})["image-digest"] == "mandatory"
    assert levels("prod", {"image-digest": "advisory"})["image-digest"] == "mandatory"


def _reaches(made: Manifest, fault: Fault) -> bool:
    """Whether all but the last steps of the path lead into the object."""
    steps = re.findall(r'\["([^"]+)"\]|\[(\d+)\]|([^.\[\]]+)', fault.path)
    found: object = made
    for quoted, index, name in steps[:-1]:
        if isinstance(found, list) and index and int(index) < len(found):
            found = found[int(index)]
        elif isinstance(found, dict) and (quoted or name) in found:
            found = found[quoted or name]
        else:
            return False
    return True
