import pytest
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from cli.protocol import OUTPUT, SECRET, SIGNATURE
from cli.protocol import UNKNOWN as UNKNOWN_TEXT
from cli.provider.values import (
    UNKNOWN,
    Secret,
    Unsupported,
    decode,
    decode_like,
    encode,
    has_secret,
    has_unknown,
    mark_secrets,
    plain,
)

words = st.text('aé"\\ 0\n', max_size=4)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer()),
    words,
    st.just(UNKNOWN),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(words, inner, max_size=3),
        inner.filter(lambda value: value is not UNKNOWN and not isinstance(value, Secret)).map(Secret),
    ),
    max_leaves=8,
)


@given(st.dictionaries(words, trees, max_size=4))
def test_what_goes_out_comes_back(properties: dict[str, object]) -> None:
    assert decode(encode(properties)) == properties


@given(st.dictionaries(words, trees, max_size=4))
def test_reading_in_its_own_shape_reads_all(properties: dict[str, object]) -> None:
    assert decode_like(encode(properties), properties) == properties


def test_reading_in_a_shape_leaves_the_rest_out() -> None:
    struct = encode(
        {"a": {"b": 1, "c": 2}, "list": [{"x": 1, "y": 2}, {"x": 3}], "secret": Secret({"p": 1}), "rest": 1}
    )
    shape = {"a": {"b": 0}, "list": [{"x": 0}], "secret": {"p": 1}, "missing": 1}
    assert decode_like(struct, shape) == {"a": {"b": 1}, "list": [{"x": 1}, {"x": 3}], "secret": Secret({"p": 1})}


def test_whole_numbers_are_integers() -> None:
    struct = Struct()
    struct.update({"replicas": 3, "weight": 0.5})
    assert decode(struct) == {"replicas": 3, "weight": 0.5}
    assert isinstance(decode(struct)["replicas"], int)


def test_a_secret_goes_plain_to_an_engine_that_knows_none() -> None:
    assert decode(encode({"a": Secret({"b": 1})}, keep_secrets=False)) == {"a": {"b": 1}}


def test_a_secret_does_not_show_itself() -> None:
    assert "hunter2" not in repr({"password": Secret("hunter2")})


def test_outputs_are_taken_for_what_they_hold() -> None:
    struct = Struct()
    struct.update(
        {
            "known": {SIGNATURE: OUTPUT, "value": 1, "dependencies": []},
            "secret": {SIGNATURE: OUTPUT, "value": "x", "secret": True},
            "unknown": {SIGNATURE: OUTPUT},
            "computed": UNKNOWN_TEXT,
            "plain": {SIGNATURE: SECRET, "value": "y"},
        }
    )
    found = decode(struct)
    assert found["known"] == 1 and found["unknown"] is UNKNOWN and found["computed"] is UNKNOWN
    assert found["secret"] == Secret("x") and found["plain"] == Secret("y")


def test_assets_have_no_place_in_an_object() -> None:
    struct = Struct()
    struct.update({"a": {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "path": "x"}})
    with pytest.raises(Unsupported):
        decode(struct)


def test_unknowns_and_secrets_are_found_at_any_depth() -> None:
    assert has_unknown({"a": [{"b": Secret(UNKNOWN)}]}) and not has_unknown({"a": [1]})
    assert has_secret({"a": [{"b": Secret(1)}]}) and not has_secret({"a": UNKNOWN})
    assert plain({"a": Secret([Secret(1)])}) == {"a": [1]}


def test_secrets_are_marked_where_the_inputs_had_them() -> None:
    live = {"spec": {"env": [{"v": "s"}, {"v": "t"}], "other": 1}, "status": {}}
    inputs = {"spec": {"env": [{"v": Secret("s")}], "other": 1}, "missing": Secret(1)}
    assert mark_secrets(live, inputs) == {"spec": {"env": Secret([{"v": "s"}, {"v": "t"}]), "other": 1}, "status": {}}


def test_all_data_of_a_secret_is_secret() -> None:
    marked = mark_secrets({"kind": "Secret", "data": {"a": "b"}, "metadata": {}}, {})
    assert marked["data"] == Secret({"a": "b"})


def test_what_is_secret_beside_the_data_of_a_secret_stays_so() -> None:
    marked = mark_secrets({"kind": "Secret", "metadata": {"a": "s"}}, {"metadata": {"a": Secret("s")}})
    assert marked["metadata"] == {"a": Secret("s")}
