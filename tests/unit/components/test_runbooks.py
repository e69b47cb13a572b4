"""Each runbook page says the same four things, in the same order, and belongs to an alert."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.drift import alerting
from tests.unit.components.test_alerts import every_alert, names

FOLDER = Path(__file__).parents[3] / "runbooks"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.stem[0].isupper() and not path.stem.isupper())
SECTIONS = ["What it means", "What users notice", "Look", "Do"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_every_section(page: Path) -> None:
    text = page.read_text()

    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_the_severity_that_the_alert_has(page: Path) -> None:
    severities = {alert["labels"]["severity"] for alert in every_alert() if alert["alert"] == page.stem}
    severities |= set(alerting.SEVERITIES.values()) if page.stem == alerting.NAME else set()
    [stated] = re.findall(r"^Severity: (.+)$", page.read_text(), flags=re.MULTILINE)

    assert set(stated.split(" or ")) == severities


def test_pages_and_alerts_match() -> None:
    assert {page.stem for page in PAGES} == names() | {alerting.NAME}


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (FOLDER / target).is_file(), f"{page.name} → {target}"


def test_the_index_names_every_page() -> None:
    assert set(re.findall(r"\]\((\w+)\.md\)", (FOLDER / "ALERTS.md").read_text())) == {page.stem for page in PAGES}
