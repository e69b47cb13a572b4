"""Which environments a preview is about."""

from pathlib import Path

import pytest

from cli.engine.model import Mode
from cli.errors import UsageError
from cli.review import scope


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("prod", "anna", "dev", "staging"):
        (tmp_path / f"Pulumi.{name}.yaml").write_text("config: {}\n")
    (tmp_path / "Pulumi.yaml").write_text("name: turnout\n")
    return tmp_path


def test_every_environment_in_the_order_that_changes_take(project: Path) -> None:
    assert scope.environments(project, (), every=True) == ("dev", "staging", "prod", "anna")


def test_named_ones_once_in_the_order_given(project: Path) -> None:
    assert scope.environments(project, ("prod", "dev", "prod"), every=False) == ("prod", "dev")


@pytest.mark.parametrize(("named", "every"), [((), False), (("dev",), True)])
def test_none_and_both_are_refused(project: Path, named: tuple[str, ...], every: bool) -> None:
    with pytest.raises(UsageError):
        scope.environments(project, named, every=every)


def test_a_base_means_hermetic_and_nothing_means_live() -> None:
    assert scope.mode(None, base="", head="") is Mode.LIVE
    assert scope.mode(None, base="main", head="") is Mode.HERMETIC
    assert scope.mode(Mode.HERMETIC, base="", head="") is Mode.HERMETIC
    assert scope.mode(Mode.STATE, base="", head="") is Mode.STATE


@pytest.mark.parametrize(
    ("wanted", "base", "head", "targets"),
    [(Mode.LIVE, "main", "", ()), (Mode.STATE, "", "x", ()), (None, "", "x", ()), (None, "main", "", ("urn",))],
)
def test_what_does_not_go_together_is_refused(
    wanted: Mode | None, base: str, head: str, targets: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError):
        scope.mode(wanted, base=base, head=head, targets=targets)
