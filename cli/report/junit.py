"""Reviews as JUnit XML, which every CI shows: one suite an environment, one case a policy and one for each approval."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement

from cli.report.plain import message, visible
from cli.review.model import Finding, Reason, Reviewed


def text(reviews: Sequence[Reviewed]) -> str:
    """A file's text. A broken mandatory policy and a refused risk are failures, what is excepted is skipped."""
    suites = Element("testsuites", name="turnout")
    for review in reviews:
        _suite(suites, review)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _suite(suites: Element, review: Reviewed) -> None:
    suite = SubElement(suites, "testsuite", name=visible(review.plan.environment), time=f"{review.plan.seconds:.3f}")
    cases = [*_plan(review), *_policies(review), *map(_risk, review.reasons)]
    for case in cases:
        case.set("classname", visible(f"{review.plan.environment}.{case.get('classname')}"))
        suite.append(case)
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("tests", str(len(cases)))


def _plan(review: Reviewed) -> Iterator[Element]:
    case = Element("testcase", classname="plan", name="the settings make a plan")
    if review.failed:
        SubElement(case, "error", message=message(review.failed).partition("\n")[0]).text = message(review.failed)
    yield case


def _policies(review: Reviewed) -> Iterator[Element]:
    """Every rule of the pack, also where nothing breaks it: so a rule that is mended is seen to pass."""
    from infra.policies import RULES

    if review.failed:
        return
    broken: dict[str, list[Finding]] = {}
    for each in review.findings:
        broken.setdefault(each.rule, []).append(each)
    for rule in dict.fromkeys([*(rule.id for rule in RULES), *broken]):
        yield _policy(rule, broken.get(rule, []))


def _policy(rule: str, found: list[Finding]) -> Element:
    case = Element("testcase", classname="policy", name=visible(rule))
    lines = "\n".join(map(_line, found))
    if any(each.refuses for each in found):
        first = next(each for each in found if each.refuses)
        said = f"{first.where}: {first.message}; instead: {first.remedy}"
        SubElement(case, "failure", message=message(said)).text = lines
    elif found and all(each.excepted for each in found):
        SubElement(case, "skipped", message=message(f"excepted: {found[0].excepted}"))
        SubElement(case, "system-out").text = lines
    elif found:
        SubElement(case, "system-out").text = lines
    return case


def _line(each: Finding) -> str:
    news = "new: " if each.new else ""
    excepted = f" (excepted: {each.excepted})" if each.excepted else ""
    return message(f"{news}{each.level}: {each.where}: {each.message} {each.path}".rstrip() + excepted)


def _risk(reason: Reason) -> Element:
    case = Element("testcase", classname="risk", name=visible(f"{reason.code}: {reason.text}"))
    if reason.refused:
        SubElement(case, "failure", message=message(f"refused at this level of risk: {reason.text}"))
    elif reason.approval:
        SubElement(case, "skipped", message="waits for an approval")
    return case
