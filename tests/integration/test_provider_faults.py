"""What an API server can do to a provider in the middle of its work, and how each ends.

Counts are what the proxy before the API server saw: nothing here depends on how long something took.
"""

from __future__ import annotations

from typing import Any

import pytest

from cli.kube.retry import Policy
from tests.integration.fault_proxy import FOREVER, Fault, Kind, status
from tests.integration.faulty import Row, Scene, told

TRIES = Policy().attempts
pytestmark = pytest.mark.cluster


def answered(method: str, code: int, times: int = 1, **options: Any) -> tuple[Fault, ...]:
    return (Fault("answer", method, status=code, times=times, **options),)


def broken(method: str, kind: Kind, times: int = 1, skip: int = 0) -> tuple[Fault, ...]:
    return (Fault(kind, method, times=times, skip=skip),)


SECONDS = {"retry-after": "1"}
DATE = {"retry-after": "date+2"}
RACE = status(409, "the object has been modified", "Conflict")
CREDENTIALS = "does not accept our credentials"

CREATE = [
    Row("create", "429 with Retry-After", answered("POST", 429, headers=SECONDS), {"POST": 2}, apart=1),
    Row("create", "429 with Retry-After as a date", answered("POST", 429, headers=DATE), {"POST": 2}, apart=1),
    Row("create", "429 without end", answered("POST", 429, FOREVER), {"POST": TRIES}, "answered 429"),
    Row("create", "503 twice", answered("POST", 503, 2), {"POST": 3}),
    *(Row("create", f"{code} twice", answered("POST", code, 2), {"POST": 3, "GET": 2}) for code in (500, 502, 504)),
    Row("create", "500 without end", answered("POST", 500, FOREVER), {"POST": TRIES, "GET": TRIES}, "answered 500"),
    Row("create", "accepted, then 504", (Fault("answer after", "POST", status=504),), {"POST": 1, "GET": 1}),
    Row("create", "accepted, then 503", (Fault("answer after", "POST", status=503),), {"POST": 2, "GET": 1}),
    Row("create", "reset before", broken("POST", "reset"), {"POST": 2, "GET": 1}),
    Row("create", "reset after it was accepted", broken("POST", "reset after"), {"POST": 1, "GET": 1}),
    Row(
        "create",
        "reset after it was accepted, and when it is read back",
        (*broken("POST", "reset after"), *broken("GET", "reset", 2)),
        {"POST": 1, "GET": 3},
    ),
    Row("create", "reset without end", broken("POST", "reset", FOREVER), {"POST": TRIES, "GET": TRIES}, "no answer"),
    Row("create", "no answer", broken("POST", "silent"), {"POST": 2, "GET": 1}),
    Row("create", "slow body", broken("POST", "slow"), {"POST": 1, "GET": 0}),
    Row("create", "body that trickles for ever", broken("POST", "trickle"), {"POST": 1, "GET": 1}),
    Row("create", "body that stalls", broken("POST", "stalled"), {"POST": 1, "GET": 1}),
    Row("create", "half a body", broken("POST", "half"), {"POST": 1, "GET": 1}),
    Row("create", "truncated JSON", broken("POST", "cut"), {"POST": 1, "GET": 1}),
    Row("create", "401", answered("POST", 401, FOREVER), {"POST": 1, "GET": 0}, CREDENTIALS),
    Row("create", "403", broken("POST", "as nobody", FOREVER), {"POST": 1, "GET": 0}, "can-i create configmaps"),
]
UPDATE = [
    Row("update", "429 with Retry-After", answered("PATCH", 429, headers=SECONDS), {"PATCH": 3}, apart=1),
    *(
        Row("update", f"{code} twice", answered("PATCH", code, 2, skip=1), {"PATCH": 4})
        for code in (500, 502, 503, 504)
    ),
    Row("update", "503 without end", answered("PATCH", 503, FOREVER), {"PATCH": TRIES}, "answered 503"),
    Row("update", "hand-over reset after it was accepted", broken("PATCH", "reset after"), {"PATCH": 3}),
    Row("update", "apply reset before", broken("PATCH", "reset", skip=1), {"PATCH": 3}),
    Row("update", "apply reset after it was accepted", broken("PATCH", "reset after", skip=1), {"PATCH": 3}),
    Row("update", "half a body", broken("PATCH", "half", skip=1), {"PATCH": 3}),
    Row("update", "body that stalls", broken("PATCH", "stalled", skip=1), {"PATCH": 3}),
    Row("update", "truncated JSON", broken("PATCH", "cut", skip=1), {"PATCH": 3}),
    Row("update", "409 of a race", answered("PATCH", 409, skip=1, body=RACE), {"PATCH": 3}),
    Row(
        "update",
        "409 of a race without end",
        answered("PATCH", 409, FOREVER, skip=1, body=RACE),
        {"PATCH": TRIES + 1},
        "changed it at the same time",
    ),
    Row("update", "401", answered("PATCH", 401, FOREVER, skip=1), {"PATCH": 2}, CREDENTIALS),
    Row("update", "403", broken("PATCH", "as nobody", FOREVER, skip=1), {"PATCH": 2}, "can-i patch configmaps"),
]
DELETE = [
    Row("delete", "429 with Retry-After", answered("DELETE", 429, headers=SECONDS), {"DELETE": 2}, apart=1),
    *(Row("delete", f"{code} twice", answered("DELETE", code, 2), {"DELETE": 3}) for code in (500, 503)),
    Row("delete", "reset before", broken("DELETE", "reset"), {"DELETE": 2}),
    Row("delete", "reset after it was accepted", broken("DELETE", "reset after"), {"DELETE": 2}),
    Row("delete", "truncated JSON", broken("DELETE", "cut"), {"DELETE": 2}),
    Row("delete", "401", answered("DELETE", 401, FOREVER), {"DELETE": 1}, CREDENTIALS),
    Row("delete", "403", broken("DELETE", "as nobody", FOREVER), {"DELETE": 1}, "can-i delete configmaps"),
]
READ = [
    Row("refresh", "429 with Retry-After", answered("GET", 429, headers=SECONDS), {"GET": 2}, apart=1),
    Row("refresh", "503 twice", answered("GET", 503, 2), {"GET": 3}),
    Row("refresh", "reset", broken("GET", "reset"), {"GET": 2}),
    Row("refresh", "half a body", broken("GET", "half"), {"GET": 2}),
    Row("refresh", "truncated JSON", broken("GET", "cut"), {"GET": 2}),
    Row("refresh", "body that stalls", broken("GET", "stalled"), {"GET": 2}),
    Row("refresh", "401", answered("GET", 401, FOREVER), {"GET": 1}, CREDENTIALS),
    Row("refresh", "403", broken("GET", "as nobody", FOREVER), {"GET": 1}, "can-i get configmaps"),
]


@pytest.mark.parametrize("row", CREATE, ids=str)
def test_a_create_is_never_lost_and_never_made_twice(row: Row, scene: Scene) -> None:
    with told(row, scene):
        made = scene.create()
        assert made.outputs["metadata"]["uid"] == scene.object()["metadata"]["uid"]
        assert scene.engine.diff(made, scene.wanted()).kind == "DIFF_NONE"
    assert scene.is_there() is not bool(row.error)


@pytest.mark.parametrize("row", UPDATE, ids=str)
def test_an_update_is_made_whole_or_not_at_all(row: Row, scene: Scene) -> None:
    made = scene.create()
    with told(row, scene):
        changed = scene.engine.update(made, scene.wanted(x="y"))
        assert scene.engine.diff(changed, scene.wanted(x="y")).kind == "DIFF_NONE"
    assert scene.object()["metadata"].get("labels") == (None if row.error else {"x": "y"})


@pytest.mark.parametrize("row", DELETE, ids=str)
def test_a_deletion_is_done_or_told_to_have_failed(row: Row, scene: Scene) -> None:
    made = scene.create()
    with told(row, scene):
        scene.engine.delete(made)
    assert scene.is_there() is bool(row.error)


@pytest.mark.parametrize("row", READ, ids=str)
def test_a_refresh_reads_what_is_there_or_fails(row: Row, scene: Scene) -> None:
    made = scene.create()
    with told(row, scene):
        found = scene.engine.read(made)
        assert found is not None and found.outputs == made.outputs
