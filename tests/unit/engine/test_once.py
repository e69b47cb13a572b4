"""What of a plan is told to the state before a run that writes it once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.engine import once
from cli.engine.cutoff import OPERATIONS
from cli.engine.events import State, Step
from cli.engine.store import place as places
from cli.engine.store.place import Place

KIND = "kubernetes:core/v1:ConfigMap"


def state(name: str, **notes: str) -> State:
    metadata: dict[str, Any] = {"name": name, "namespace": "dev", "annotations": notes}
    return State("", {"metadata": metadata}, {}, retain_on_delete=False, id=f"dev/{name}", provider="p::1")


def step(word: str, old: State | None, new: State | None, kind: str = KIND) -> Step:
    return Step(word, f"urn:pulumi:dev::turnout::{kind}::map", kind, old, new, (), None)


def told(*steps: Step) -> list[str]:
    return [OPERATIONS[each.operation] for each in once.changing(steps)]


def test_what_changes_nothing_in_a_cluster_is_not_told() -> None:
    same, component = step("same", state("a"), state("a")), step("create", None, state("a"), "turnout:app:App")
    assert told(same, component, step("create", None, state("a"), "pulumi:providers:kubernetes")) == []
    assert told(step("create", None, state("a")), step("delete", state("b"), None)) == ["creating", "deleting"]


def test_a_replacement_under_the_same_name_reads_like_an_update() -> None:
    assert told(step("replace", state("a"), state("a"))) == ["updating"]
    assert told(step("create-replacement", state("a"), state("b"))) == ["creating", "deleting"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "Pulumi.yaml").write_text("name: turnout\n")
    return places.of(tmp_path, "dev", {}, f"file://{tmp_path}/state")


def test_a_made_up_name_cannot_be_told_beforehand(place: Place) -> None:
    enough = [step("create", None, state(f"m{number}")) for number in range(once.LEAST_STEPS)]
    assert once.pays(place, enough)
    assert not once.pays(place, enough[1:])
    assert not once.pays(place, [*enough, step("create", None, state("x-1f2e", **{"pulumi.com/autonamed": "true"}))])


@pytest.mark.parametrize(
    ("size", "chosen", "expected"),
    [(once.LEAST_BYTES, "", True), (10, "", False), (10, "once", True), (once.LEAST_BYTES, "each", False)],
)
def test_the_size_of_the_state_decides_unless_somebody_does(
    place: Place, size: int, chosen: str, expected: bool
) -> None:
    asked = places.of(place.root, "dev", {once.CHOICE: chosen} if chosen else {}, place.bucket.url)
    assert once.may_pay(asked) is False, "there is no state yet"
    asked.bucket.write(asked.stack.state, b" " * size)
    assert once.may_pay(asked) is expected


def test_what_is_settled_is_no_longer_pending() -> None:
    rows = [{"type": "creating", "resource": {"urn": name}} for name in ("a", "b")]
    assert once.without({"resources": [], "pending_operations": rows}, {"a"})["pending_operations"] == rows[1:]
    assert "pending_operations" not in once.without({"resources": [], "pending_operations": rows}, {"a", "b"})
