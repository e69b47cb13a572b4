"""The environments of this repository keep the pack at their tier; what is excepted has its reason."""

from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path

import pytest

from cli.engine.graph import ResourceGraph
from cli.engine.render import render
from cli.review import findings
from infra import policed
from infra.policies import BY_ID
from infra.settings import Settings, load

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 11, 21)
EVERY = ("dev", "staging", "prod")


@pytest.fixture(scope="module")
def graphs() -> dict[str, ResourceGraph]:
    return {environment: render(ROOT, environment) for environment in EVERY}


def settings(environment: str) -> Settings:
    return load(ROOT / f"Pulumi.{environment}.yaml", environment, placeholders=True)


@pytest.mark.parametrize("environment", EVERY)
def test_it_keeps_every_rule_of_its_tier(environment: str, graphs: dict[str, ResourceGraph]) -> None:
    found = findings.compared(findings.objects(graphs[environment]), None, settings(environment), today=TODAY)
    assert [(each.rule, each.where, each.message) for each in found if not each.excepted] == []


@pytest.mark.parametrize("environment", EVERY)
def test_what_is_excepted_needs_it_and_says_why(environment: str, graphs: dict[str, ResourceGraph]) -> None:
    found = findings.compared(findings.objects(graphs[environment]), None, settings(environment), today=TODAY)
    excepted = {(each.rule, each.where.replace(environment, "ENV")) for each in found if each.excepted}
    agents = {
        ("host-path", "DaemonSet ENV-agents/collector"),
        ("host-path", "DaemonSet ENV-agents/node-exporter"),
        ("pod-security-enforced", "Namespace ENV-agents"),
        ("run-as-non-root", "DaemonSet ENV-agents/collector"),
    }
    single = {
        ("two-replicas", f"StatefulSet ENV{where}")
        for where in ("/postgres", "/redis", "-monitoring/loki", "-monitoring/grafana")
    }
    assert excepted == (agents | single if environment == "prod" else agents)


def test_a_sandbox_is_judged_as_dev_whatever_it_rehearses() -> None:
    dev, prod = settings("dev"), settings("prod")
    rehearsal = prod.model_copy(update={"cluster": prod.cluster.model_copy(update={"sandbox": "main"})})
    assert policed.weights(rehearsal) == policed.weights(dev)
    assert policed.weights(prod) != policed.weights(dev)


def test_all_prod_rules_hold_for_something_of_prod_but_for_those_of_things_it_has_not(
    graphs: dict[str, ResourceGraph],
) -> None:
    judged = policed.judgement(findings.objects(graphs["prod"]).values(), settings("prod"), TODAY)
    unasked = {each.rule for each in judged.tallies if not (each.passed or each.failed or each.excepted)}
    assert unasked == {"route-backend", "tls"}
    assert {each.rule for each in judged.tallies} == set(BY_ID)


@pytest.mark.parametrize(("listener", "broken"), [("", ["tls"]), (", listener: https", [])])
def test_a_route_of_prod_names_the_listener_that_it_hangs_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: str, broken: list[str]
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "infra").mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    written = (ROOT / "Pulumi.prod.yaml").read_text()
    route = f"        public: true\n        route: {{ gateway: public, namespace: gateways{listener} }}\n"
    assert "        public: true\n" in written
    (tmp_path / "Pulumi.prod.yaml").write_text(written.replace("        public: true\n", route))
    made = load(tmp_path / "Pulumi.prod.yaml", "prod", placeholders=True)
    found = findings.compared(findings.objects(render(tmp_path, "prod")), None, made, today=TODAY)
    assert [each.rule for each in found if not each.excepted] == broken
