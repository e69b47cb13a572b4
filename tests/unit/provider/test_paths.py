import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.provider import paths

steps = st.one_of(
    st.integers(0, 99), st.text(st.characters(blacklist_characters='\\"', blacklist_categories=["Cs"]), min_size=1)
)


@given(st.lists(steps, min_size=1, max_size=5))
def test_a_path_reads_as_it_was_written(path: list[str | int]) -> None:
    assert list(paths.parse(paths.write(path))) == [step if step != "*" else "*" for step in path]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("spec.containers[0].image", ("spec", "containers", 0, "image")),
        ('metadata.annotations["a.b/c"]', ("metadata", "annotations", "a.b/c")),
        ("a[*].b", ("a", "*", "b")),
        ('["x y"].z', ("x y", "z")),
    ],
)
def test_pulumis_own_spellings(text: str, path: tuple[str | int, ...]) -> None:
    assert paths.parse(text) == path


def test_a_broken_path_is_refused() -> None:
    with pytest.raises(ValueError, match="not a property path"):
        paths.parse("a[")


def test_covering_and_touching() -> None:
    rule = paths.parse("spec.containers[*].image")
    assert paths.covers(rule, ("spec", "containers", 1, "image"))
    assert not paths.covers(rule, ("spec", "containers", 1))
    assert paths.touches(rule, ("spec", "containers", 1), {"image": "x"})
    assert paths.touches(rule, ("spec",), {"containers": [{"name": "a"}, {"image": "x"}]})
    assert not paths.touches(rule, ("spec", "containers", 1), {"name": "x"})
    assert not paths.touches(rule, ("spec", "volumes"), {"image": "x"})


def test_changes_leave_the_original_alone() -> None:
    obj = {"spec": {"ports": [{"port": 1}, {"port": 2}], "selector": {"a": "b"}}}
    assert paths.drop(obj, ("spec", "selector")) == {"spec": {"ports": [{"port": 1}, {"port": 2}]}}
    assert paths.drop(obj, ("spec", "ports", 0))["spec"]["ports"] == [{"port": 2}]
    assert paths.put(obj, ("spec", "ports", 1, "port"), 9)["spec"]["ports"] == [{"port": 1}, {"port": 9}]
    assert paths.put(obj, ("status", "x"), 1) == obj and paths.drop(obj, ("status", "x")) == obj
    assert obj["spec"]["selector"] == {"a": "b"}


def test_patterns_expand_to_what_is_there() -> None:
    obj = {"a": [{"b": {"x": 1, "y": 2}}, {"b": {}}]}
    assert paths.expand(obj, paths.parse("a[*].b[*]")) == [("a", 0, "b", "x"), ("a", 0, "b", "y")]
    assert paths.expand(obj, ("nowhere",)) == [("nowhere",)]


def test_a_pattern_into_a_plain_value_stands_for_nothing() -> None:
    assert paths.expand({"spec": {"replicas": 3, "name": "x"}}, paths.parse("spec.replicas[*]")) == []
    assert paths.expand({"spec": {"name": "xy"}}, paths.parse("spec.name[*].a")) == []
