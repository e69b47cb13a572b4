"""What a refusal says, and that it comes before anything is touched."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import infra.program
from cli.errors import Refused
from cli.review import policing
from cli.review.model import Finding
from infra.settings import Settings, load
from tests.unit.policies.test_findings import PROD, broken_by, plan

ROOT = Path(__file__).parents[3]


def finding(number: int, level: str = "mandatory", excepted: str = "") -> Finding:
    return Finding("host-path", level, f"Pod prod/{number}", "mounts /", "an emptyDir", excepted=excepted)


def test_a_mandatory_finding_refuses_by_name_with_what_to_do_instead() -> None:
    with pytest.raises(Refused) as refused:
        policing.plan_must_hold(ROOT, plan(broken_by("host-path")), PROD)
    assert str(refused.value).splitlines() == [
        "prod breaks host-path; nothing was touched",
        "why: host-path: Deployment shop/web: mounts /var/log of its node; "
        "instead: an emptyDir for scratch space, a claim for data, a ConfigMap or Secret for files",
        "next: mend it, or except it under turnout:review.exceptions in Pulumi.prod.yaml "
        "(turnout policy show host-path)",
    ]
    assert refused.value.exit_code == 4


def test_many_objects_are_counted_not_listed() -> None:
    with pytest.raises(Refused, match=r"Pod prod/2: mounts / and 4 more findings; instead"):
        policing.must_hold("prod", [finding(number) for number in range(7)])


@pytest.mark.parametrize("harmless", [finding(1, level="advisory"), finding(1, excepted="team: for now")])
def test_advice_and_exceptions_refuse_nothing(harmless: Finding) -> None:
    policing.must_hold("prod", [harmless])


@pytest.fixture
def dev() -> Settings:
    return load(ROOT / "Pulumi.dev.yaml", "dev", placeholders=True)


def test_the_environments_of_this_repository_are_let_through(dev: Settings) -> None:
    policing.Look(ROOT, dev).must_hold()


@pytest.fixture
def latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose settings name no version."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "infra").mkdir()
    (tmp_path / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    settings = (ROOT / "Pulumi.dev.yaml").read_text().replace("version: 1.0.0", "version: latest")
    (tmp_path / "Pulumi.dev.yaml").write_text(settings)
    return tmp_path


def test_what_the_settings_make_of_an_environment_is_refused(latest: Path, dev: Settings) -> None:
    with pytest.raises(Refused, match="dev breaks image-latest"):
        policing.Look(latest, dev).must_hold()


def test_a_program_that_may_not_be_run_twice_is_not(
    latest: Path, dev: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(infra.program, "hermetic")
    monkeypatch.setattr(infra.program, "program", lambda: pytest.fail("it was run"))
    policing.Look(latest, dev).must_hold()
    policing.plan_must_hold(latest, plan(broken_by("host-path")), PROD)
