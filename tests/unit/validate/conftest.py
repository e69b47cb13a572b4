from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.validate.checks import validate
from cli.validate.model import Finding
from tests.unit.validate.planted import Planted

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def found_before() -> frozenset[Finding]:
    """What is found in the repository as it is: notes alone, as a test says."""
    return frozenset(validate(ROOT).findings)


@pytest.fixture
def planted(tmp_path: Path, found_before: frozenset[Finding]) -> Planted:
    """The repository's own settings, rules, dashboards and runbooks, to plant faults in."""
    for file in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(file, tmp_path)
    for folder in ("components/prometheus", "components/grafana/dashboards", "runbooks"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "SSOT_LOCK.yml").write_text("schema: 1\nfacts: {}\n")
    return Planted(tmp_path, found_before)
