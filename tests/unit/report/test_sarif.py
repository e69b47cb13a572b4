"""SARIF: valid by the standard's own schema, each finding at its line of the settings, what is excepted suppressed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Standard

from cli.report import sarif
from cli.report.sarif import Described, Result
from cli.review.model import Finding
from infra.policies import BY_ID
from tests.unit.report.reviews import review

SETTINGS = """\
config:
  turnout:cluster: {context: prod}
  turnout:app:
    image: shop
    services:
      api:
        replicas: 2
  turnout:prometheus:
    retention: 15d
  turnout:review:
    exceptions:
      mailer:
        expires: "2026-01-01"
"""
URN = "urn:pulumi:prod::shop::kubernetes:apps/v1:Deployment::prod/api-a"


def finding(where: str = "Deployment prod/api-a", **more: Any) -> Finding:
    given = {"rule": "host-path", "level": "mandatory", "message": "mounts /", "remedy": "an emptyDir"}
    return Finding(**given | more, where=where)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.prod.yaml").write_text(SETTINGS)
    return tmp_path


def results(root: Path, *found: Finding) -> list[dict[str, Any]]:
    made: dict[str, Any] = sarif.document([review(findings=found)], root)
    Standard.model_validate_json(json.dumps(made))
    return list(made["runs"][0]["results"])


def test_it_is_valid_by_the_schema_of_the_standard(root: Path) -> None:
    found = [finding(urn=URN, new=False), finding(level="advisory", rule="liveness"), finding(excepted="team: why")]
    assert [each["level"] for each in results(root, *found)] == ["error", "warning", "error"]


def test_the_schema_refuses_what_the_standard_does_not_know(root: Path) -> None:
    made = sarif.document([review(findings=(finding(),))], root)
    made["runs"][0]["results"][0]["severity"] = "high"
    with pytest.raises(ValueError, match="severity"):
        Standard.model_validate_json(json.dumps(made))


def test_a_finding_names_its_settings_line_and_its_object(root: Path) -> None:
    [found] = results(root, finding(urn=URN, path="spec"))
    assert found["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "Pulumi.prod.yaml", "uriBaseId": "ROOT"},
                "region": {"startLine": 6},
            },
            "logicalLocations": [{"fullyQualifiedName": URN, "kind": "resource"}],
        }
    ]
    assert found["message"]["text"] == "prod: Deployment prod/api-a: mounts /"
    assert found["properties"] == {"environment": "prod", "path": "spec", "new": True}


@pytest.mark.parametrize(
    ("where", "path", "line"),
    [
        ("Deployment prod/api", "", 6),
        ("ConfigMap prod-monitoring/prometheus-rules", "", 8),
        ("turnout:review.exceptions.mailer", "expires", 13),
        ("turnout:review.exceptions.mailer", "where", 12),
    ],
)
def test_what_the_settings_speak_of_has_its_line(root: Path, where: str, path: str, line: int) -> None:
    [found] = results(root, finding(where, path=path))
    assert found["locations"][0]["physicalLocation"]["region"] == {"startLine": line}


def test_what_they_do_not_speak_of_has_none(root: Path) -> None:
    [found] = results(root, finding("Namespace somewhere"))
    assert "region" not in found["locations"][0]["physicalLocation"]
    assert found["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "Namespace somewhere"


def test_settings_that_cannot_be_read_have_no_lines(root: Path) -> None:
    (root / "Pulumi.prod.yaml").write_text("config: [")
    [found] = results(root, finding())
    assert "region" not in found["locations"][0]["physicalLocation"]


def test_what_is_excepted_is_suppressed_by_its_reason(root: Path) -> None:
    said, plain = results(root, finding(excepted="team-mail, until 2027-03-31: legacy"), finding())
    assert said["suppressions"] == [{"kind": "external", "justification": "team-mail, until 2027-03-31: legacy"}]
    assert "suppressions" not in plain


def test_every_rule_is_described_and_results_point_at_theirs(root: Path) -> None:
    made = sarif.document([review(findings=(finding(rule="tls"), finding(rule="unused-exception")))], root)
    [run] = made["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert {rule["id"] for rule in rules} == {*BY_ID, "expired-exception", "unused-exception"}
    assert all(rule["shortDescription"]["text"] and rule["help"]["markdown"] for rule in rules)
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == ["tls", "unused-exception"]


def test_a_finding_is_known_again_and_told_from_others(root: Path) -> None:
    first, again, other = results(root, finding(new=True), finding(new=False), finding(message="mounts /var"))
    assert first["partialFingerprints"] == again["partialFingerprints"] != other["partialFingerprints"]


def test_hostile_names_do_nothing(root: Path) -> None:
    [found] = results(root, finding("Pod prod/\x1b[31m\u202e", message="\x00\ud800" + "x" * 5000))
    assert len(found["message"]["text"]) <= 2000
    assert "\\x1b[31m\\u202e" in found["message"]["text"]


def test_findings_of_others_can_be_told_too() -> None:
    rules = [Described("image-unpinned", "An image is not pinned.", "Pin it.")]
    places = (("Pulumi.dev.yaml", 3), ("Pulumi.prod.yaml", 0))
    made = sarif.log("validation", rules, [Result("image-unpinned", "note", "not pinned", places, key="k")])
    Standard.model_validate_json(json.dumps(made))
    [run] = made["runs"]
    assert run["automationDetails"] == {"id": "turnout/validation/"}
    assert len(run["results"][0]["locations"]) == 2
