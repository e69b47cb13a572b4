from cli.kube.requests import Answer, Request
from cli.kube.retry import Lost, Policy, Tries

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


def busy(value: str, date: str = "") -> Answer:
    return Answer(429, {"retry-after": value, "date": date}, b"")


STILL = Policy(jitter=lambda: 0.0)


def test_a_retry_after_is_read_as_seconds_and_as_a_date_of_the_servers_own_clock() -> None:
    assert STILL.pause(READ, busy("7"), 1) == 7.0
    then, now = "Wed, 21 Oct 2015 07:28:09 GMT", "Wed, 21 Oct 2015 07:28:00 GMT"
    assert STILL.pause(READ, busy(then, now), 1) == 9.0, "whatever our own clock says"
    assert STILL.pause(READ, busy(now, then), 1) == 0.0, "a date that is over"


def test_a_retry_after_that_says_nothing_useful_is_no_reason_to_wait_long() -> None:
    for value in ("soon", "-5", "²", "Wed, 21 Oct 2015 07:28:09 GMT"):
        assert STILL.pause(READ, busy(value), 1) == 0.1


def test_those_who_are_told_the_same_time_do_not_all_come_at_once() -> None:
    late = Policy(jitter=lambda: 1.0)
    assert late.pause(READ, busy("8"), 1) == 10.0


def test_no_try_begins_after_the_budget() -> None:
    assert STILL.pause(READ, Answer(503, {}, b""), 2, spent=59.0) is not None
    assert STILL.pause(READ, Answer(503, {}, b""), 2, spent=60.0) is None
    assert STILL.pause(READ, busy("30"), 2, spent=31.0) is None


def test_a_server_that_restarts_gets_longer_than_one_that_was_never_there() -> None:
    refused = Lost("refused", sent=False)
    assert STILL.pause(WRITE, refused, 6) is None
    assert STILL.pause(WRITE, refused, 6, reached=True) is not None
    assert STILL.pause(WRITE, refused, 15, reached=True) is None
    assert STILL.pause(READ, Lost("stalled", sent=True), 6, reached=True) is None


def test_a_try_leaves_a_doubt_when_it_may_have_been_carried_out() -> None:
    def doubt(outcome: Answer | Lost) -> bool:
        tries = Tries(Policy(), lambda: 0.0)
        tries.note(outcome)
        return tries.doubt

    assert doubt(Lost("reset", sent=True)) and not doubt(Lost("refused", sent=False))
    assert all(doubt(Answer(code, {}, b"")) for code in (500, 502, 503, 504))
    assert not any(doubt(Answer(code, {}, b"")) for code in (401, 409, 429))
