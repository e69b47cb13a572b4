"""Some services taken back alone: what that makes of the release, and of a change that is open."""

from __future__ import annotations

from typing import Any

import pytest

from cli.errors import Refused, RollbackFailed, UsageError
from cli.progress import Silent
from cli.rollout import notify, opened, pins, releases, rollback, show
from cli.rollout.lock import environment_lock
from cli.rollout.opened import Rollout
from tests.unit.rollout.test_rollback import becomes_ready
from tests.unit.rollout.test_rollback import no_watch as no_watch

SERVICES = ("api", "tools")


@pytest.fixture
def staged(cluster: Any, make: Any) -> Any:
    """Three releases of two services; the last one runs."""
    for version in "123":
        release(cluster, make, version)
    runs(cluster, make, "3")
    return cluster


def release(cluster: Any, make: Any, version: str, **other: str) -> None:
    cluster.now = f"2026-01-01T00:0{version}:00Z"
    objects = [make.deployment(name, other.get(name, version)) for name in SERVICES]
    cluster.put(make.record(f"release-{version}", objects)[0], "configmaps")


def runs(cluster: Any, make: Any, version: str) -> None:
    for name in SERVICES:
        cluster.put(make.ready(make.deployment(name, version)), "deployments")


def versions(cluster: Any) -> tuple[str, ...]:
    found = (cluster.find("deployments", f"{name}-a")["spec"]["template"]["spec"] for name in SERVICES)
    return tuple(pod["containers"][0]["image"].rpartition(":")[2] for pod in found)


def rows(kube: Any) -> list[tuple[int, str, int | None, str]]:
    found = releases.load(kube, "dev").releases
    return [(row.number, row.kind, row.restores, row.outcome.partition(":")[0]) for row in found]


def go_back(kube: Any, *only: str, to: int | None = None) -> rollback.Done:
    order = rollback.Order("turnout rollback dev", "it errs")
    with environment_lock(kube, "dev", command=order.command) as held:
        return rollback.carry_out(kube, rollback.prepare(kube, "dev", to, only), order, held, Silent())


UPS = [(1, "up", None, "done"), (2, "up", None, "done"), (3, "up", None, "done")]


def failed_rollback(cluster: Any, kube: Any, make: Any) -> None:
    """Release 2 does not come up, and what release 3 brought runs again."""
    with pytest.raises(RollbackFailed):
        go_back(kube)
    runs(cluster, make, "3")
    becomes_ready(cluster)


def test_a_service_of_a_failed_rollback_goes_first_and_the_rollback_stays_open(
    staged: Any, kube: Any, make: Any
) -> None:
    failed_rollback(staged, kube, make)
    before = releases.load(kube, "dev")
    done = go_back(kube, "api")
    assert versions(staged) == ("2", "3")
    assert rows(kube) == [*UPS, (4, "rollback", 2, "failed")]
    assert releases.load(kube, "dev") == before
    assert (done.release.number, done.alone, done.to_json()["open"]) == (4, ("api",), True)
    go_back(kube)
    assert versions(staged) == ("2", "2")
    assert rows(kube) == [*UPS, (4, "rollback", 2, "done")]
    assert releases.load(kube, "dev").open is None


def test_it_may_go_to_an_older_release_than_the_rollback_that_is_open(staged: Any, kube: Any, make: Any) -> None:
    failed_rollback(staged, kube, make)
    go_back(kube, "api", to=1)
    assert rows(kube)[3:] == [(4, "rollback", 2, "failed"), (5, "rollback", 1, "under way")]
    book = releases.load(kube, "dev")
    assert book.open and book.debt and book.debt.number == 5
    go_back(kube)
    assert versions(staged) == ("1", "2")
    assert rows(kube)[4:] == [(5, "rollback", 1, "done")]
    assert releases.load(kube, "dev").open is None


def test_a_service_of_a_failed_up_goes_back_without_a_number_and_the_state_is_left(
    staged: Any, kube: Any, make: Any
) -> None:
    with releases.attempt(kube, "dev", kind="up") as attempt:
        runs(staged, make, "4")
        attempt.failed("boom")
    becomes_ready(staged)
    assert go_back(kube, "api").owed == "the change is still open"
    book = releases.load(kube, "dev")
    assert versions(staged) == ("3", "4")
    assert (rows(kube), book.open and book.open.kind, book.debt) == (UPS, "up", None)
    [pin] = pins.read(kube, "dev").pins
    assert (pin.number, pin.blame.images) == (4, ("api:4",))


def test_people_are_told_that_the_change_is_open_still(
    staged: Any, kube: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed_rollback(staged, kube, make)
    told: list[str] = []
    monkeypatch.setattr(notify, "send", lambda *given: told.append(given[-1]))
    said = "\n".join(show.done("dev", go_back(kube, "api")))
    assert said.startswith("api of dev: back (")
    assert said.endswith("is still open: turnout rollback dev takes back all the rest")
    assert told == ["api of release 4 is back, by anna: it errs"]


def test_where_nothing_is_open_it_is_one_new_release_by_whoever_did_it(staged: Any, kube: Any) -> None:
    becomes_ready(staged)
    done = go_back(kube, "api")
    assert (done.release.number, done.release.who, done.alone) == (4, "anna", ())
    assert rows(kube) == [*UPS, (4, "rollback", 2, "done")]
    assert versions(staged) == ("2", "3")


@pytest.mark.usefixtures("staged")
def test_a_record_that_a_killed_rollback_left_is_no_release(kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(releases, "change", killed)
        go_back(kube, "api")
    assert rows(kube) == UPS


def test_again_it_goes_to_the_release_before_in_which_it_was_another(cluster: Any, kube: Any, make: Any) -> None:
    release(cluster, make, "1")
    release(cluster, make, "2")
    release(cluster, make, "3", api="2")
    release(cluster, make, "4")
    runs(cluster, make, "4")
    becomes_ready(cluster)
    go_back(kube, "api")
    assert versions(cluster) == ("2", "4")
    go_back(kube, "api")
    assert versions(cluster) == ("1", "4")
    with pytest.raises(Refused, match="no release with another api to go back to"):
        go_back(kube, "api")
    assert len(rows(kube)) == 6


@pytest.mark.usefixtures("staged")
def test_a_service_that_no_release_has_is_named_with_those_that_there_are(kube: Any) -> None:
    with pytest.raises(UsageError, match="has no apt\nwhy: it has api, tools"):
        go_back(kube, "apt")


@pytest.mark.usefixtures("staged")
def test_of_an_open_rollout_none_goes_alone(kube: Any) -> None:
    opened.begin(kube, "dev", Rollout("r1", "bea", record="release-3"))
    with pytest.raises(UsageError, match="taken back as a whole"):
        go_back(kube, "api")
