"""Service level objectives as recording rules and burn-rate alerts (Google SRE workbook, chapter 5).

A burn rate of 1 uses up the budget of 30 days in 30 days. An alert fires while both a long and a short window burn
faster than its factor: the long one says that it matters, the short one that it still goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.prometheus.metrics import BAD_EVENTS, EVENTS, RECORDED_EVERY, REQUESTS, WORKFLOWS
from components.prometheus.settings import Slo


@dataclass(frozen=True)
class Window:
    severity: str
    long: str
    short: str
    factor: float
    lasting: str


WINDOWS: Final = (
    Window("page", "1h", "5m", 14.4, "2m"),
    Window("page", "6h", "30m", 6, "15m"),
    Window("ticket", "1d", "2h", 3, "1h"),
    Window("ticket", "3d", "6h", 1, "3h"),
)
_EVERY: Final = f"{RECORDED_EVERY}s"
_SPANS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


def groups(slos: Sequence[Slo]) -> list[dict[str, Any]]:
    """One group of rules for each objective."""
    return [_group(slo) for slo in slos]


def _group(slo: Slo) -> dict[str, Any]:
    return {
        "name": f"slo-{slo.name}",
        "interval": _EVERY,
        "rules": [
            _objective(slo),
            *(_ratio(slo, span) for span in _SPANS),
            *(_events(slo) if slo.kind == "availability" else ()),
            *(_alert(slo, window) for window in WINDOWS),
        ],
    }


def _objective(slo: Slo) -> dict[str, Any]:
    return {"record": "slo:objective:ratio", "expr": f"vector({1 - slo.budget:.10g})", "labels": {"slo": slo.name}}


def _ratio(slo: Slo, span: str) -> dict[str, Any]:
    return {"record": f"slo:errors:ratio_rate{span}", "expr": _RATIOS[slo.kind](slo, span), "labels": {"slo": slo.name}}


def _events(slo: Slo) -> list[dict[str, Any]]:
    """Summed up over 30 days they say what is left of the budget: a mean of ratios would weigh a quiet night as much as
    a busy day."""
    bad, total = (_rate(one, "5m") for one in _requests(slo))
    labels = {"slo": slo.name}
    return [
        {"record": EVENTS, "expr": total, "labels": labels},
        {"record": BAD_EVENTS, "expr": f"{bad}\nor 0 * {total}", "labels": labels},
    ]


def _availability(slo: Slo, span: str) -> str:
    return _share(*_requests(slo), span)


def _requests(slo: Slo) -> tuple[str, str]:
    """Those answered with an error, and all."""
    counted = f"{REQUESTS}_count"
    return f'{counted}{{{_of(slo)}, http_response_status_code=~"5.."}}', f"{counted}{{{_of(slo)}}}"


def _latency(slo: Slo, span: str) -> str:
    within = f'{REQUESTS}_bucket{{{_of(slo)}, le=~"{_bounds(slo)}"}}'
    return f"1 - (\n  {_rate(within, span)}\n  / {_rate(f'{REQUESTS}_count{{{_of(slo)}}}', span)}\n)"


def _workflow(slo: Slo, span: str) -> str:
    return _share(f'{WORKFLOWS}_count{{{_of(slo)}, error_type!=""}}', f"{WORKFLOWS}_count{{{_of(slo)}}}", span)


_RATIOS: Final = {"availability": _availability, "latency": _latency, "workflow": _workflow}


def _share(bad: str, all_of_them: str, span: str) -> str:
    total = _rate(all_of_them, span)
    return f"(\n  {_rate(bad, span)}\n  or 0 * {total}\n)\n/ {total}"


def _rate(selector: str, span: str) -> str:
    return f"sum by (namespace, service) (rate({selector}[{span}]))"


def _of(slo: Slo) -> str:
    return f'job="app", service=~"{slo.services}"'


def _bounds(slo: Slo) -> str:
    """A bound is written `1` or `1.0`, by the version that scraped it."""
    assert slo.threshold is not None
    exact = f"{slo.threshold:g}"
    return "|".join(spelling.replace(".", "\\\\.") for spelling in dict.fromkeys((exact, repr(slo.threshold))))


def _alert(slo: Slo, window: Window) -> dict[str, Any]:
    burned = round(window.factor * slo.budget, 10)
    return {
        "alert": "SLOLatencyBudgetBurn" if slo.kind == "latency" else "SLOErrorBudgetBurn",
        "expr": "\nand ".join(
            (_burning(slo, window.long, burned), _burning(slo, window.short, burned), _enough(slo, window.long))
        ),
        "for": window.lasting,
        "labels": {"severity": window.severity, "slo": slo.name, "window": window.long},
        "annotations": {
            "summary": f"{{{{ $labels.service }}}} breaks its promise {slo.name} ({slo.objective:g} %)",
            "description": f"{{{{ $value | humanizePercentage }}}} of the events of the last {window.long} were bad: "
            f"{window.factor:g} times what 30 days can bear.",
        },
    }


def _burning(slo: Slo, span: str, burned: float) -> str:
    return f'slo:errors:ratio_rate{span}{{slo="{slo.name}"}} > {burned:.10g}'


def _enough(slo: Slo, span: str) -> str:
    """A service that is hardly used breaks its promise with a single error: that calls nobody."""
    counted = WORKFLOWS if slo.kind == "workflow" else REQUESTS
    events = f"sum by (namespace, service) (increase({counted}_count{{{_of(slo)}}}[{span}]))"
    return f"on (namespace, service) {events} >= {slo.at_least}"
