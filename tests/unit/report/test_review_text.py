from __future__ import annotations

import pytest

from cli.engine.model import ABSENT, SECRET, UNKNOWN, Diagnostic, Effect, FieldChange, Operation
from cli.report import review_text
from cli.review.model import Amount, Blast, Finding, Level, Reason, Reviewed

from .reviews import CORE, added, change, config, image, plan, review, urn

SUMMARY = "hermetic origin/main 3f2a91c → working tree · 1.2 s · pulumi 3.259.0 · own"


def shown(*reviews: Reviewed) -> list[str]:
    return [line.text for line in review_text.lines(reviews)]


def test_a_plan_reads_by_component_resource_and_field() -> None:
    update = change("prod/api", FieldChange("spec.replicas", 2.0, 3.0), effects=(Effect.SCALES,))
    assert shown(review(update, change("prod/new", operation=Operation.CREATE, component=""))) == [
        "environment",
        "  + Deployment prod/new",
        "app/api",
        "  ~ Deployment prod/api  (changes the number of pods)",
        "      replicas: 2 → 3",
        f"prod: 1 to create, 1 to update, 3 unchanged · {SUMMARY}",
        "",
    ]


def test_no_changes_is_one_line_with_the_number_of_resources() -> None:
    assert shown(review())[0] == f"prod: no changes, 3 resources · {SUMMARY}"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (FieldChange("a", ABSENT, 1), "a: + 1"),
        (FieldChange("a", [1.0], ABSENT), "a: - [1]"),
        (FieldChange("a", SECRET, SECRET, secret=True), "a: [secret] → [secret]"),
        (FieldChange("a", 1, UNKNOWN, certain=False), "a: 1 → [known after the apply]  (possible)"),
        (FieldChange("a", None, 1, replaces=True), "a: null → 1  (replaces)"),
        (FieldChange("a", "1", "a b"), 'a: "1" → a b'),
        (FieldChange("binaryData.record", "A" * 8, "A" * 16), "binaryData.record: 6 bytes → 12 bytes"),
        (FieldChange("spec.template.spec.containers.api.image", "a", "b"), "container api: image: a → b"),
        (FieldChange("spec.template.spec.containers[0].image", "a", "b"), "container web: image: a → b"),
        (
            FieldChange("spec.template.spec.initContainers.db.resources.limits.memory", "1Gi", "2Gi"),
            "init container db: memory limit: 1Gi → 2Gi",
        ),
        (
            FieldChange("spec.jobTemplate.spec.template.spec.containers.j.env.LOG.value", "a", "b"),
            "container j: env LOG: a → b",
        ),
        (added("spec.template.spec.containers.j.env.LOG", {"name": "LOG", "value": "b"}), "container j: env LOG: + b"),
        (FieldChange('metadata.labels["a.b/c"]', "x", "y"), "label a.b/c: x → y"),
        (FieldChange('spec.template.metadata.annotations["a.b/c"]', "x", "y"), "pod annotation a.b/c: x → y"),
    ],
)
def test_each_way_a_field_can_differ(entry: FieldChange, expected: str) -> None:
    inputs = {"spec": {"template": {"spec": {"containers": [{"name": "web"}, {"name": "side"}]}}}}
    assert shown(review(change("prod/x", entry, after=inputs)))[2].strip() == expected


def test_the_same_change_of_many_is_told_once() -> None:
    found = shown(review(*(image(name) for name in ("api", "web", "tools"))))
    assert found[:3] == [
        "the same change in many",
        "  ~ 3 Deployments: prod/api, prod/tools, prod/web",
        "      image: shop:1 → shop:2",
    ]
    assert found[3].startswith("prod: 3 to update")


def test_what_differs_for_one_of_many_is_told_apart() -> None:
    other = image("web", after="shop:3")
    found = shown(review(*(image(name) for name in ("api", "tools", "jobs")), other))
    assert "  ~ Deployment prod/web" in found
    assert "      container web: image: shop:1 → shop:3" in found
    assert "  ~ Deployment prod/api" not in found


def test_a_file_of_a_config_map_is_shown_as_its_differing_lines_and_its_new_name_is_not() -> None:
    before = "a\nb\nc\nd\ne\nf\ng\nh\n"
    found = shown(review(config("loki", "loki.yml", before, before.replace("e", "E"))))
    assert found[:9] == [
        "loki",
        "  ± ConfigMap prod/loki",
        "      file loki.yml:",
        "        @ line 3",
        "         c",
        "         d",
        "        -e",
        "        +E",
        "         f",
    ]


def test_a_workload_that_only_mounts_new_content_says_so() -> None:
    path = "spec.template.spec.volumes.config.configMap.name"
    stamp = FieldChange('metadata.annotations["turnout.dev/template"]', "75f875fe2f7e", "8b7683959d78")
    mounting = change("prod/loki", FieldChange(path, "loki-0123456789", "loki-abcdef0123"), stamp, component="loki")
    assert shown(review(mounting))[2] == "      uses the changed loki"


def test_a_stamp_alone_is_still_shown() -> None:
    stamp = FieldChange('metadata.annotations["turnout.dev/template"]', "75f875fe2f7e", "8b7683959d78")
    assert "turnout.dev/template: 75f875fe2f7e → 8b7683959d78" in shown(review(change("prod/x", stamp)))[2]


def test_a_name_that_merely_looks_alike_is_shown() -> None:
    renamed = FieldChange("spec.serviceName", "loki-0123456789", "mimir-0123456789")
    assert shown(review(change("prod/x", renamed)))[2] == "      serviceName: loki-0123456789 → mimir-0123456789"


def test_the_record_of_a_release_is_one_line() -> None:
    def sides(name: str) -> dict[str, object]:
        return {"metadata": {"name": name, "labels": {"turnout.dev/kind": "release-record"}}}

    record = change(
        "turnout-prod/release.0",
        FieldChange("metadata.name", "release-78fa14198051", "release-058dcc601582"),
        FieldChange("binaryData.record", "H4sI" * 50, "H5sI" * 50),
        kind=f"{CORE}:ConfigMap",
        operation=Operation.REPLACE,
        before=sides("release-78fa14198051"),
        after=sides("release-058dcc601582"),
    )
    assert shown(review(record))[2:3] == ["      record of the release: release-78fa14198051 → release-058dcc601582"]


def test_renamed_retained_and_possible_changes_say_so() -> None:
    found = shown(
        review(
            change("prod/new", renamed_from="prod/old"),
            change("prod/kept", operation=Operation.RETAIN),
            change("prod/maybe", certain=False),
            change("prod/slow", again=True),
        )
    )
    assert "  ~ Deployment prod/new  (renamed from prod/old)" in found
    assert "  · Deployment prod/kept  (kept in the cluster)" in found
    assert "  ~ Deployment prod/maybe  (possible)" in found
    assert "  ~ Deployment prod/slow  (again: it was not ready, or its run was cut off)" in found


def test_what_is_at_risk_comes_last_with_its_reasons() -> None:
    reasons = (
        Reason(Level.LOW, "restarts", "3 pods restart"),
        Reason(Level.CRITICAL, "deletes-data", "a volume is deleted", approval=True),
    )
    blast = Blast(
        pods_restarted=3, data_at_risk=("prod/postgres",), capacity={"memory limits": Amount(1024**3, 3.5 * 1024**3)}
    )
    findings = (
        Finding("old-rule", "mandatory", "prod/x", "is old", "mend it", new=False),
        Finding("old-advice", "advisory", "prod/x", "is old", "mend it", new=False),
        Finding("let-off", "mandatory", "prod/x", "is odd", "mend it", excepted="team, until 2027-01-01: why"),
        Finding("no-root", "mandatory", "prod/api", "runs as root", "set runAsNonRoot"),
    )
    found = shown(review(risk=Level.CRITICAL, reasons=reasons, blast=blast, findings=findings))
    assert found[:-2] == [
        "policy (mandatory) no-root: prod/api: runs as root",
        "      set runAsNonRoot",
        "policy (mandatory, known before) old-rule: prod/x: is old",
        "      mend it",
        "policy (mandatory, excepted: team, until 2027-01-01: why) let-off: prod/x: is odd",
        "policies: 1 finding is advisory or excepted and not of this change",
        "pods restarted: 3",
        "data at risk: prod/postgres",
        "capacity: memory limits 1Gi → 3.5Gi (+2.5Gi)",
        "risk: critical · refused",
        "  critical: a volume is deleted  (needs approval)",
        "  low: 3 pods restart",
    ]


def test_several_environments_end_with_a_table() -> None:
    reasons = (Reason(Level.HIGH, "x", "why", approval=True),)
    found = shown(
        review(environment="dev"),
        review(environment="staging", failed="its settings are wrong"),
        review(image("api"), risk=Level.HIGH, reasons=reasons),
    )
    assert found[-3:] == [
        "dev      risk none · no changes, 3 resources",
        "staging  no plan",
        "prod     risk high · 1 to update, 3 unchanged · needs approval",
    ]
    assert "staging: no plan: its settings are wrong" in found


def test_two_thousand_changes_stay_readable_and_name_the_worst() -> None:
    many = [change(f"prod/s{i}", FieldChange("spec.x", i, i + 1), component=f"app/s{i}") for i in range(1999)]
    worst = change("prod/db", FieldChange("spec.y", 1, 2), kind=f"{APPS_SET}", component="zz")
    reason = Reason(Level.CRITICAL, "deletes-data", "the database goes", (worst.urn,))
    found = shown(review(*many, worst, risk=Level.CRITICAL, reasons=(reason,)))
    assert len(found) < 600
    assert "  ~ StatefulSet prod/db" in found
    assert "and 1850 more resources, none of them worse: --html FILE or --json shows all" in found


APPS_SET = "kubernetes:apps/v1:StatefulSet"


def test_many_new_resources_of_a_kind_are_one_line() -> None:
    new = [change(f"prod/s{i:02}", operation=Operation.CREATE, component="app") for i in range(40)]
    found = shown(review(*new))
    assert found[1].startswith("  + 40 Deployments: prod/s00, prod/s01,")
    assert found[1].endswith("and 28 more")


def test_messages_are_shown_with_their_severity() -> None:
    said = (Diagnostic("warning", "two\nlines", urn("x", "y")),)
    assert next(line.text for line in review_text.plan(plan(diagnostics=said))) == "warning: two\nlines"
