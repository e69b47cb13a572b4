"""Edits that change nothing: the hermetic preview of every environment shows no change."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.unit.review.repository import ENVIRONMENTS, Repository

Edit = Callable[[Repository], None]
_FILES = tuple(f"Pulumi.{name}.yaml" for name in ENVIRONMENTS)


def _rewritten(change: Callable[[Any], Any], *, flow: bool = False) -> Edit:
    """Every settings file written anew from its data."""

    def edit(repository: Repository) -> None:
        for name in _FILES:
            yaml = YAML(typ="safe")
            yaml.default_flow_style = flow
            data = change(yaml.load((repository.root / name).read_text()))
            with (repository.root / name).open("w") as file:
                yaml.dump(data, file)

    return edit


def _reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed_keys(value[key]) for key in reversed(value)}
    return value


def _reversed_calls(value: Any) -> Any:
    """What a part connects to is a set."""
    if isinstance(value, dict):
        return {k: list(reversed(v)) if k == "calls" else _reversed_calls(v) for k, v in value.items()}
    return value


def _spelt(section: str, **values: Any) -> Edit:
    """Values of a section, added to every environment."""

    def added(data: Any) -> Any:
        config = data["config"]
        config[f"turnout:{section}"] = {**(config.get(f"turnout:{section}") or {}), **values}
        return data

    return _rewritten(added)


def _text(pattern: str, replacement: str, *files: str) -> Edit:
    def edit(repository: Repository) -> None:
        for name in files:
            path = repository.root / name
            path.write_text(re.sub(pattern, replacement, path.read_text(), flags=re.MULTILINE))

    return edit


def _commented_code(repository: Repository) -> None:
    for path in sorted([*repository.root.glob("components/**/*.py"), *repository.root.glob("infra/*.py")]):
        path.write_text(path.read_text() + "\n\n# Nothing more.\n")


def _tidied_dashboards(repository: Repository) -> None:
    for path in repository.root.glob("components/grafana/dashboards/*.json"):
        path.write_text(json.dumps(json.loads(path.read_text()), indent=7))


def _commented_rules(repository: Repository) -> None:
    for path in repository.root.glob("components/prometheus/rules/*.yaml"):
        path.write_text("# By hand.\n" + path.read_text().replace("\n", "\n\n", 1))


EDITS: dict[str, Edit] = {
    "comments": _text(r"^config:", "# A note.\nconfig: # and another", *_FILES),
    "blank lines": _text(r"^  turnout", "\n\n  turnout", *_FILES),
    "quoted texts": _text(r"version: (\S+)", r'version: "\1"', *_FILES),
    "keys in another order": _rewritten(_reversed_keys),
    "what is called in another order": _rewritten(_reversed_calls),
    "a tier's default said again": _spelt("app", env={}),
    "flow style": _rewritten(lambda data: data, flow=True),
    "comments and blank lines in code": _commented_code,
    "dashboards indented otherwise": _tidied_dashboards,
    "comments in rules": _commented_rules,
}

EQUAL: dict[str, tuple[Edit, Edit]] = {
    "sizes": (_spelt("redis", storage="1Gi"), _spelt("redis", storage="1024Mi")),
    "durations": (
        _spelt("prometheus", retention="2d", scrape_interval="60s"),
        _spelt("prometheus", retention="48h", scrape_interval="1m"),
    ),
    "how long logs are kept": (_spelt("loki", retention="14d"), _spelt("loki", retention="2w")),
}
"""Two spellings of one value."""


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    yield Repository(tmp_path / "project")


def _told(repository: Repository, base: str = "HEAD") -> dict[str, Any]:
    found = repository.preview(base)
    assert {name: str(each.error) for name, each in found.items() if each.error} == {}
    return {name: [change.to_json() for change in each.plan.changes] for name, each in found.items()}


NOTHING: dict[str, list[Any]] = {name: [] for name in ENVIRONMENTS}


def test_edits_that_change_nothing_show_nothing(repository: Repository) -> None:
    """All at once, in the order that they do not undo each other; one that fails is told by its name."""
    for name, edit in EDITS.items():
        edit(repository)
        if not repository.git("status", "--porcelain"):
            pytest.fail(f"{name}: nothing was edited")
        repository.commit(name)
    first = repository.git("rev-list", "--max-parents=0", "HEAD")
    if _told(repository, first) != NOTHING:
        pytest.fail(f"shown as changes: {_culprits(repository)}")


def _culprits(repository: Repository) -> dict[str, Any]:
    commits = repository.git("rev-list", "--reverse", "HEAD").splitlines()
    found: dict[str, Any] = {}
    for name, before, after in zip(EDITS, commits, commits[1:], strict=False):
        plans = repository.preview(before, after)
        told = [f"{change.name} {change.to_json()['fields']}" for one in plans.values() for change in one.plan.changes]
        if told:
            found[name] = told[:3]
    return found


def test_two_spellings_of_one_value_are_one_value(repository: Repository) -> None:
    for one, _ in EQUAL.values():
        one(repository)
    before = repository.commit("one")
    for _, other in EQUAL.values():
        other(repository)
    assert repository.git("status", "--porcelain")
    assert _told(repository, before) == NOTHING


def test_a_real_edit_beside_them_is_shown(repository: Repository) -> None:
    EDITS["keys in another order"](repository)
    repository.edit("Pulumi.prod.yaml", "replicas: 4", "replicas: 5")
    told = _told(repository)
    assert (told["dev"], told["staging"]) == ([], [])
    fields = {change["name"]: [field["path"] for field in change["fields"]] for change in told["prod"]}
    assert fields == {"prod/runner": ["spec.replicas"], "turnout-prod/release.0": ["metadata.name"]}
