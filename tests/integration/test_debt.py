"""What a rollback owes the state: previews warn of it, repair and destroy settle it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cli.rollout import releases
from cli.rollout.book import Debt
from components import names, record
from tests.integration.cut_off import Shop, shop

__all__ = ["shop"]

pytestmark = pytest.mark.cluster


def _colour(shop: Shop, colour: str) -> None:
    shop.want(f"{shop.name}/colours", "v1", "ConfigMap", named="colours", data={"colour": colour})


def _roll_back(shop: Shop) -> None:
    """As a rollback from a machine without the state does: the object of then, its record, and the debt."""
    then = shop.objects[f"{shop.name}/colours"]["manifest"]
    made = record.encode(shop.name, f"turnout-{shop.name}", [then], {"turnout.dev/environment": shop.name})
    for piece in made.manifests:
        shop.kube.create(piece, "turnout")
    shop.kube.apply(then, "turnout", force=True)
    debt = Debt(1, made.name)
    releases.change(shop.kube, shop.name, lambda book: dataclasses.replace(book, debt=debt))


def test_a_rollbacks_debt_is_warned_of_and_settled(shop: Shop) -> None:
    _colour(shop, "red")
    shop.run("up", "--yes")
    _colour(shop, "blue")
    shop.run("up", "--yes")
    _colour(shop, "red")
    _roll_back(shop)
    [plan] = shop.json("preview")["environments"]
    assert "release 1" in str(plan["diagnostics"])
    assert plan["counts"].get("same") != sum(plan["counts"].values()), "the state does not know of it yet"
    said = shop.run("preview", "--save", "saved.plan", expect=1)
    assert f"next: turnout repair {shop.name}, then turnout preview {shop.name} --save saved.plan" in said
    [item] = shop.json("repair", expect=3)["findings"]
    assert (item["kind"], item["action"]) == ("debt", "bring the state to that release")
    shop.run("repair", "--yes")
    assert releases.load(shop.kube, shop.name).debt is None
    [plan] = shop.json("preview")["environments"]
    assert (plan["counts"].keys(), _warnings(plan)) == ({"same"}, [])
    _colour(shop, "blue")
    shop.run("up", "--yes")
    _colour(shop, "red")
    shop.kube.delete("v1", "ConfigMap", _record(shop), f"turnout-{shop.name}")
    _roll_back(shop)
    shop.run("destroy", "--yes")
    assert releases.load(shop.kube, shop.name).debt is None
    assert shop.recorded() == set()


def _warnings(plan: dict[str, Any]) -> list[str]:
    return [one["message"] for one in plan["diagnostics"] if one["severity"] != "info"]


def _record(shop: Shop) -> str:
    labels = f"{names.KIND}={names.RELEASE_RECORD}"
    [found] = shop.kube.list("v1", "ConfigMap", f"turnout-{shop.name}", labels=labels)
    return str(found["metadata"]["name"])
