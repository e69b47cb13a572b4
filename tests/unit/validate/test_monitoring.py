"""Each check of the monitoring's settings sees the fault that is planted for it, and no other check does."""

from __future__ import annotations

import pytest

from tests.unit.validate.planted import Planted

DEV, PROD = "Pulumi.dev.yaml", "Pulumi.prod.yaml"


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        pytest.param(
            PROD,
            "    page: on-call\n",
            "",
            [("contradiction", "warning", [f"{PROD}:24: turnout:alertmanager.page"])],
            id="nobody-is-woken",
        ),
        pytest.param(
            PROD,
            "    page: on-call\n",
            "      - { name: nights, webhook: { url: https://nights.turnout.dev } }\n    page: on-call\n",
            [("without-use", "warning", [f"{PROD}:28: turnout:alertmanager.receivers[1]"])],
            id="a-receiver-without-a-route",
        ),
        pytest.param(
            DEV,
            "  turnout:prometheus:\n",
            "  turnout:loki: { enabled: false, retention: 9d }\n  turnout:prometheus:\n",
            [
                ("contradiction", "warning", [f"{DEV}:1: turnout:collector", f"{DEV}:22: turnout:loki.enabled"]),
                (
                    "without-use",
                    "warning",
                    [f"{DEV}:22: turnout:loki.retention", f"{DEV}:22: turnout:loki.enabled"],
                ),
            ],
            id="settings-of-what-is-switched-off",
        ),
        pytest.param(
            DEV,
            "  turnout:prometheus:\n",
            "  turnout:collector: { enabled: false }\n  turnout:prometheus:\n",
            [("contradiction", "warning", [f"{DEV}:1: turnout:loki", f"{DEV}:22: turnout:collector.enabled"])],
            id="logs-that-nobody-sends",
        ),
        pytest.param(
            PROD,
            "  turnout:alertmanager:\n",
            "  turnout:prometheus: { app_scrape_interval: 15s }\n  turnout:alertmanager:\n",
            [
                (
                    "contradiction",
                    "warning",
                    [f"{PROD}:24: turnout:prometheus.app_scrape_interval", f"{PROD}:1: turnout:rollout.interval"],
                )
            ],
            id="measured-too-seldom-for-the-gates",
        ),
        pytest.param(
            PROD,
            "  turnout:alertmanager:\n",
            "  turnout:loki: { limits: { ingestion_burst_mb: 4 } }\n  turnout:alertmanager:\n",
            [
                (
                    "contradiction",
                    "warning",
                    [
                        f"{PROD}:24: turnout:loki.limits.ingestion_burst_mb",
                        f"{PROD}:24: turnout:loki.limits.ingestion_rate_mb",
                    ],
                )
            ],
            id="a-burst-under-the-rate",
        ),
        pytest.param(
            PROD,
            "  turnout:alertmanager:\n",
            "  turnout:prometheus: { retention: 60d }\n  turnout:alertmanager:\n",
            [("contradiction", "warning", [f"{PROD}:24: turnout:prometheus.retention"])],
            id="a-retention-that-the-volume-cannot-hold",
        ),
        pytest.param(
            PROD,
            "  turnout:alertmanager:\n",
            "  turnout:prometheus:\n    slos:\n"
            "      - { name: slow, kind: latency, objective: 99, threshold: 2.5 }\n  turnout:alertmanager:\n",
            [
                (
                    "contradiction",
                    "warning",
                    [
                        f"{PROD}:26: turnout:prometheus.slos[0]",
                        "components/prometheus/rules/app.yaml:34: HTTPLatencyP95High",
                    ],
                )
            ],
            id="an-alert-for-what-a-promise-allows",
        ),
        pytest.param(
            PROD,
            "  turnout:alertmanager:\n",
            "  turnout:prometheus:\n    slos:\n"
            "      - { name: web, kind: availability, objective: 99, services: web.* }\n  turnout:alertmanager:\n",
            [("names-nothing", "error", [f"{PROD}:26: turnout:prometheus.slos[0].services"])],
            id="a-promise-of-nobody",
        ),
    ],
)
def test_a_planted_fault_is_found(planted: Planted, file: str, old: str, new: str, expected: object) -> None:
    planted.edit(file, old, new)

    assert planted.said() == expected
