"""What a state file can be damaged by, each told for what it is."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from cli.engine import secrets
from cli.engine.store.checkpoint import examine
from cli.engine.store.layout import Stack
from tests.unit.engine.store.conftest import Kept

STACK = Stack("shop", "dev")


def test_state_export_and_packed_state_are_the_same(kept: Kept) -> None:
    document = kept.document("a", "b")
    export = {"version": 3, "deployment": document["checkpoint"]["latest"]}
    plain = json.dumps(document).encode()
    for data in (plain, json.dumps(export).encode(), gzip.compress(plain)):
        found = examine(data, STACK)
        assert (found.problems, found.resources) == ((), 2)
        assert found.deployment == document["checkpoint"]["latest"]
        assert examine(found.encoded(STACK, ".gz"), STACK).deployment == found.deployment


def test_never_applied_environment_is_whole() -> None:
    data = b'{"version":0,"checkpoint":{"stack":"organization/shop/dev"}}'
    assert examine(data, STACK).whole


def other_stack(document: dict[str, Any]) -> None:
    document["checkpoint"]["stack"] = "organization/shop/prod"


def other_urns(document: dict[str, Any]) -> None:
    document["checkpoint"]["latest"] = json.loads(
        json.dumps(document["checkpoint"]["latest"]).replace("pulumi:dev::shop", "pulumi:dev::blog")
    )


DAMAGED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "older": (lambda document: document.update(version=2), "old"),
    "oldest": (lambda document: document.update(version=1, latest={}) or document.pop("checkpoint"), "old"),
    "newer": (lambda document: document.update(version=5), "newer than this engine"),
    "no version": (lambda document: document.pop("version"), "layout is version None"),
    "features": (
        lambda document: document.update(version=4, features=["hooks", "warp"]),
        "features of a newer .* warp$",
    ),
    "edited": (lambda document: document["checkpoint"]["latest"]["manifest"].update(version="v1"), "mark does not fit"),
    "another stack": (other_stack, "the state of organization/shop/prod"),
    "another project": (other_urns, "belong to stack dev of project blog"),
    "no checkpoint": (lambda document: document.pop("checkpoint"), "neither checkpoint nor deployment"),
    "parent gone": (lambda document: document["checkpoint"]["latest"]["resources"].pop(0), "parent .* is missing"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_edited_state_is_refused_by_name(kept: Kept, damage: str) -> None:
    change, told = DAMAGED[damage]
    document = kept.document("a")
    change(document)
    found = examine(json.dumps(document).encode(), STACK)
    assert not found.whole
    assert any(re.search(told, problem.text) for problem in found.problems), found.problems


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("packed", [False, True])
def test_truncated_file_is_told_as_such(kept: Kept, share: float, packed: bool) -> None:
    data = kept.bytes("a", "b")
    data = gzip.compress(data) if packed else data
    (problem,) = examine(data[: int(len(data) * share)], STACK).problems
    assert "ends in the middle" in problem.text or "empty" in problem.text


def test_zstd_is_told_apart_from_damage() -> None:
    (problem,) = examine(b"\x28\xb5\x2f\xfd....", STACK).problems
    assert "zstd" in problem.text


def test_secrets_of_another_passphrase_are_told(kept: Kept) -> None:
    sealed = kept.crypter.encrypt('"hush"')
    data = kept.bytes("a", secret=sealed)
    assert kept.place.examine(data).problems == ()
    damaged = kept.place.examine(kept.bytes("a", secret=sealed[:-8] + "AAAAAAA=")).problems
    assert [problem.text for problem in damaged] == ["1 of its 1 secrets do not open: they are damaged"]
    document = kept.document("a", secret=sealed)
    document["checkpoint"]["latest"]["secrets_providers"]["state"]["salt"] = secrets.create("wrong").salt
    (problem,) = kept.place.examine(json.dumps(document).encode()).problems
    assert (problem.kind, "does not open" in problem.text) == ("secrets", True)
    document["checkpoint"]["latest"]["secrets_providers"]["state"]["salt"] = "v1:nonsense"
    (problem,) = kept.place.examine(json.dumps(document).encode()).problems
    assert "damaged" in problem.text
