"""This repository keeps to its own lock, and what the lock calls an agreed copy is held to its source."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from cli import errors
from cli.validate.checks import validate
from cli.validate.ssot.check import load

ROOT = Path(__file__).resolve().parents[3]


def test_nothing_is_defined_twice() -> None:
    found = [each for each in validate(ROOT).findings if each.rule in ("lock", "second-definition", "source-gone")]

    assert [str(each.places[0]) + each.message for each in found if not each.accepted] == []


def test_every_kind_of_setting_has_facts() -> None:
    lock = load(ROOT).lock

    assert lock is not None
    kinds = {"deployment", "configuration", "secrets", "monitoring", "logging", "operations"}
    assert {kind for kind, facts in lock.facts.items() if facts} == kinds


def test_types_are_checked_for_the_oldest_python_that_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert project["project"]["requires-python"] == f">={project['tool']['mypy']['python_version']}"


def test_the_tree_of_errors_says_the_codes_that_there_are() -> None:
    tree = dict(re.findall(r"^[├└─ ]*(\w+) +(\d) ", errors.__doc__ or "", re.MULTILINE))

    assert tree == {name: str(getattr(errors, name).exit_code) for name in tree}
    assert {int(code) for code in tree.values()} | {0, errors.CHANGES_PRESENT} == errors.CODES.keys()
