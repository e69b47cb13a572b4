from cli.kube.requests import Answer, Request
from cli.kube.retry import Lost, Policy

READ = Request("GET", "/x", "get x")
WRITE = Request("POST", "/x", "create x", repeatable=False)


def test_waits_grow_stay_bounded_and_are_jittered() -> None:
    quick = Policy(attempts=20, jitter=lambda: 0.0)
    slow = Policy(attempts=20, jitter=lambda: 1.0)
    waits = [quick.pause(READ, Answer(503, {}, b""), attempt) for attempt in range(1, 12)]
    assert waits == sorted(waits) and waits[-1] == 2.5  # type: ignore[type-var]
    assert slow.pause(READ, Answer(503, {}, b""), 11) == 5.0


def test_a_server_cannot_make_us_wait_for_ever() -> None:
    assert Policy(jitter=lambda: 0.0).pause(READ, Answer(429, {"retry-after": "3600"}, b""), 1) == 30.0


def test_a_write_that_may_have_arrived_is_not_repeated_blindly() -> None:
    policy = Policy()
    assert policy.pause(WRITE, Lost("reset", sent=True), 1) is None
    assert policy.pause(WRITE, Answer(500, {}, b""), 1) is None
    assert policy.pause(WRITE, Lost("refused", sent=False), 1) is not None
    assert policy.pause(WRITE, Answer(429, {}, b""), 1) is not None


def test_a_plain_refusal_stands() -> None:
    assert Policy().pause(READ, Answer(404, {}, b""), 1) is None
