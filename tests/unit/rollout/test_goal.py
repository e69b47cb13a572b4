"""What one should know before a rollback: migrations that ran since, secrets that come back older."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cli.rollout import goal
from cli.rollout.book import Book, Release
from cli.rollout.opened import Rollout
from cli.rollout.records import Record, Step
from cli.rollout.step import Step as Doing


def release(number: int, *, kind: Any = "rollout", restores: int | None = None, record: str = "") -> Release:
    return Release(number, record or f"r{number}", f"2026-01-0{number}", kind=kind, restores=restores)


def with_steps(*steps: Step) -> Record:
    return Record("r", "dev", (), (), steps=steps)


def test_a_migration_that_ran_since_and_cannot_be_undone_is_named() -> None:
    records = {"r1": with_steps(), "r2": with_steps(Step("migrate", reversible=False, run="migrate-1"))}
    assert goal.crossed(release(1), [release(1), release(2)], records) == ("migrate of release 2",)


def test_one_that_did_not_run_again_is_no_obstacle() -> None:
    step = Step("migrate", reversible=False, run="migrate-1")
    records = {"r1": with_steps(step), "r2": with_steps(step)}
    assert goal.crossed(release(1), [release(1), release(2)], records) == ()


def test_a_reversible_one_is_no_obstacle() -> None:
    records = {"r1": with_steps(), "r2": with_steps(Step("migrate", run="migrate-2"))}
    assert goal.crossed(release(1), [release(1), release(2)], records) == ()


def test_rollbacks_run_nothing_but_do_not_hide_what_ran_before_them() -> None:
    records = {"r1": with_steps(), "r2": with_steps(Step("migrate", reversible=False, run="m"))}
    rows = [release(1), release(2), release(3, kind="rollback", restores=1, record="r1")]
    assert goal.crossed(release(1), rows, records) == ("migrate of release 2",)


JOB = {"name": "migrate", "run": "migrate-2", "when": "before"}
BRINGS = Rollout("one", at=1, since="2026-01-02", course=(Doing("describe"), Doing("bring")))


def test_a_rollout_that_is_not_over_counts_although_it_has_no_number_yet() -> None:
    unfinished = replace(BRINGS, options={"irreversible": [JOB]})
    records = {"r1": with_steps()}
    assert goal.crossed(release(1), [release(1)], records, unfinished) == ("migrate of the unfinished rollout",)


def test_what_an_unfinished_rollout_did_not_run_anew_or_has_a_number_for_counts_not_again() -> None:
    unfinished = replace(BRINGS, options={"irreversible": [JOB]})
    step = Step("migrate", reversible=False, run="migrate-2")
    assert goal.crossed(release(1), [release(1)], {"r1": with_steps(step)}, unfinished) == ()
    records = {"r1": with_steps(), "r2": with_steps(step)}
    assert goal.crossed(release(1), [release(1), release(2)], records, unfinished) == ("migrate of release 2",)


def mounting(make: Any, secret: str) -> Record:
    made = make.deployment("api", "1")
    made["spec"]["template"]["spec"]["volumes"] = [{"name": "s", "secret": {"secretName": secret}}]
    return Record("r", "dev", (made,), ())


def test_a_secret_that_was_changed_since_is_named(make: Any) -> None:
    older, newer = mounting(make, "api-keys-0123456789"), mounting(make, "api-keys-abcdefabcd")
    assert goal.rotated(older, newer) == ("api-keys (api-keys-0123456789 comes back for api-keys-abcdefabcd)",)
    assert goal.rotated(older, older) == ()


def test_what_a_rollback_of_some_services_made_has_its_release_before_it() -> None:
    book = Book((release(1), release(2), release(3, kind="rollback", restores=1, record="mixed")))
    assert book.previous == release(1)


def test_old_releases_go_but_never_what_serves_or_what_comes_next() -> None:
    book = Book((release(1), release(2), release(3), release(4)))
    assert [row.number for row in book.beyond(2)] == [1, 2]
    going_back = Book((*book.releases, release(5, kind="rollback", restores=2, record="r2")))
    assert [row.number for row in going_back.beyond(2)] == [3]
