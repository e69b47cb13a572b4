from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import protocol
from cli.engine import values
from cli.engine.model import ABSENT, SECRET, UNKNOWN

WIRE_SECRET = {protocol.SIGNATURE: protocol.SECRET, "ciphertext": "[secret]"}
NAMES = st.text(min_size=1, max_size=12)
PATHS = st.lists(st.one_of(NAMES, st.integers(0, 99)), min_size=1, max_size=5).map(tuple)


@given(PATHS)
def test_a_path_survives_writing_and_reading(path: values.Path) -> None:
    assert values.parse_path(values.format_path(path)) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("spec.template.spec.containers[0].image", ("spec", "template", "spec", "containers", 0, "image")),
        ('metadata.labels["app.kubernetes.io/name"]', ("metadata", "labels", "app.kubernetes.io/name")),
        ('data["a\\"b"]', ("data", 'a"b')),
    ],
)
def test_paths_are_read_as_pulumi_writes_them(text: str, path: values.Path) -> None:
    assert values.parse_path(text) == path
    assert values.format_path(path) == text


def test_secrets_and_unknowns_become_placeholders_at_any_depth() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    assert values.shown({"a": [WIRE_SECRET, {"b": unknown}], "c": 1}) == {"a": [SECRET, {"b": UNKNOWN}], "c": 1}


def test_looking_below_a_secret_gives_the_secret_and_elsewhere_nothing() -> None:
    assert values.look_up({"data": WIRE_SECRET}, ("data", "password")) == SECRET
    assert values.look_up({"data": {}}, ("data", "password")) is ABSENT
    assert values.look_up({"ports": [{"port": 80}]}, ("ports", 0, "port")) == 80


def test_differences_name_each_leaf_once() -> None:
    before = {"a": 1, "b": [1, 2], "c": {"d": None}}
    after = {"a": 1, "b": [1], "c": {"d": 0}, "e": []}
    assert values.differences(before, after) == [
        (("b", 1), 2, ABSENT),
        (("c", "d"), None, 0),
        (("e",), ABSENT, []),
    ]
