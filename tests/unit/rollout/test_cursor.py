"""The cursor as data."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cli.rollout.cursor import Cursor, Place, decode, encode

names = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
letters = st.sampled_from(("a", "b"))
places = st.builds(Place, letters, letters, st.integers(0, 999), st.sampled_from(("", "f00")), two=st.just(True))


@given(st.dictionaries(names, places))
def test_it_reads_what_it_wrote(known: dict[str, Place]) -> None:
    assert decode(encode(Cursor(known), "dev")) == Cursor(known)


def test_a_service_with_one_track_has_no_keys() -> None:
    assert encode(Cursor().allowing("api", "f00"), "dev")["data"] == {}


def test_the_epoch_grows_only_when_another_track_is_described() -> None:
    first = Cursor().describing("api", "b")
    assert first.of("api") == Place("a", "b", 1, two=True)
    assert first.describing("api", "b", "f00").of("api").epoch == 1
    assert first.serving("api", "b").of("api") == Place("b", "b", 1, two=True)
    assert first.describing("api", "a").of("api") == Place("a", "a", 2, two=True)


def test_a_write_carries_what_was_read() -> None:
    source = encode(Cursor().serving("api", "a"), "dev")
    source["metadata"]["resourceVersion"] = "7"
    assert encode(decode(source).serving("api", "b"), "dev")["metadata"]["resourceVersion"] == "7"


def test_one_track_is_locked_to_a_template_without_getting_a_second_one() -> None:
    made = Cursor().serving("web", "a").locking("api", "1f00")
    manifest = encode(made, "dev")
    assert manifest["data"]["api.template"] == "1f00" and "api.serving" not in manifest["data"]
    assert decode(manifest) == made
    assert (made.of("api").two, list(made.places)) == (False, ["web"])
    assert made.locking("api") == made.unlocked() == Cursor().serving("web", "a")
