"""`turnout env diff`: how environments differ, and which of it their tiers bring."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.commands.env import app
from cli.engine.graph import Options, Resource, ResourceGraph
from cli.validate.parity import resources
from cli.validate.parity.compare import parity
from cli.validate.parity.model import Cell, Lone, Parity, Row
from cli.validate.parity.settings import rows, secrets
from cli.validate.project import Environment, load

ROOT = Path(__file__).resolve().parents[3]
STAGING, PROD = "Pulumi.staging.yaml", "Pulumi.prod.yaml"


@pytest.fixture(scope="module")
def shipped() -> Parity:
    """The repository's own staging and prod, rendered."""
    return parity(ROOT, ["staging", "prod"])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for file in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def both(root: Path) -> list[Environment]:
    found = load(root).environments
    return [found["staging"], found["prod"]]


def settings(root: Path) -> dict[str, tuple[object, object, str]]:
    return {
        row.path.removeprefix("turnout:"): (row.cells["staging"].value, row.cells["prod"].value, row.expected)
        for row in rows(both(root))
    }


def append(root: Path, file: str, text: str) -> None:
    path = root / file
    path.write_text(path.read_text() + text)


def test_what_a_file_sets_apart_is_told_with_its_line(shipped: Parity) -> None:
    [page] = [row for row in shipped.settings if row.path == "turnout:alertmanager.page"]

    line = [*(ROOT / PROD).read_text().splitlines()].index("    page: on-call") + 1
    assert page == Row(page.path, {"staging": Cell(None, "default"), "prod": Cell("on-call", f"{PROD}:{line}")})


def test_what_tiers_bring_is_expected(shipped: Parity) -> None:
    expected = {row.path: row.expected for row in shipped.settings}

    assert expected["turnout:app.services.api.rollout.soak"] == "tier"
    assert expected["turnout:rollout.approval"] == "tier"
    assert expected["turnout:postgres.storage"] == "tier"
    assert expected["turnout:app.workers.runner.replicas"] == "size"
    assert expected["turnout:cluster.context"] == "its own cluster"


def test_what_objects_have_by_their_tier_is_expected(shipped: Parity) -> None:
    told = {(row.path, row.expected) for row in shipped.fields}

    assert ("spec.template.spec.affinity", "tier") in told
    assert ("spec.template.spec.containers[loki].env[GOMEMLIMIT].value", "tier") in told
    assert Lone("PodDisruptionBudget ENV-monitoring/prometheus", ("prod",), "tier") in shipped.lone
    assert Lone("Secret ENV-monitoring/alertmanager-secret", ("prod",)) in shipped.lone


def test_only_what_the_files_say_is_left_to_look_at(shipped: Parity) -> None:
    left = {resource for row in shipped.fields if not row.expected for resource in row.resources}

    assert left == {
        "ConfigMap ENV-monitoring/alertmanager-config",
        "NetworkPolicy ENV-monitoring/alertmanager",
        "StatefulSet ENV-monitoring/alertmanager",
    }


def test_settings_by_equality(files: Path) -> None:
    before = settings(files)
    append(files, STAGING, "  turnout:rollout: { interval: 20 }\n  turnout:loki: { storage: 30Gi }\n")

    after = settings(files)
    assert {path: row for path, row in after.items() if before.get(path) != row} == {
        "rollout.interval": (20, 10, ""),
        "loki.storage": ("30Gi", "100Gi", "size"),
    }


def test_environments_that_are_alike_do_not_differ(files: Path) -> None:
    (files / PROD).write_text(
        (files / STAGING).read_text().replace("context: staging", "context: prod\n    tier: staging")
    )

    assert settings(files) == {"cluster.context": ("staging", "prod", "its own cluster")}


def test_secrets_are_told_by_whether_they_are_there(files: Path) -> None:
    append(files, STAGING, "  turnout:postgres: { password: { secure: v1:same } }\n")
    append(
        files,
        PROD,
        "  turnout:postgres: { password: { secure: v1:same } }\n  turnout:redis: { password: { secure: v1:b } }\n",
    )

    found = {row.path: {name: cell.value for name, cell in row.cells.items()} for row in secrets(both(files))}

    assert found == {
        "turnout:postgres.password": {"staging": "same ciphertext", "prod": "same ciphertext"},
        "turnout:redis.password": {"staging": "absent", "prod": "present"},
    }
    assert "v1:" not in json.dumps([row.to_json() for row in secrets(both(files))])


def graph(environment: str, **named: dict[str, object]) -> ResourceGraph:
    made = []
    for name, inputs in named.items():
        token = "kubernetes:core/v1:ConfigMap"
        pulumi_name = f"{environment}/{name}"
        urn = f"urn:pulumi:{environment}::turnout::{token}::{pulumi_name}"
        made.append(Resource(urn, token, pulumi_name, "", True, dict(inputs), (), {}, "", Options()))
    return ResourceGraph(environment, tuple(made), {})


def compared(**graphs: ResourceGraph) -> list[tuple[str, dict[str, object], tuple[str, ...]]]:
    found = resources.compare(graphs, {})[1]
    return [(row.path, {name: cell.value for name, cell in row.cells.items()}, row.resources) for row in found]


def test_names_of_environments_and_hashes_are_no_difference() -> None:
    def config(environment: str, content: str) -> dict[str, object]:
        labels = {"turnout.dev/content": content, "turnout.dev/environment": environment}
        metadata = {"name": f"web-{content}", "namespace": environment, "labels": labels}
        urls = f"http://api.{environment}.svc:8080 http://loki.{environment}-monitoring.svc /logs/{environment}_*/x"
        return {"metadata": metadata, "data": {"urls": urls, "role": f"turnout-{environment}", "null": "/dev/null"}}

    dev, qa = graph("dev", web=config("dev", "0123456789")), graph("qa", web=config("qa", "abcdef0123"))
    assert resources.compare({"dev": dev, "qa": qa}, {}) == ((), ())


def test_the_same_difference_of_many_is_one_row() -> None:
    one = graph("dev", a={"data": {"x": "1"}}, b={"data": {"x": "1"}}, c={"data": {"x": "1"}})
    other = graph("qa", a={"data": {"x": "2"}}, b={"data": {"x": "2"}}, c={"data": {"x": "3"}})

    assert compared(dev=one, qa=other) == [
        ("data.x", {"dev": "1", "qa": "2"}, ("ConfigMap ENV/a", "ConfigMap ENV/b")),
        ("data.x", {"dev": "1", "qa": "3"}, ("ConfigMap ENV/c",)),
    ]


def test_what_is_wholly_missing_is_one_row() -> None:
    one = graph("dev", a={"spec": {"x": 1}})
    other = graph("qa", a={"spec": {"x": 1, "deep": {"list": [{"name": "n", "v": 1}, {"name": "m", "v": 2}]}}})

    assert compared(dev=one, qa=other) == [
        ("spec.deep", {"dev": "not there", "qa": "there, with 4 fields"}, ("ConfigMap ENV/a",))
    ]


def test_three_environments_and_texts_by_their_first_difference() -> None:
    texts = {"dev": "a\nb\nc\n", "qa": "a\nB\nc\n", "prod": "a\nb\n"}
    graphs = {name: graph(name, a={"data": {"f": text}}) for name, text in texts.items()}

    assert compared(**graphs) == [
        (
            "data.f",
            {"dev": "line 2 of 3: b", "qa": "line 2 of 3: B", "prod": "line 2 of 2: b"},
            ("ConfigMap ENV/a",),
        )
    ]


def test_one_environment_is_refused() -> None:
    answer = CliRunner().invoke(app, ["diff", "dev", "dev"])

    assert str(answer.exception) == "there is nothing to compare with\nnext: turnout env diff staging prod"
