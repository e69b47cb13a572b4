"""SSOT_LOCK.yml: for every way in which it looks, a second definition that is planted is named, beside its source."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from cli.errors import UsageError
from cli.validate.model import Finding
from cli.validate.project import Project
from cli.validate.ssot.accept import Agreement, accept
from cli.validate.ssot.check import check, load
from cli.validate.ssot.files import matches
from cli.validate.ssot.model import FILE, Lock

ROOT = Path(__file__).resolve().parents[3]
PYTHON = "cli/more.py"
YAML = "deploy/more.yaml"
WORKFLOW = ".github/workflows/more.yml"
DIGEST = "sha256:539ceaaae49b3a7c8a04467cf00cc6788d8e3f1675df41860d86eebc4c40524f"

# fact, number of the look: file to plant, its text, the line that is named
PLANTS: dict[tuple[str, int], tuple[str, str, int]] = {
    ("what-runs", 0): (YAML, "apiVersion: apps/v1\nkind: Deployment\n", 2),
    ("what-runs", 1): ("deploy/docker-compose.yaml", "services: {}\n", 1),
    ("app-image", 0): (YAML, "x:\n  image: example/agents:1.0\n", 2),
    ("app-image", 1): ("components/more.py", 'IMAGE = "example/agents:" + VERSION\n', 1),
    ("replicas", 0): (YAML, "spec:\n  replicas: 3\n", 2),
    ("replicas", 1): ("components/more.py", "def f():\n    return Spec(replicas=3)\n", 2),
    ("versions", 0): ("docs/more.md", f"Pull it:\n\n    postgres@{DIGEST}\n", 3),
    ("versions", 1): (PYTHON, 'def f():\n    return "prom/prometheus:v3.15.0"\n', 2),
    ("versions", 2): (PYTHON, 'ETCD_VERSION = "3.7.3"\n', 1),
    ("versions", 3): ("tools/Dockerfile", "# x\nFROM debian:12\n", 2),
    ("namespaces", 0): (PYTHON, 'def f(name):\n    return f"{name}-monitoring"\n', 2),
    ("namespaces", 1): ("cli/rollout/more.py", 'def f(name):\n    return f"turnout-{name}"\n', 2),
    ("tiers", 0): (PYTHON, 'A, TIERS = 1, ("dev", "staging", "prod")\n', 1),
    ("settings", 0): (YAML, "config:\n  turnout:app: {}\n", 2),
    ("settings", 1): (WORKFLOW, "on: push\n# pulumi config set turnout:app.version 2\n", 2),
    ("environment-variables", 0): ("infra/more.py", 'import os\n\nA = os.environ["RETENTION"]\n', 3),
    ("ports", 0): ("components/zoo.py", "PORT = 9090\n", 1),
    ("ports", 1): ("components/more.py", "A = Spec(port=1234)\nB = Spec(port=1234)\n", 2),
    ("labels", 0): (PYTHON, 'A = "turnout.dev/track"\n', 1),
    ("field-managers", 0): (PYTHON, 'A = "turnout-rollout"\nB = ("turnout-rollout",)\n', 2),
    ("folders", 0): (PYTHON, 'A = "XDG_CACHE_HOME"\n', 1),
    ("secrets", 0): (YAML, "password:\n  secure: v1:abc\n", 2),
    ("secrets", 1): (YAML, "kind: Secret\n", 1),
    ("secrets", 2): ("app/.env", "A=1\n", 1),
    ("secrets", 3): (PYTHON, 'ADMIN_PASSWORD = "correct-horse"\n', 1),
    ("secrets", 4): (WORKFLOW, "env:\n  PULUMI_CONFIG_PASSPHRASE: correcthorse\n", 2),
    ("alert-rules", 0): (YAML, "groups:\n  - rules:\n      - alert: A\n        expr: up == 0\n", 3),
    ("alert-rules", 1): (PYTHON, 'A = {\n    "alert": "A",\n    "expr": "up == 0",\n}\n', 1),
    ("dashboards", 0): ("deploy/more.json", '{\n"panels": []}\n', 2),
    ("dashboards", 1): (PYTHON, 'A = {"panels": [], "title": "x"}\n', 1),
    ("objectives", 0): (PYTHON, "A = Slo(objective=99.9)\n", 1),
    ("objectives", 1): (YAML, "slo:\n  objective: 99.9\n", 2),
    ("metrics", 0): (PYTHON, 'A = "http_server_request_duration_seconds"\n', 1),
    ("runbook-links", 0): (YAML, "annotations:\n  runbook_url: https://wiki/x\n", 2),
    ("runbook-links", 1): (PYTHON, 'A = {"runbook": "runbooks/x.md"}\n', 1),
    ("receivers", 0): (YAML, "receivers:\n  - slack_configs: []\n", 2),
    ("receivers", 1): (PYTHON, 'A = {"receivers": [], "route": {}}\n', 1),
    ("scrape-intervals", 0): (PYTHON, 'A = {"scrape_interval": "15s"}\n', 1),
    ("scrape-intervals", 1): (YAML, "global:\n  scrape_interval: 15s\n", 2),
    ("retention", 0): (PYTHON, 'A = {"retention_period": "30d"}\n', 1),
    ("retention", 1): ("components/more.py", 'A = ["--storage.tsdb.retention.time=30d"]\n', 1),
    ("retention", 2): (YAML, "limits_config:\n  retention_period: 30d\n", 2),
    ("log-streams", 0): (PYTHON, "A = '{job=\"turnout-audit\"}'\n", 1),
    ("log-files", 0): ("components/more.py", 'A = "/var/log/pods"\n', 1),
    ("exit-codes", 0): (PYTHON, "def f():\n    raise typer.Exit(5)\n", 2),
    ("exit-codes", 1): (PYTHON, 'def f():\n    raise TurnoutError("x", exit_code=4)\n', 2),
    ("exit-codes", 2): ("cli/commands/more.py", "LOCKED = 5\n", 1),
    ("exit-codes", 3): ("docs/more.md", "| Code | Meaning |\n|---|---|\n| 5 | locked |\n", 3),
    ("reference", 0): ("docs/settings.md", "# Settings\n\nby hand\n", 3),
    ("runbooks", 0): ("docs/runbooks/AppDown.md", "# AppDown\n", 1),
    ("rights", 0): (YAML, "kind: ClusterRole\n", 1),
    ("wire-format", 0): (PYTHON, 'A = "pulumi:pulumi:Stack"\n', 1),
    ("python-version", 0): (WORKFLOW, "with:\n  python-version: 3.12\n", 2),
    ("checks", 0): (WORKFLOW, "steps:\n  - run: ruff check .\n", 2),
}
SOURCES = (
    *("SSOT_LOCK.yml", "Pulumi.dev.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml", "Pulumi.yaml", "pyproject.toml"),
    *("Makefile", ".ci/run", "cli/errors.py", "cli/paths.py", "cli/protocol.py", "cli/reference.py", "infra/model.py"),
    *("infra/program.py", "cli/rollout/moves.py"),
)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's sources, and nothing that has to be looked through for long."""
    folder = tmp_path_factory.mktemp("base")
    for file in SOURCES:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder / file)
    ignored = shutil.ignore_patterns("__pycache__")
    for part in ("components", "runbooks"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    return folder


@pytest.fixture
def project(base: Path, tmp_path: Path) -> Path:
    shutil.copytree(base, tmp_path / "project")
    return tmp_path / "project"


def lock() -> Lock:
    found = load(ROOT).lock
    assert found is not None
    return found


def only(root: Path, fact: str) -> None:
    """Leaves one fact in a project's lock: the others would only take their time."""
    from ruamel.yaml import YAML

    yaml = YAML()
    document = yaml.load((root / FILE).read_text())
    kept = {
        kind: {name: said for name, said in facts.items() if name == fact} for kind, facts in document["facts"].items()
    }
    document["facts"] = {kind: facts for kind, facts in kept.items() if facts}
    with (root / FILE).open("w") as file:
        yaml.dump(document, file)


def write(root: Path, file: str, text: str) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text)


def seconds(root: Path) -> list[Finding]:
    """Second definitions that nobody agreed to."""
    found = check(Project(root, {}))
    return [each for each in found if each.rule == "second-definition" and not each.accepted]


def test_a_second_definition_is_planted_for_every_look() -> None:
    assert {(name, at) for name, fact in lock().all().items() for at in range(len(fact.second))} == PLANTS.keys()


@pytest.mark.parametrize(("fact", "look"), PLANTS, ids=[f"{fact}-{look}" for fact, look in PLANTS])
def test_a_second_definition_is_named_beside_its_source(project: Path, fact: str, look: int) -> None:
    file, text, line = PLANTS[fact, look]
    only(project, fact)
    assert seconds(project) == []

    write(project, file, text)

    found = [each for each in seconds(project) if (each.places[0].file, each.places[0].line) == (file, line)]
    assert found, seconds(project)
    assert all(f"--accept {fact} --at '{file}" in each.remedy for each in found)
    sources = lock().all()[fact].source
    beside = [place.file for place in found[0].places[1:]]
    if sources:
        assert all(
            any(matches(place, [spot.partition("#")[0]]) or place in sources for spot in sources) for place in beside
        )
    assert beside


def test_a_source_that_is_gone_is_an_error_at_its_line_of_the_lock(project: Path) -> None:
    only(project, "log-files")
    write(project, "components/collector/settings.py", "class CollectorSettings:\n    logs = 1\n")

    [found] = check(Project(project, {}))

    assert (found.rule, found.level.value) == ("source-gone", "error")
    assert found.places[0].path == "logging.log-files.source.0"
    spot = "components/collector/settings.py#CollectorSettings.pod_logs"
    assert (project / FILE).read_text().splitlines()[found.places[0].line - 1].strip().endswith(f"[{spot}]")


def test_a_source_that_moved_is_accepted_with_who_and_why(project: Path) -> None:
    only(project, "log-files")
    old, new = "components/collector/settings.py", "components/collector/paths.py"
    write(project, old, "class CollectorSettings:\n    logs = 1\n")
    write(project, new, 'POD_LOGS = "/var/log/pods"\n')

    said = accept(
        project, Agreement("log-files", f"{new}#POD_LOGS", "one place for all paths", "ada"), date(2026, 1, 2)
    )

    assert (
        said
        == f"SSOT_LOCK.yml: log-files: its source is {new}#POD_LOGS now, and no longer {old}#CollectorSettings.pod_logs"
    )
    assert list(check(Project(project, {}))) == []
    fact = load(project).lock.all()["log-files"]  # type: ignore[union-attr]
    [moved] = fact.moved
    assert (moved.from_, moved.owner, moved.on) == (f"{old}#CollectorSettings.pod_logs", "ada", date(2026, 1, 2))


def test_a_copy_that_is_agreed_to_is_no_fault_any_more(project: Path) -> None:
    only(project, "metrics")
    write(project, PYTHON, 'A = "http_server_request_duration_seconds"\n')
    assert len(seconds(project)) == 1

    accept(project, Agreement("metrics", f"{PYTHON}#A", "loaded where components are not", "ada"), date(2026, 1, 2))

    [found] = check(Project(project, {}))
    assert found.accepted == "ada: loaded where components are not"


def test_an_agreed_copy_that_is_gone_is_told(project: Path) -> None:
    only(project, "metrics")
    write(project, PYTHON, 'A = "http_server_request_duration_seconds"\n')
    accept(project, Agreement("metrics", f"{PYTHON}#A", "loaded where components are not", "ada"), date(2026, 1, 2))
    (project / PYTHON).unlink()

    [found] = check(Project(project, {}))
    assert (found.rule, found.level.value) == ("source-gone", "warning")
    assert found.message.startswith(f"{PYTHON}#A no longer defines")


@pytest.mark.parametrize(
    ("agreed", "told"),
    [
        (Agreement("metrix", PYTHON, "a reason to do so", "ada"), "has no fact metrix; did you mean 'metrics'?"),
        (Agreement("metrics", PYTHON, "a reason to do so", "ada"), f"nothing at {PYTHON} defines"),
        (Agreement("metrics", PYTHON, "short", "ada"), "needs an owner and a reason"),
        (Agreement("metrics", PYTHON, "a reason to do so", " "), "needs an owner and a reason"),
    ],
)
def test_what_cannot_be_agreed_to_changes_nothing(project: Path, agreed: Agreement, told: str) -> None:
    before = (project / FILE).read_text()

    with pytest.raises(UsageError, match=told.replace("?", r"\?")):
        accept(project, agreed, date(2026, 1, 2))

    assert (project / FILE).read_text() == before


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        ("look: yaml-key", "look: yaml", "facts.deployment.what-runs.second.0", "yaml"),
        ("what: the tiers", "wat: the tiers", "facts.deployment.tiers", "Field required"),
        ("schema: 1", "schema: 2", "schema", "1"),
        ("  secrets:\n    secrets:", "  secrets:\n    metrics:", "", "two facts have one name"),
    ],
)
def test_a_fault_of_the_lock_is_named_with_its_line(project: Path, old: str, new: str, place: str, told: str) -> None:
    text = (project / FILE).read_text()
    assert old in text
    write(project, FILE, text.replace(old, new, 1))

    found = list(check(Project(project, {})))

    assert {each.rule for each in found} == {"lock"}
    assert any(each.places[0].path.startswith(place) and told in each.message for each in found), found
    assert all(each.places[0].line >= 1 for each in found)


def test_where_there_never_was_a_lock_it_is_a_warning_that_says_how_to_make_one(tmp_path: Path) -> None:
    [found] = check(Project(tmp_path, {}))
    assert (found.rule, found.level.value) == ("lock", "warning")
    assert "`facts: {}`" in found.remedy

    write(tmp_path, FILE, "schema: 1\nfacts: {}\n")
    assert list(check(Project(tmp_path, {}))) == []


@pytest.mark.parametrize("committed", [False, True], ids=["in the checkout", "by a commit"])
def test_a_lock_that_was_taken_out_is_an_error_that_says_how_to_get_it_back(tmp_path: Path, *, committed: bool) -> None:
    words = ("git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-C", str(tmp_path))

    def git(*more: str) -> None:
        subprocess.run([*words, *more], check=True, capture_output=True)

    git("init", "-q")
    write(tmp_path, FILE, "schema: 1\nfacts: {}\n")
    git("add", FILE)
    git("commit", "-qm", "the lock")
    git("rm", "-q", FILE)
    if committed:
        git("commit", "-qm", "no lock")

    [found] = check(Project(tmp_path, {}))
    assert (found.rule, found.level.value) == ("lock", "error")

    git(*found.remedy.removeprefix("git ").split())
    assert list(check(Project(tmp_path, {}))) == []
