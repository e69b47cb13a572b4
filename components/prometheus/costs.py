"""What language models cost, from the tokens that the app counts and the price table of the settings.

Input and output are counted apart; cached and reasoning tokens are part of them already.
"""

from __future__ import annotations

from typing import Any, Final

from components.prometheus.settings import Costs

_TOKENS: Final = 'gen_ai_client_inference_usage_%s_tokens_total{job="app"}'
_MILLION: Final = 1_000_000


def groups(costs: Costs | None) -> list[dict[str, Any]]:
    """The rules of the price table; none without one."""
    if costs is None:
        return []
    return [{"name": "costs", "rules": [*_prices(costs), *_spent(), *_alerts(costs)]}]


def _prices(costs: Costs) -> list[dict[str, Any]]:
    return [
        {
            "record": "llm:price_usd:per_token",
            "expr": f"vector({getattr(price, way) / _MILLION:.10g})",
            "labels": {"gen_ai_request_model": model, "way": way},
        }
        for model, price in costs.prices.items()
        for way in ("input", "output")
    ]


def _spent() -> list[dict[str, Any]]:
    return [{"record": f"llm:cost_usd:increase{span}", "expr": _cost(span)} for span in ("1h", "1d")]


def _cost(span: str) -> str:
    return "\n+ on (gen_ai_request_model) ".join(
        f"(\n  {_tokens(way, span)}\n  * on (gen_ai_request_model) {_price(way)}\n)" for way in ("input", "output")
    )


def _tokens(way: str, span: str) -> str:
    return f"sum by (gen_ai_request_model) (increase({_TOKENS % way}[{span}]))"


def _price(way: str) -> str:
    return f'max by (gen_ai_request_model) (llm:price_usd:per_token{{way="{way}"}})'


def _alerts(costs: Costs) -> list[dict[str, Any]]:
    return [_budget_burn(costs), _spike(), _price_missing()]


def _budget_burn(costs: Costs) -> dict[str, Any]:
    return {
        "alert": "CostBudgetBurn",
        "expr": f"24 * sum(llm:cost_usd:increase1h) > {costs.daily_budget:g}",
        "for": "30m",
        "labels": {"severity": "ticket"},
        "annotations": {
            "summary": "The language models cost more than the day's budget",
            "description": f"At the pace of the last hour a day costs {{{{ $value | humanize }}}} USD; the budget is "
            f"{costs.daily_budget:g} USD.",
        },
    }


def _spike() -> dict[str, Any]:
    return {
        "alert": "CostSpike",
        "expr": "sum(llm:cost_usd:increase1h) > 3 * sum(avg_over_time(llm:cost_usd:increase1h[7d]))\n"
        "and sum(llm:cost_usd:increase1h offset 1d)\n"
        "and sum(llm:cost_usd:increase1h) > 1",
        "for": "15m",
        "labels": {"severity": "ticket"},
        "annotations": {
            "summary": "The language models suddenly cost three times as much",
            "description": "The last hour cost {{ $value | humanize }} USD.",
        },
    }


def _price_missing() -> dict[str, Any]:
    used = " or ".join(_tokens(way, "1h") for way in ("input", "output"))
    return {
        "alert": "CostPriceMissing",
        "expr": f'({used}) > 0\nunless on (gen_ai_request_model) llm:price_usd:per_token{{way="input"}}',
        "for": "15m",
        "labels": {"severity": "ticket"},
        "annotations": {
            "summary": "Model {{ $labels.gen_ai_request_model }} has no price",
            "description": "Its tokens are missing from all cost figures.",
        },
    }
