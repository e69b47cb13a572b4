"""A validation as SARIF 2.1.0 and as JUnit XML, for whoever shows those beside a change."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ElementTree
from xml.etree.ElementTree import Element, SubElement

from cli.report import sarif as writer
from cli.report.plain import message, visible
from cli.report.sarif import Described, Result
from cli.validate.checks import RULES
from cli.validate.model import Finding, Report


def sarif(report: Report) -> str:
    """Every finding with all its places; what was agreed to as suppressed."""
    rules = [
        Described(rule, asks, f"docs/validate.md: {asks}", "warning", ("settings",)) for rule, asks in RULES.items()
    ]
    results = [_result(finding) for finding in report.findings]
    return json.dumps(writer.log("settings", rules, results), indent=2, ensure_ascii=False) + "\n"


def _result(finding: Finding) -> Result:
    first = finding.places[0]
    same = "\n".join((finding.rule, finding.environment, first.file, first.path))
    return Result(
        rule=finding.rule,
        level=finding.level.value,
        message=_said(finding),
        places=tuple((place.file, place.line) for place in finding.places),
        logical=first.path,
        key=hashlib.sha256(same.encode()).hexdigest(),
        suppressed=finding.accepted,
        properties=(("environment", finding.environment),),
    )


def _said(finding: Finding) -> str:
    where = f"{finding.places[0].path}: " if finding.places[0].path else ""
    return message(f"{where}{finding.message}. Next: {finding.remedy}")


def junit(report: Report, *, strict: bool) -> str:
    """One case a rule: failed by its errors (and warnings, if `strict`), else passed with what it noted."""
    suite = Element("testsuite", name="turnout validate", time=f"{report.seconds:.3f}", tests=str(len(RULES)))
    failures = sum(_case(suite, rule, report, strict=strict) for rule in RULES)
    suite.set("failures", str(failures))
    root = Element("testsuites", name="turnout")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: Element, rule: str, report: Report, *, strict: bool) -> bool:
    found = [each for each in report.findings if each.rule == rule and not each.accepted]
    bad = [each for each in found if each.level.value == "error" or (strict and each.level.value == "warning")]
    case = SubElement(suite, "testcase", classname="settings", name=rule)
    text = "\n".join(visible(f"{each.places[0]}: {each.level.value}: {each.message}") for each in bad or found)
    if bad:
        SubElement(case, "failure", message=visible(f"{len(bad)} found: {RULES[rule]}")).text = text
    elif text:
        SubElement(case, "system-out").text = text
    return bool(bad)
