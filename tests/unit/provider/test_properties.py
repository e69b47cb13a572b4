"""What must hold for every object: random ones, of every kind that our components use."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.kube import ownership
from cli.protocol import AUTONAMED
from cli.provider import check, diff, marks, objects, paths, replacements, state, values
from cli.provider.check import Naming
from cli.provider.kinds import Type
from cli.provider.replacements import Mutable
from cli.provider.values import UNKNOWN, Properties, Secret, decode, encode, plain
from tests.unit.provider import generated
from tests.unit.provider.generated import Draw, Object, sprinkled

settings.register_profile(
    "properties", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
always = settings(settings.get_profile("properties"), max_examples=150)
NAMING = Naming("web", b"seed")


def type_of(obj: Object) -> Type:
    return Type(obj["apiVersion"], obj["kind"])


def checked(new: Object, old: Object | None = None, naming: Naming = NAMING) -> Object:
    """The recorded inputs, through the wire as they really come."""
    inputs, failures = check.check(decode(encode(new)), old or {}, type_of(new), naming, "dev")
    assert failures == []
    return decode(encode(inputs))


def exposed(value: Any) -> Any:
    """What is left of a value without its secrets."""
    if isinstance(value, dict):
        return {key: exposed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exposed(item) for item in value]
    return "…" if isinstance(value, Secret) else str(value)


def compared(live: Object, old: Object, new: Object, **options: Any) -> diff.Difference:
    """The Diff between a recorded state and new inputs, both through the wire."""
    recorded = encode(state.outputs(plain(old), live, old, old["apiVersion"], "turnout"))
    asked, seen = state.parse_asked(recorded)
    wanted = check.normalise(state.kubernetes_spelling(plain(decode(encode(new)))))
    return diff.diff(seen, check.normalise(asked), wanted, namespaced=True, **options)


def told(found: diff.Difference) -> list[str]:
    return [f"{change.kind.value} {paths.write(change.path)}" for change in found.changes]


@always
@given(sprinkled())
def test_checking_what_was_checked_changes_nothing(new: Object) -> None:
    once = checked(new)
    assert checked(once) == once
    assert checked(once, once) == once
    assert checked(new, once) == once


@always
@given(sprinkled())
def test_a_secret_stays_one_wherever_it_is(new: Object) -> None:
    inputs = checked(new)
    shown = json.dumps(exposed(inputs))
    assert "hush" not in shown and base64.b64encode(b"hush").decode()[:5] not in shown
    live = {**plain(inputs), "status": {}}
    recorded = json.dumps(exposed(state.outputs(plain(inputs), live, inputs, "v1", "turnout")))
    assert "hush" not in recorded


@always
@given(sprinkled())
def test_an_unknown_stays_one_until_it_is_known(new: Object) -> None:
    assert values.has_unknown(checked(new)) == values.has_unknown(new)


@always
@given(generated.objects(), st.binary(min_size=1, max_size=8), st.binary(min_size=1, max_size=8))
def test_a_made_up_name_hangs_on_the_seed_alone(new: Object, seed: bytes, other: bytes) -> None:
    unnamed = {**new, "metadata": {key: value for key, value in new["metadata"].items() if key != "name"}}
    one = checked(unnamed, naming=Naming("web", seed))
    assert one == checked(unnamed, naming=Naming("web", seed))
    assert marks.is_true(one, AUTONAMED) and one["metadata"]["name"].startswith("web-")
    assert checked(unnamed, one, Naming("web", other)) == one, "and is kept from then on"
    again = checked(unnamed, naming=Naming("web", other))
    assert (again == one) == (seed == other)


@always
@given(st.data(), generated.objects())
def test_what_the_server_gives_back_for_an_object_does_not_differ_from_it(data: st.DataObject, new: Object) -> None:
    inputs = checked(new)
    live = data.draw(generated.given_back(check.normalise(plain(inputs))))
    assert told(compared(live, inputs, inputs)) == []


@always
@given(st.data(), generated.objects())
def test_secrets_make_no_difference_to_a_diff(data: st.DataObject, new: Object) -> None:
    marked = checked(data.draw(sprinkled(st.just(new), unknowns=False)))
    live = data.draw(generated.given_back(check.normalise(plain(marked))))
    assert told(compared(live, marked, marked)) == []
    assert told(compared(live, marked, plain(marked))) == []


@st.composite
def pairs(draw: Draw) -> tuple[Object, Object]:
    """An object and another one of the same kind and name."""
    one = draw(generated.objects())
    body = draw(generated.bodies[one["apiVersion"], one["kind"]])
    metadata = {**one["metadata"], "labels": draw(generated.labels)}
    return one, {"apiVersion": one["apiVersion"], "kind": one["kind"], "metadata": metadata, **body}


def over(live: Any, wanted: Any) -> Any:
    """What an apply leaves where others hold on to what they own: fields stay, lists are replaced."""
    if isinstance(live, dict) and isinstance(wanted, dict):
        return {**live, **{key: over(live.get(key), value) for key, value in wanted.items()}}
    return wanted


@always
@given(st.data(), pairs())
def test_after_an_update_the_next_diff_is_empty(data: st.DataObject, pair: tuple[Object, Object]) -> None:
    old, new = map(checked, pair)
    live = data.draw(generated.given_back(over(check.normalise(plain(old)), check.normalise(plain(new)))))
    assert told(compared(live, new, new)) == []


@always
@given(st.data(), pairs())
def test_a_difference_is_told_exactly_where_one_is(data: st.DataObject, pair: tuple[Object, Object]) -> None:
    old, new = map(checked, pair)
    live = data.draw(generated.given_back(check.normalise(plain(old))))
    found = compared(live, old, new)
    for change in found.changes:
        before, after = paths.get(live, change.path, diff.MISSING), paths.get(plain(new), change.path, diff.MISSING)
        assert before is not after and (before is diff.MISSING) == (change.kind is diff.Kind.ADD)
        assert (after is diff.MISSING) == (change.kind is diff.Kind.DELETE)
        assert paths.parse(paths.write(change.path)) == change.path
    if old == new:
        assert told(found) == []


@always
@given(pairs())
def test_what_replaces_one_way_replaces_the_other_way(pair: tuple[Object, Object]) -> None:
    """Where the very field differs in both; a field that only one of them has is added or goes with its parent."""
    old, new = map(checked, pair)
    there, back = compared(plain(old), old, new), compared(plain(new), new, old)
    rules = replacements.fields(plain(new), Mutable())
    if rules == replacements.fields(plain(old), Mutable()):
        assert updates_that_replace(there) == updates_that_replace(back)


def updates_that_replace(found: diff.Difference) -> set[str]:
    return {paths.write(change.path) for change in found.changes if change.replaces and change.kind is diff.Kind.UPDATE}


@always
@given(sprinkled())
def test_an_unknown_is_a_possible_change(new: Object) -> None:
    asked = checked(new)
    known = plain(values_known(asked))
    changed = [change.path for change in compared(known, known, asked).changes]
    unknown = [path for path in generated.leaves(plain(asked)) if paths.get(plain(asked), path) is UNKNOWN]
    assert [path for path in unknown if not any(path[: len(above)] == above for above in changed)] == []


def values_known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: values_known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [values_known(item) for item in value]
    if isinstance(value, Secret):
        return Secret(values_known(value.value))
    return "known" if value is UNKNOWN else value


words = st.sampled_from(["spec", "replicas", "containers", "metadata", "labels", "*", "a.b/c"])
wild = st.lists(st.one_of(words, st.integers(0, 3)), max_size=5)


@st.composite
def patterns(draw: Draw, obj: Object) -> str:
    """A path to something in the object, a part of one, one with `[*]` in it, or one to nowhere."""
    real: list[str | int] = list(draw(st.sampled_from([*generated.leaves(obj)])))
    if draw(st.booleans()) and real:
        real[draw(st.integers(0, len(real) - 1))] = "*"
    path = draw(
        st.one_of(st.just(real), st.just(real[: len(real) // 2]), st.just([*real, 0, "x"]), st.just([*real, "*"]), wild)
    )
    return paths.write(path).replace(".*", "[*]")


@always
@given(st.data(), pairs())
def test_ignored_paths_never_fail_and_hide_what_they_name(data: st.DataObject, pair: tuple[Object, Object]) -> None:
    old, new = map(checked, pair)
    ignore = data.draw(st.lists(patterns(plain(new)), max_size=3))
    live = data.draw(generated.given_back(check.normalise(plain(old))))
    left = compared(live, old, new, ignore=ignore)
    named = [paths.parse(text) for text in ignore]
    assert not [change for change in left.changes if any(paths.covers(pattern, change.path) for pattern in named)]
    assert set(told(left)) <= set(told(compared(live, old, new)))
    sent = objects.leave_to_others(plain(new), live, ignore, "turnout")
    assert sent["metadata"]["name"] == "x"


@always
@given(st.data(), sprinkled(unknowns=False))
def test_recorded_outputs_read_as_they_were_written(data: st.DataObject, new: Object) -> None:
    inputs = checked(new)
    live = data.draw(generated.given_back(plain(inputs)))
    recorded = decode(encode(state.outputs(plain(inputs), live, inputs, inputs["apiVersion"], "turnout")))
    assert state.parse(recorded) == (plain(inputs), live)
    assert state.manager(plain(inputs), recorded, "other") == "turnout"
    assert state.initial_version(recorded, {}) == inputs["apiVersion"]


@always
@given(sprinkled())
def test_values_come_back_over_the_wire(properties: Properties) -> None:
    assert decode(encode(properties)) == properties
    assert decode(encode(properties, keep_secrets=False)) == plain(properties)


@always
@given(sprinkled(unknowns=False))
def test_an_object_that_was_read_can_be_declared(new: Object) -> None:
    """What an import writes into the program shows no difference afterwards."""
    live = {**plain(checked(new)), "status": {"a": 1}}
    live["metadata"] = {**live["metadata"], "uid": "u", "resourceVersion": "1", "managedFields": []}
    imported = objects.importable(live)
    assert told(compared(live, imported, imported)) == []
    assert checked(imported)["metadata"]["name"] == "x"


@always
@given(generated.objects())
def test_a_hand_over_loses_no_field(obj: Object) -> None:
    entry = {"manager": "pulumi-kubernetes", "operation": "Update", "fieldsV1": owned(obj)}
    other = {"manager": "hpa", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    entries = ownership.handover([entry, other], "turnout")
    assert entries is not None and entries[0] == other
    assert entries[1]["manager"] == "turnout" and entries[1]["fieldsV1"] == entry["fieldsV1"]
    assert ownership.handover(entries, "turnout") is None, "once is enough"


def owned(value: Any) -> dict[str, Any]:
    return {f"f:{key}": owned(item) for key, item in value.items()} if isinstance(value, dict) else {}
