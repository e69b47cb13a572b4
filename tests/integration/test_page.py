"""The page of a preview in a real browser: it asks nothing of any network, says nothing, works by keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.engine.model import FieldChange, Operation
from cli.report import page
from cli.review.model import Blast, Finding, Level, Reason, Reviewed
from tests import axe, browser
from tests.unit.report.reviews import added, change, config, image, review

HOSTILE = (
    "</script><script>window.hit=1</script><img src=x onerror=window.hit=1>\"'><svg onload=window.hit=1>\u202e\x1b[2J"
)
RULES = "groups:\n- name: pods\n  rules:\n  - alert: Down\n    expr: up == 0\n    for: 5m\n"


def reviews() -> list[Reviewed]:
    """All that a page can show: two environments, each kind of change, a difference, a hostile name."""
    worst = change(
        "prod/db", FieldChange("spec.replicas", 2, 1), kind="kubernetes:apps/v1:StatefulSet", component="zz/db"
    )
    new = change("prod/new", operation=Operation.CREATE, component="new", after={"spec": {"replicas": 2.0}})
    gone = change("prod/old", operation=Operation.DELETE, component="old", before={"spec": {"x": "y" * 500}})
    rules = config("rules", "rules.yaml", RULES, RULES.replace("5m", "7m"))
    strange = change(f"prod/{HOSTILE}", added("spec.x", HOSTILE), component=HOSTILE)
    images = [image(name) for name in ("api", "web", "tools")]
    changes = [new, gone, rules, strange, *images, worst]
    prod = review(
        *changes,
        risk=Level.CRITICAL,
        reasons=(Reason(Level.CRITICAL, "data", "the database loses a copy", (worst.urn,), approval=True),),
        blast=Blast(pods_restarted=3, downtime=("the database",), services=tuple(f"prod/s{i}" for i in range(30))),
        findings=(Finding("root", "mandatory", "prod/db", HOSTILE, "mend it", new=True),),
        edges={image.urn: (worst.urn, new.urn) for image in images} | {worst.urn: (rules.urn,)},
    )
    return [review(image("api"), environment="dev"), prod, review(environment="staging", failed=HOSTILE)]


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Tab]:
    file = tmp_path_factory.mktemp("page") / "preview.html"
    file.write_text(page.document(reviews()), encoding="utf-8")
    with browser.tab() as opened:
        opened.open(file.as_uri())
        yield opened


@pytest.fixture
def fresh(tab: browser.Tab) -> browser.Tab:
    """The page as it opens."""
    tab.run("location.hash = ''")
    tab.call("Page.reload")
    tab.open(tab.run("location.href").split("#")[0])
    return tab


def focused(tab: browser.Tab) -> str:
    return str(tab.run("document.activeElement.textContent"))


def shown(tab: browser.Tab) -> list[str]:
    script = "[...document.querySelectorAll('details.change')].filter((c) => c.offsetParent).map((c) => c.textContent)"
    return list(tab.run(script))


def test_it_opens_on_the_worst_change(fresh: browser.Tab) -> None:
    assert "StatefulSet prod/db" in focused(fresh)
    assert fresh.run("document.activeElement.parentElement.open") is True
    assert fresh.run("document.querySelectorAll('details.change[open]').length") == 1


def test_j_and_k_go_from_change_to_change_and_enter_unfolds(fresh: browser.Tab) -> None:
    first = focused(fresh)
    fresh.press("j")
    second = focused(fresh)
    assert second != first
    assert fresh.run("document.activeElement.parentElement.open") is False
    fresh.press("Enter")
    assert fresh.run("document.activeElement.parentElement.open") is True
    fresh.press("k")
    assert focused(fresh) == first


def test_a_slash_filters_and_escape_goes_back(fresh: browser.Tab) -> None:
    fresh.press("/", *"rules.yaml")
    assert [text for text in shown(fresh) if "ConfigMap prod/rules" not in text] == []
    assert fresh.run("document.querySelector('#shown').textContent") == "1 of 9 changes shown"
    fresh.press("Escape")
    assert "ConfigMap prod/rules" in focused(fresh)


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [("environment", "dev", 1), ("operation", "delete", 1), ("component", "app/api", 2), ("level", "4", 1)],
)
def test_it_filters_by(fresh: browser.Tab, name: str, value: str, count: int) -> None:
    fresh.run(f"document.querySelector('#{name}').value = {json.dumps(value)}")
    fresh.run("document.querySelector('#filter').dispatchEvent(new Event('input'))")
    assert len(shown(fresh)) == count


def test_the_order_can_be_by_component(fresh: browser.Tab) -> None:
    fresh.run("document.querySelector('#order').value = 'place'")
    fresh.run("document.querySelector('#order').dispatchEvent(new Event('change'))")
    script = "[...document.querySelectorAll('.changes')][1].querySelectorAll('details')[0].dataset.place"
    assert fresh.run(script) == "0"


def test_a_question_mark_shows_the_keys_and_escape_closes_them(fresh: browser.Tab) -> None:
    fresh.press("?")
    assert fresh.run("document.querySelector('#keys').open") is True
    fresh.press("Escape")
    assert fresh.run("document.querySelector('#keys').open") is False


def test_a_node_of_the_graph_opens_its_change(fresh: browser.Tab) -> None:
    fresh.run(
        "document.querySelector('.graph a[aria-label=\"ConfigMap prod/rules\"]').dispatchEvent(new MouseEvent('click'))"
    )
    fresh.run("new Promise((done) => setTimeout(done, 50))")
    assert "ConfigMap prod/rules" in focused(fresh)
    assert fresh.run("document.activeElement.parentElement.open") is True


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_colours_follow_the_system_until_told_otherwise(fresh: browser.Tab, scheme: str) -> None:
    fresh.prefer(scheme)
    dark = "getComputedStyle(document.body).backgroundColor === 'rgb(20, 23, 27)'"
    assert fresh.run(dark) is (scheme == "dark")
    fresh.press("t")
    assert fresh.run(dark) is (scheme != "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(fresh: browser.Tab, scheme: str) -> None:
    fresh.prefer(scheme)
    fresh.press("o")
    fresh.run(f"{axe.script()}; 0")
    for state in ("", "document.querySelector('#help').click()"):
        fresh.run(f"{state}; 0")
        found: list[dict[str, Any]] = fresh.run("axe.run(document).then((found) => found.violations)")
        assert [told(one) for one in found] == []


def told(violation: dict[str, Any]) -> str:
    places = [f"{node['target']} {node.get('failureSummary', '')}" for node in violation["nodes"][:3]]
    return f"{violation['impact']}: {violation['id']}: {places}"


def test_axe_finds_a_fault_that_is_there(fresh: browser.Tab) -> None:
    fresh.run("document.querySelector('#text').closest('label').replaceWith(document.querySelector('#text')); 0")
    fresh.run(f"{axe.script()}; 0")
    found = fresh.run("axe.run(document).then((found) => found.violations.map((one) => one.id))")
    assert "label" in found


def test_it_asks_for_nothing_and_says_nothing(tab: browser.Tab) -> None:
    """Last: of everything that the tests above did."""
    asked = {address for address in tab.requests() if not address.startswith("data:")}
    assert {re.sub(r"#.*", "", address) for address in asked} == {tab.run("location.href").split("#")[0]}
    assert tab.said() == []
    assert tab.run("window.hit === undefined") is True


def test_its_policy_stops_what_it_did_not_bring(fresh: browser.Tab) -> None:
    fresh.run("document.body.insertAdjacentHTML('beforeend', '<img src=\"https://evil.example/x.png\">'); 0")
    fresh.run("fetch('https://evil.example/').catch(() => 0)")
    fresh.run(
        "{ const own = document.createElement('script'); own.text = 'window.hit = 1'; document.body.append(own) }"
    )
    assert fresh.run("window.hit === undefined") is True
    assert any("Content Security Policy" in text for text in fresh.said())


def test_two_thousand_changes_open(tmp_path: Path) -> None:
    many = [change(f"prod/s{i}", FieldChange("spec.x", i, i + 1), component=f"app/s{i % 50}") for i in range(2000)]
    edges = {one.urn: tuple(other.urn for other in many[i : i + 3]) for i, one in enumerate(many[1:])}
    file = tmp_path / "large.html"
    file.write_text(page.document([review(*many, edges=edges)]), encoding="utf-8")
    with browser.tab() as opened:
        opened.open(file.as_uri())
        assert opened.run("document.querySelectorAll('details.change').length") == 2000
        opened.press("j", "j")
        assert "prod/s" in focused(opened)
        timing = opened.run("performance.getEntriesByType('navigation')[0].loadEventEnd")
        print(f"{file.stat().st_size / 1e6:.1f} MB, loaded in {timing:.0f} ms")
        assert opened.said() == []
