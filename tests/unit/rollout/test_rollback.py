"""A rollback against an API server in memory: refused before anything is touched, or done, numbered and audited."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.errors import Refused, RollbackFailed, TurnoutError, UsageError
from cli.kube.health import health
from cli.kube.ownership import handover
from cli.progress import Silent
from cli.rollout import aside, audit, debts, notify, releases, rollback, wait
from cli.rollout.book import Debt
from cli.rollout.lock import environment_lock


def stage(cluster: Any, make: Any, *versions: str, **live: Any) -> None:
    """Releases of one Deployment with its configuration; the last one runs."""
    for number, version in enumerate(versions):
        config = make.config_map(f"api-config-{version}", version=version)
        objects = [config, make.deployment("api", version, config=f"api-config-{version}")]
        cluster.now = f"2026-01-01T00:0{number}:00Z"
        cluster.put(make.record(f"release-{version}", objects)[0], "configmaps")
        cluster.put(config, "configmaps")
    cluster.put(make.ready(objects[1]) | live, "deployments")


def becomes_ready(cluster: Any) -> None:
    """The deployment controller: done as soon as something is applied."""

    def controller(_: Any) -> None:
        for (_, plural, _), row in list(cluster.objects.items()):
            if plural == "deployments":
                count = row["spec"]["replicas"]
                ready = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), count)
                row["status"] = {"observedGeneration": 9} | ready

    cluster.before_write.append(controller)


def up_fails(cluster: Any, kube: Any, make: Any, version: str) -> None:
    """An `up` that ended when it had brought its pods."""
    with releases.attempt(kube, "dev", kind="up") as attempt:
        cluster.put(make.ready(make.deployment("api", version)), "deployments")
        attempt.failed("boom")


def go_back(kube: Any, *, root: Path | None = None, to: int | None = None, timeout: float = 20) -> rollback.Done:
    order = rollback.Order("turnout rollback dev", "it errs", root, timeout=timeout)
    with environment_lock(kube, "dev", command=order.command) as held:
        wanted = rollback.prepare(kube, "dev", to)
        rollback.check(kube, wanted)
        return rollback.carry_out(kube, wanted, order, held, Silent())


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Title and text of each notification."""
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(notify, "_send", lambda _, __, ___, title, text: sent.append((title, text)))
    monkeypatch.setattr(aside, "begin", lambda kube, work, _: work(kube))
    return sent


@pytest.fixture(autouse=True)
def no_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every workload is rolled out at once, as of the newest list."""

    def rolled_out(kube: Any, wanted: Any, *_: Any, **__: Any) -> wait.Healths:
        found = {}
        for kind, namespace, name in wanted:
            found[kind, namespace, name] = health(kube.get("apps/v1", kind, name, namespace))
        return found

    monkeypatch.setattr(wait, "rolled_out", rolled_out)


def test_content_of_the_release_before_serves_as_a_new_release(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1", "2")
    becomes_ready(cluster)
    cluster.find("deployments", "api-a")["metadata"]["generation"] = 1
    done = go_back(kube)
    assert (done.release.number, done.release.restores, done.release.record) == (3, 1, "release-1")
    assert "apply deployments/api-a" in cluster.log
    image = cluster.find("deployments", "api-a")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "api:1"


def test_audit_says_who_what_why_and_how_it_ended(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1", "2")
    becomes_ready(cluster)
    go_back(kube)
    [entry] = audit.entries(kube, "dev")
    assert (entry.who, entry.what, entry.why, entry.outcome, entry.release) == (
        "anna",
        "turnout rollback dev",
        "it errs",
        "done",
        "3",
    )
    assert "@" in entry.host


def test_without_a_checkout_the_debt_stays_noted(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1", "2")
    becomes_ready(cluster)
    assert go_back(kube).owed == "no checkout here is of this cluster"
    debt = releases.load(kube, "dev").debt
    assert debt and (debt.number, debt.record) == (3, "release-1")


def test_state_is_settled_by_another_process_and_the_debt_is_paid(
    cluster: Any, kube: Any, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(cluster, make, "1", "2")
    becomes_ready(cluster)
    (tmp_path / "Pulumi.dev.yaml").write_text("")
    given = tmp_path / "given.json"
    monkeypatch.setattr(debts, "_command", lambda *_: ["sh", "-c", f"cat > {given}"])
    assert go_back(kube, root=tmp_path).owed == ""
    assert releases.load(kube, "dev").debt is None
    assert json.loads(given.read_text())["record"]["name"] == "release-1"


def test_settling_that_fails_is_told_and_owed(
    cluster: Any, kube: Any, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(cluster, make, "1", "2")
    becomes_ready(cluster)
    (tmp_path / "Pulumi.dev.yaml").write_text("")
    monkeypatch.setattr(debts, "_command", lambda *_: ["sh", "-c", "echo the store is down >&2; exit 1"])
    assert go_back(kube, root=tmp_path).owed == "the store is down"
    assert releases.load(kube, "dev").debt is not None


def test_what_the_release_added_is_stopped_so_that_whoever_applies_next_may_start_it(
    cluster: Any, kube: Any, make: Any
) -> None:
    """Under the manager's own name it would be an Update's: an apply of another count would conflict with that."""
    stage(cluster, make, "1", "2")
    cluster.put(make.ready(make.deployment("added", "2")), "deployments")
    becomes_ready(cluster)
    asked: list[Any] = []
    cluster.before_write.append(asked.append)
    go_back(kube)
    assert cluster.find("deployments", "added-a")["spec"]["replicas"] == 0
    [stop] = [each for each in asked if each.url.path.endswith("/added-a")]
    manager = stop.url.params["fieldManager"]
    assert handover([{"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {}}}], "turnout")


def test_nothing_differs_nothing_is_applied(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1", "2")
    cluster.put(make.ready(make.deployment("api", "1", config="api-config-1")), "deployments")
    assert go_back(kube).applied == 0
    assert not [line for line in cluster.log if "deployments" in line]


def test_missing_secret_is_named_and_nothing_is_touched(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1", "2")
    recorded = make.deployment("api", "0")
    recorded["spec"]["template"]["spec"]["volumes"] = [{"name": "s", "secret": {"secretName": "api-secret-1"}}]
    cluster.now = "2026-01-01T00:00:30Z"
    cluster.put(make.record("release-0", [recorded])[0], "configmaps")
    before = len(cluster.log)
    with pytest.raises(Refused, match=r"gone: Secret dev/api-secret-1") as refused:
        rollback.check(kube, rollback.prepare(kube, "dev", to=2))
    assert refused.value.exit_code == 4
    assert len(cluster.log) == before


def test_everything_is_tried_before_anything_is_done(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1", "2")
    wanted = rollback.prepare(kube, "dev")
    rollback.check(kube, wanted)
    assert cluster.dry == ["deployments/api-a"]
    assert cluster.log == []


def test_unknown_number_names_the_known_ones(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1", "2")
    with pytest.raises(UsageError, match=r"has no release 7\nwhy: kept releases: 1, 2"):
        rollback.prepare(kube, "dev", to=7)


def test_first_release_has_nothing_before_it_and_no_namespace_is_made_to_say_so(cluster: Any, kube: Any) -> None:
    with pytest.raises(Refused, match="has no release to go back to"):
        rollback.look(kube, "nowhere")
    assert cluster.log == []


def test_release_that_does_not_come_up_is_exit_7_and_stays_the_aim(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1", "2")
    with pytest.raises(RollbackFailed, match="does not come up") as failed:
        go_back(kube)
    assert failed.value.exit_code == 7
    assert "what serves now:\n  ✗ api: 0 of 2 ready" in failed.value.why
    book = releases.load(kube, "dev")
    assert book.open and book.current
    assert book.current.outcome.startswith("failed")
    aim = rollback.look(kube, "dev").aim
    assert aim and aim.record == "release-1"


def test_people_are_told_that_the_release_is_back(
    cluster: Any, kube: Any, make: Any, told: list[tuple[str, str]]
) -> None:
    stage(cluster, make, "1", "2")
    becomes_ready(cluster)
    go_back(kube)
    assert told == [("turnout: dev was rolled back", "release 1 is back as release 3, by anna: it errs")]


def test_people_are_told_of_a_rollback_that_failed_and_never_that_it_went_well(
    cluster: Any, kube: Any, make: Any, told: list[tuple[str, str]]
) -> None:
    stage(cluster, make, "1", "2")
    with pytest.raises(RollbackFailed):
        go_back(kube)
    failed = "dev was put back to release 1, but it does not come up"
    assert told == [("turnout: the rollback of dev failed", f"the rollback of dev failed: {failed}")]


def test_half_done_change_goes_back_to_the_current_release_without_a_new_number(
    cluster: Any, kube: Any, make: Any
) -> None:
    stage(cluster, make, "1", "2")
    becomes_ready(cluster)
    up_fails(cluster, kube, make, "3")
    done = go_back(kube)
    assert (done.release.number, done.release.record) == (2, "release-2")
    assert releases.load(kube, "dev").open is None
    image = cluster.find("deployments", "api-a")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "api:2"


def test_attempt_that_succeeds_numbers_the_record_it_names(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1", "2")
    with releases.attempt(kube, "dev", kind="up", reason="back to one") as attempt:
        attempt.succeeded("release-1")
    current = releases.load(kube, "dev").current
    assert current and (current.number, current.record, current.why, current.who) == (
        3,
        "release-1",
        "back to one",
        "anna",
    )


def test_attempt_gives_its_author_to_the_record_that_it_wrote(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1", "2")
    with releases.attempt(kube, "dev", kind="rollout", reason="three") as attempt:
        cluster.now = "2026-01-01T00:09:00Z"
        cluster.put(make.record("release-3", [])[0], "configmaps")
        attempt.succeeded("release-3")
    rows = releases.load(kube, "dev").releases
    assert [(row.number, row.who, row.kind) for row in rows] == [(1, "", "up"), (2, "", "up"), (3, "anna", "rollout")]


def test_attempt_without_a_new_record_makes_no_new_number(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1")
    with releases.attempt(kube, "dev", kind="up") as attempt:
        attempt.succeeded("release-1")
    assert len(releases.load(kube, "dev").releases) == 1


def test_book_is_written_again_when_somebody_was_faster(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1")
    releases.change(kube, "dev", lambda book: book)

    def bea(request: Any) -> None:
        if request.method == "PUT":
            cluster.before_write.clear()
            cluster.put(cluster.find("configmaps", "releases", "turnout-dev"), "configmaps")

    cluster.before_write.append(bea)
    made = releases.change(kube, "dev", lambda book: replace(book, debt=Debt(1, "release-1")))
    assert made.debt is not None


def test_prune_drops_unnumbered_records_and_what_only_they_needed(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1", "2", "3")
    for version in "123":
        cluster.find("configmaps", f"api-config-{version}")["metadata"]["labels"]["turnout.dev/content"] = version
    releases.change(kube, "dev", lambda book: book)
    kept = cluster.find("configmaps", "releases", "turnout-dev")
    del kept["data"]["1"]
    assert releases.prune(kube, "dev") == ["ConfigMap dev/api-config-1", "release-1"]


def test_prune_leaves_everything_where_a_record_cannot_be_read(cluster: Any, kube: Any, make: Any) -> None:
    stage(cluster, make, "1", "2")
    releases.change(kube, "dev", lambda book: book)
    del cluster.find("configmaps", "releases", "turnout-dev")["data"]["1"]
    cluster.find("configmaps", "release-2", "turnout-dev")["binaryData"]["record"] = "AAAA"
    assert releases.prune(kube, "dev") == []
    assert cluster.find("configmaps", "release-1", "turnout-dev")


def test_end_that_cannot_be_noted_is_an_error(
    cluster: Any, kube: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(cluster, make, "1", "2")
    becomes_ready(cluster)
    monkeypatch.setattr(audit, "write", _unreachable)
    with pytest.raises(TurnoutError, match="no answer"):
        go_back(kube)


def test_failure_is_told_also_where_it_cannot_be_noted(
    cluster: Any, kube: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(cluster, make, "1", "2")
    monkeypatch.setattr(audit, "write", _unreachable)
    with pytest.raises(RollbackFailed, match="does not come up"):
        go_back(kube)


def _unreachable(*_: Any, **__: Any) -> None:
    raise TurnoutError("no answer from the API server")


def test_oldest_audit_entries_are_surplus() -> None:
    assert audit.surplus(["audit-3", "audit-1", "audit-2"], kept=2) == ["audit-1"]
