"""No secret of a hermetic preview is in any output: of every place in the settings that holds one, and of what nobody
marked. Between the two commits all of them change."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.engine import secrets as sealing
from cli.report import publish
from cli.report.publish import Wanted
from cli.review import planned
from tests.planting import Generator, seen
from tests.unit.review.repository import Repository

SERVICES = {"services": ("api", "tools"), "workers": ("runner",), "jobs": ("sweep",)}
FILES = tuple(
    f"app.{group}.{name}.secrets.file{number}"
    for group, names in SERVICES.items()
    for name in names
    for number in range(10)
)
SECTIONS = ("postgres.password", "redis.password", "grafana.admin_password", "alertmanager.heartbeat.key")
PLAIN = ("DB_PASSWORD", "DB_PASS", "MYSQL_PWD", "API_TOKEN", "DATABASE_URL", "HOOK", "AUTHORIZATION", "OPTIONS")
BESIDE = ("argument", "file")
"""Not in variables: the word after an argument, and within a line of a configuration file."""
SHAPES = {
    "DATABASE_URL": "postgres://user:{}@db/x",
    "HOOK": "https://x.example/hook?token={}",
    "AUTHORIZATION": "Bearer {}",
    "OPTIONS": "--verbose --password={}",
}
ENVIRONMENT = "prod"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "project")


def plant(repository: Repository, values: dict[str, str], before: str) -> None:
    """The secrets in the settings of prod: encrypted where the model knows of them, plain in variables."""
    from ruamel.yaml import YAML

    crypter = sealing.create("a passphrase that no preview has")
    yaml = YAML()
    document = yaml.load(before)
    config = document["config"]
    for path in (*FILES, *SECTIONS):
        section, *steps, last = path.split(".")
        place = config.setdefault(f"turnout:{section}", {})
        for step in steps:
            place = place.setdefault(step, {})
        place[last] = {"secure": crypter.encrypt(values[path])}
    api = config["turnout:app"]["services"]["api"]
    api.setdefault("env", {}).update({name: SHAPES.get(name, "{}").format(values[name]) for name in PLAIN})
    api["args"] = ["--password", values["argument"], "--verbose"]
    api["config"] = {"path": "/etc/api", "files": {"a.yaml": f"auth: {{user: a, password: {values['file']}}}\n"}}
    document["encryptionsalt"] = crypter.salt
    with (repository.root / f"Pulumi.{ENVIRONMENT}.yaml").open("w") as file:
        yaml.dump(document, file)


def test_no_secret_of_the_settings_is_in_any_output(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = Generator()
    places = (*FILES, *SECTIONS, *PLAIN, *BESIDE)
    old, new = generator.values(places), generator.values(places)
    before = (repository.root / f"Pulumi.{ENVIRONMENT}.yaml").read_text()
    plant(repository, old, before)
    base = repository.commit("planted")
    plant(repository, new, before)
    found = repository.preview(base, names=(ENVIRONMENT,))[ENVIRONMENT]
    assert found.error is None, found.error
    reviews = [planned.reviewed(found)]
    kinds = ("markdown", "html", "junit", "sarif")
    files = {kind: tmp_path / kind for kind in kinds}
    markdown, html, junit, sarif = (str(files[kind]) for kind in kinds)
    publish.publish(reviews, Wanted(False, markdown, html, junit, sarif, max_bytes=1_000_000))
    outputs = {kind: file.read_bytes() for kind, file in files.items()}
    outputs |= {"terminal": capsys.readouterr().out.encode(), "json": publish.as_json(reviews).encode()}
    leaks = {
        f"{kind}: {which} {place}"
        for kind, content in outputs.items()
        for which, values in (("old", old), ("new", new))
        for place in seen(values, content)
    }
    assert leaks == set(), generator
    assert len(places) >= 50
    for name in ("DB_PASSWORD", "DB_PASS", "DATABASE_URL"):
        assert all(name.encode() in outputs[kind] for kind in ("terminal", "json", "html", "markdown"))
    changed = {change.name for change in found.plan.changes if change.kind == "Secret"}
    assert {f"prod/{name}-secret" for name in ("api", "tools", "runner", "sweep", "redis")} <= changed
