"""Which of the drifted objects are meant. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cli.drift.model import Drifted, Report
from cli.errors import UsageError


def chosen(report: Report, addresses: Sequence[str]) -> list[Drifted]:
    """The objects whose drift counts, of those that an address names: all of them without any.

    An address is `Kind/namespace/name`, `Kind/name`, a component (`app/api`) or a URN; upper and lower case are the
    same. Raises UsageError for one that names no drifted object.
    """
    found = [one for one in report.objects if one.counts]
    if not addresses:
        return found
    lost = [text for text in addresses if not any(names(text, one) for one in found)]
    if lost:
        known = ", ".join(one.place.address for one in found) or "none"
        raise UsageError(
            f"nothing named {', '.join(lost)} has drifted",
            why=f"drifted: {known}",
            next=f"turnout drift {report.environment}",
        )
    return [one for one in found if any(names(text, one) for text in addresses)]


def only(report: Report, addresses: Sequence[str]) -> Report:
    """The report about what these addresses name; whole without any."""
    if not addresses:
        return report
    found = tuple(one for one in report.objects if any(names(text, one) for text in addresses))
    return replace(report, objects=found, strangers=())


def names(text: str, one: Drifted) -> bool:
    """Whether an address means that object."""
    wanted, place = text.lower(), one.place
    component = one.component.lower()
    short = f"{place.kind}/{place.name}".lower()
    is_around = component == wanted or component.startswith(f"{wanted}/")
    return wanted in (one.urn.lower(), place.address.lower(), short) or is_around
