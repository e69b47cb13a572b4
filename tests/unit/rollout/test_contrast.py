"""Two releases compared, and what `turnout releases` says of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cli.errors import UsageError
from cli.rollout import catalogue, contrast
from cli.rollout.book import Book, Release
from cli.rollout.records import Record
from components.manifest import CONTENT_LABEL


def record(*objects: Any) -> Record:
    return Record("release-x", "dev", objects, ())


def config(make: Any, content: str, **data: str) -> Any:
    made = make.config_map(f"api-config-{content}", **data)
    made["metadata"]["labels"] = {**made["metadata"]["labels"], CONTENT_LABEL: content}
    return made


def test_equal_releases_do_not_differ(make: Any) -> None:
    assert contrast.between(record(make.deployment("api", "1")), record(make.deployment("api", "1"))) == ()


def test_objects_come_change_and_go(make: Any) -> None:
    older = record(make.deployment("api", "1"), make.deployment("jobs", "1"))
    newer = record(make.deployment("api", "2"), make.deployment("web", "1"))
    found = contrast.between(older, newer)
    assert [(one.verb, one.title) for one in found] == [
        ("changed", "Deployment dev/api-a"),
        ("removed", "Deployment dev/jobs-a"),
        ("added", "Deployment dev/web-a"),
    ]
    assert [str(row) for row in found[0].fields] == ["spec.template.spec.containers[api].image: api:1 → api:2"]


def test_a_field_that_the_newer_dropped_is_shown(make: Any) -> None:
    older, newer = make.deployment("api", "1", env={"A": "1"}), make.deployment("api", "1")
    [one] = contrast.between(record(older), record(newer))
    assert [(row.path, row.recorded) for row in one.fields] == [("spec.template.spec.containers[api].env[A]", None)]


def test_entries_are_compared_where_both_hold_them(make: Any) -> None:
    entry = {"kind": "Service", "metadata": {"name": "api", "namespace": "dev"}, "spec": {"ports": [{"port": 80}]}}
    other = {**entry, "spec": {"ports": [{"port": 90}]}}
    older, newer = (replace(record(make.deployment("api", "1")), entries=(one,)) for one in (entry, other))
    assert [one.title for one in contrast.between(older, newer)] == ["Service dev/api"]
    assert contrast.between(replace(older, schema=2, entries=()), newer) == ()


def test_configuration_of_other_content_is_the_same_object_with_other_data(make: Any) -> None:
    [one] = contrast.between(record(config(make, "aa", level="info")), record(config(make, "bb", level="debug")))
    assert one.title == "ConfigMap dev/api-config"
    assert [str(row) for row in one.fields] == ["data.level: info → debug"]


def test_the_table_marks_the_current_release_and_what_a_rollback_restored() -> None:
    book = Book((Release(9, "a", "2026-01-01T00:00:00Z", "anna"), Release(10, "b", "2026-01-02T00:00:00Z", restores=8)))
    assert catalogue.table(book, list(reversed(book.releases))) == [
        "10  2026-01-02T00:00:00Z  current  up  content of 8",
        " 9  2026-01-01T00:00:00Z  up  by anna",
    ]
    assert catalogue.before(book, book.releases[1]) == 9
    assert catalogue.before(book, book.releases[0]) == 9


@pytest.mark.parametrize(
    ("book", "why"),
    [(Book(), "the first turnout up makes one"), (Book((Release(4, "a", ""), Release(5, "b", ""))), "kept are 4 to 5")],
)
def test_a_release_that_is_not_kept_is_named_with_those_that_are(book: Book, why: str) -> None:
    with pytest.raises(UsageError) as raised:
        catalogue.chosen(book, "dev", 3)
    assert raised.value.why == why
