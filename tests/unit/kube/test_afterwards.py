from typing import Any

import pytest

from cli.kube.afterwards import contains, is_recent, is_same, is_written, made_by

WANTED: dict[str, Any] = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}
LIVE: dict[str, Any] = {
    **WANTED,
    "metadata": {"name": "c", "uid": "u", "creationTimestamp": "2026-11-21T10:00:00Z", "managedFields": []},
}
OURS = {**LIVE, "metadata": {**LIVE["metadata"], "managedFields": [{"manager": "turnout"}]}}


def test_what_we_made_has_our_mark_and_all_that_we_asked_for() -> None:
    assert made_by(OURS, WANTED, "turnout")
    assert not made_by(LIVE, WANTED, "turnout")
    assert not made_by(OURS, {**WANTED, "data": {"a": "2"}}, "turnout")


@pytest.mark.parametrize(
    ("now", "recent"),
    [
        ("Sat, 21 Nov 2026 10:00:06 GMT", True),
        ("Sat, 21 Nov 2026 10:00:30 GMT", False),
        ("Sat, 21 Nov 2026 09:59:59 GMT", True),
        ("", True),
        ("half past ten", True),
    ],
)
def test_what_was_there_before_we_asked_is_not_ours_by_the_servers_clock(now: str, recent: bool) -> None:
    assert is_recent(OURS, now, 5.0) is recent


def test_a_write_is_found_again_whatever_version_it_got() -> None:
    wanted = {**WANTED, "metadata": {"name": "c", "resourceVersion": "1", "managedFields": [{}], "generation": 1}}
    assert is_written({**LIVE, "metadata": {**LIVE["metadata"], "resourceVersion": "2"}}, wanted)
    assert not is_written({**LIVE, "data": {}}, wanted)


def test_a_null_asks_for_absence() -> None:
    assert contains({"a": 1}, {"b": None}) and not contains({"b": 1}, {"b": None})
    assert contains([{"a": 1, "b": 2}], [{"a": 1}]) and not contains([1, 2], [1])


def test_books_and_status_are_no_content() -> None:
    assert is_same({**LIVE, "status": 1}, OURS) and not is_same(LIVE, {**LIVE, "data": {}})
